"""Rule plot_fig2."""

from facestages.job import job

with job(snakemake):
    from facestages import tables
    from facestages.figures import fig2, style

    drawing = fig2.draw_fig2(
        snakemake.input.embedding,
        snakemake.input.stimuli,
        tables.read_tables(snakemake.input.scores),
        snakemake.input.attribution or None,
        **snakemake.params.figure,
    )
    style.save_drawing(snakemake.output, *drawing)

"""Rule plot_fig3."""

from facestages.job import job

with job(snakemake):
    from facestages import tables
    from facestages.figures import fig3, style

    drawing = fig3.draw_fig3(
        stimuli=snakemake.input.stimuli,
        scores=tables.read_tables(snakemake.input.scores),
        **snakemake.params.figure,
    )
    style.save_drawing(snakemake.output, *drawing)

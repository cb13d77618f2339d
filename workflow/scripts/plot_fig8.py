"""Rule plot_fig8."""

from facestages.job import job

with job(snakemake):
    from facestages import tables
    from facestages.figures import fig8, style

    drawing = fig8.draw_fig8(
        tables.read_tables(snakemake.input.shares),
        snakemake.input.stimuli,
        snakemake.input.predictions,
        snakemake.input.labels or None,
        **snakemake.params.figure,
    )
    style.save_drawing(snakemake.output, *drawing)

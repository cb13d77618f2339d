"""Rule plot_fig5."""

from facestages.job import job

with job(snakemake):
    from facestages import tables
    from facestages.figures import fig5, style

    drawing = fig5.draw_fig5(
        stimuli=snakemake.input.stimuli,
        predictions=snakemake.input.predictions or None,
        ratings=snakemake.input.ratings or None,
        regressions=tables.read_tables(snakemake.input.regressions),
        **snakemake.params.figure,
    )
    style.save_drawing(snakemake.output, *drawing)

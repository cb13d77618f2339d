"""Rule plot_fig6."""

from facestages.job import job

with job(snakemake):
    from facestages.figures import fig6, style

    drawing = fig6.draw_fig6(
        stimuli=snakemake.input.stimuli,
        predictions=snakemake.input.predictions or None,
        **snakemake.params.figure,
    )
    style.save_drawing(snakemake.output, *drawing)

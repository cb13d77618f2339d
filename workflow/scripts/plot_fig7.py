"""Rule plot_fig7."""

from facestages.job import job

with job(snakemake):
    from facestages.figures import fig7, style

    drawing = fig7.draw_fig7(
        stimuli=snakemake.input.stimuli,
        predictions=snakemake.input.predictions or None,
        labels_from=snakemake.input.labels or None,
        **snakemake.params.figure,
    )
    style.save_drawing(snakemake.output, *drawing)

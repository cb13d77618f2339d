"""Rule plot_controls."""

from facestages.job import job

with job(snakemake):
    from facestages import tables
    from facestages.figures import controls, style

    scores = tables.read_tables(snakemake.input.scores)
    style.save_drawing(snakemake.output, *controls.draw_controls(scores, **snakemake.params.figure))

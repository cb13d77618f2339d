"""Rule plot_fig4."""

from facestages.job import job

with job(snakemake):
    from facestages import tables
    from facestages.figures import fig4, style

    drawing = fig4.draw_fig4(tables.read_tables(snakemake.input.scores), **snakemake.params.figure)
    style.save_drawing(snakemake.output, *drawing)

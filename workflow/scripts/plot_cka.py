"""Rule plot_cka."""

from facestages.job import job

with job(snakemake):
    from facestages import tables
    from facestages.figures import cka, style

    similarities = tables.read_tables([snakemake.input.similarities])
    style.save_drawing(snakemake.output, *cka.draw_cka(similarities, **snakemake.params.figure))

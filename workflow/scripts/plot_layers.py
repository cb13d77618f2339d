"""Rule plot_layers."""

from facestages.job import job

with job(snakemake):
    from facestages import tables
    from facestages.figures import layers, style

    kinds = ("separability", "decoding", "rsa")
    scores = {kind: tables.read_tables(snakemake.input[kind]) for kind in kinds}
    style.save_drawing(snakemake.output, *layers.draw_layers(scores, **snakemake.params.figure))

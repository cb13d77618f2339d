"""Rule compare_layers."""

from facestages.job import job

with job(snakemake):
    from facestages import tables
    from facestages.analysis.cka import compare_layers

    similarities = compare_layers(snakemake.input.geometry, snakemake.input.stimuli)
    tables.write_table(snakemake.output.similarities, similarities)

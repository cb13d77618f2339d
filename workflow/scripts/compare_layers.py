"""Rule compare_layers."""

from facestages.job import job

with job(snakemake):
    from facestages import tables
    from facestages.analysis.cka import compare_layers

    files = snakemake.input
    similarities = compare_layers(files.geometry, files.stimuli, files.labels)
    tables.write_table(snakemake.output.similarities, similarities)

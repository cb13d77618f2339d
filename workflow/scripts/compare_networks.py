"""Rule compare_networks."""

from facestages.job import job

with job(snakemake):
    from facestages.references.networks import compare_networks
    from facestages.tables import write_table

    files, params = snakemake.input, snakemake.params
    table = compare_networks(
        files.reference, files.stimuli, files.labels, files.geometry, params.stages
    )
    write_table(snakemake.output.networks, table)

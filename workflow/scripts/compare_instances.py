"""Rule compare_instances."""

from facestages.job import job

with job(snakemake):
    from facestages import tables
    from facestages.analysis.instances import compare_instances

    instances = compare_instances([*snakemake.input], snakemake.params.networks)
    tables.write_table(snakemake.output.instances, instances)

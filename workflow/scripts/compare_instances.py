"""Rule compare_instances."""

from facestages.job import job

with job(snakemake):
    from facestages import tables
    from facestages.analysis.instances import compare_instances

    files = [*snakemake.input.separability, *snakemake.input.decoding]
    instances = compare_instances(files, snakemake.params.networks)
    tables.write_table(snakemake.output.instances, instances)

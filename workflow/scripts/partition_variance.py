"""Rule partition_variance."""

from facestages.job import job

with job(snakemake):
    from facestages.analysis.layers import write_measure
    from facestages.analysis.partition import partition_variance

    write_measure(partition_variance, snakemake)

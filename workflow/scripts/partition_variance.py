"""Rule partition_variance."""

from facestages.job import job

with job(snakemake):
    from facestages import tables
    from facestages.analysis.partition import partition_variance

    shares = partition_variance(
        snakemake.input.geometry,
        snakemake.input.stimuli,
        snakemake.params.stages,
        snakemake.params.components,
        snakemake.params.resamples,
        snakemake.input.predictions or None,
    )
    tables.write_table(snakemake.output.shares, shares)

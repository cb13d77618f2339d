"""Rule correlate_rdms."""

from facestages.job import job

with job(snakemake):
    from facestages import tables
    from facestages.analysis.rsa import correlate_rdms

    correlations = correlate_rdms(
        snakemake.input.geometry,
        snakemake.input.stimuli,
        snakemake.params.stages,
        snakemake.params.components,
        snakemake.params.permutations,
        predictions=snakemake.input.predictions or None,
    )
    tables.write_table(snakemake.output.correlations, correlations)

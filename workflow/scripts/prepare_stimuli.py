"""Rule prepare_stimuli."""

from facestages.job import job

with job(snakemake):
    from facestages.stimuli.sources import prepare_stimuli

    prepare_stimuli(
        snakemake.output.stimuli,
        snakemake.wildcards.dataset,
        snakemake.params.entry,
        snakemake.input.source,
        snakemake.input.detector or None,
        snakemake.threads,
    )

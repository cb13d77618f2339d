"""Rule split_stimuli."""

from facestages.job import job

with job(snakemake):
    from facestages.stimuli.shards import split_stimuli

    split_stimuli(
        snakemake.input.sources,
        snakemake.wildcards.dataset,
        int(snakemake.wildcards.shard),
        snakemake.params.shards,
        snakemake.params.every,
        snakemake.output.stimuli,
    )

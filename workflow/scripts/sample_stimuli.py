"""Rule sample_stimuli."""

from facestages.job import job

with job(snakemake):
    from facestages.stimuli.sample import sample_stimuli

    sample_stimuli(
        snakemake.input.stimuli,
        snakemake.params.every,
        snakemake.output.stimuli,
        snakemake.input.labels,
    )

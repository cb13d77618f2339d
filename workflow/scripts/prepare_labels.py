"""Rule prepare_labels."""

from facestages.job import job

with job(snakemake):
    from facestages.stimuli.labels import prepare_labels

    prepare_labels(
        snakemake.output.labels,
        snakemake.wildcards.dataset,
        snakemake.params.entry,
        snakemake.input.stimuli,
    )

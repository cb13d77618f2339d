"""Rule prepare_labels."""

from facestages.job import job

with job(snakemake):
    from facestages.files import atomic_path
    from facestages.stimuli.labels import prepare_labels

    prepare_labels(
        snakemake.output.labels,
        snakemake.wildcards.dataset,
        snakemake.params.entry,
        snakemake.input.stimuli,
    )
    with atomic_path(snakemake.output.files) as partial:
        partial.write_text(snakemake.params.files)

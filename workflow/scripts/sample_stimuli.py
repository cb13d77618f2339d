"""Rule sample_stimuli."""

from facestages.job import job

with job(snakemake):
    from facestages.files import atomic_path
    from facestages.stimuli.sample import sample_stimuli

    sample_stimuli(
        snakemake.input.stimuli,
        snakemake.params.every,
        snakemake.output.stimuli,
        snakemake.input.labels,
    )
    with atomic_path(snakemake.output.every) as partial:
        partial.write_text(str(snakemake.params.every))

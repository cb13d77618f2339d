"""Rule extract_frames."""

from facestages.job import job

with job(snakemake):
    from facestages.files import atomic_path
    from facestages.stimuli.disfa import extract_frames

    extract_frames(
        snakemake.output.frames,
        snakemake.wildcards.dataset,
        snakemake.wildcards.subject,
        snakemake.params.entry,
        snakemake.input.detector or None,
        snakemake.threads,
    )
    with atomic_path(snakemake.output.files) as partial:
        partial.write_text(snakemake.params.files)

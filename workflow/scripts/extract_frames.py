"""Rule extract_frames."""

from facestages.job import job

with job(snakemake):
    from facestages.stimuli.disfa import extract_frames

    extract_frames(
        snakemake.output.frames,
        snakemake.wildcards.dataset,
        snakemake.wildcards.subject,
        snakemake.params.entry,
        snakemake.input.detector or None,
        snakemake.threads,
    )

"""Rule prepare_stimuli."""

from facestages.job import job

with job(snakemake):
    from facestages.files import atomic_path
    from facestages.stimuli import write_stimuli
    from facestages.stimuli.sources import prepare_stimuli

    stimuli = prepare_stimuli(snakemake.params.entry, snakemake.input.source, snakemake.threads)
    write_stimuli(snakemake.output.stimuli, stimuli, snakemake.wildcards.dataset)
    with atomic_path(snakemake.output.files) as partial:
        partial.write_text(snakemake.params.files)

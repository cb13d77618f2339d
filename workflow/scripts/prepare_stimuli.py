"""Rule prepare_stimuli."""

from pathlib import Path

from facestages.job import job

with job(snakemake):
    from facestages.stimuli import write_stimuli
    from facestages.stimuli.sources import prepare_stimuli

    stimuli = prepare_stimuli(snakemake.params.entry, snakemake.input.source, snakemake.threads)
    write_stimuli(snakemake.output.stimuli, stimuli, snakemake.wildcards.dataset)
    Path(snakemake.output.files).write_text(snakemake.params.files)

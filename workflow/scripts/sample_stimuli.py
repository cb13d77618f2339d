"""Rule sample_stimuli."""

from facestages.job import job

with job(snakemake):
    from facestages.stimuli.labels import list_people
    from facestages.stimuli.sample import sample_stimuli

    stimuli, params = snakemake.input.stimuli, snakemake.params
    people = list_people(params.entry, stimuli)
    sample_stimuli(stimuli, params.every, snakemake.output.stimuli, people)

"""Rule join_shards."""

from facestages.job import job

with job(snakemake):
    from facestages.recording.shards import join_shards

    join_shards(snakemake.input.shards, snakemake.input.stimuli, snakemake.output.activations)

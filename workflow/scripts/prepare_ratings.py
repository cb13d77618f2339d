"""Rule prepare_ratings."""

from facestages.job import job

with job(snakemake):
    from facestages import tables
    from facestages.stimuli.ratings import read_oasis

    tables.write_table(snakemake.output.ratings, read_oasis(snakemake.params.path))

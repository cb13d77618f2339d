"""Rule score_separability."""

from facestages.job import job

with job(snakemake):
    from facestages.analysis.layers import write_measure
    from facestages.analysis.separability import score_separability

    write_measure(score_separability, snakemake)

"""Rule score_subsamples."""

from facestages.job import job

with job(snakemake):
    from facestages.analysis.layers import write_measure
    from facestages.analysis.subsamples import score_subsamples

    write_measure(score_subsamples, snakemake)

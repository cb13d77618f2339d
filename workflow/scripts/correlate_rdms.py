"""Rule correlate_rdms."""

from facestages.job import job

with job(snakemake):
    from facestages.analysis.layers import write_measure
    from facestages.analysis.rsa import correlate_rdms

    write_measure(correlate_rdms, snakemake)

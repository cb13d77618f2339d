"""Rule decode_labels."""

from facestages.job import job

with job(snakemake):
    from facestages.analysis.decoding import decode_labels
    from facestages.analysis.layers import write_measure

    write_measure(decode_labels, snakemake)

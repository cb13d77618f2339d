"""Rule regress_affect."""

from facestages.job import job

with job(snakemake):
    from facestages.analysis.affect import regress_affect
    from facestages.analysis.layers import write_measure

    write_measure(regress_affect, snakemake)

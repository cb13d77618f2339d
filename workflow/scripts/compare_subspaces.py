"""Rule compare_subspaces."""

from facestages.job import job

with job(snakemake):
    from facestages.analysis.layers import write_measure
    from facestages.analysis.subspace_scores import compare_subspaces

    write_measure(compare_subspaces, snakemake)

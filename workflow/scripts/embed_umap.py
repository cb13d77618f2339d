"""Rule embed_umap."""

from facestages.job import job

with job(snakemake):
    from facestages.analysis.embedding import embed_umap
    from facestages.analysis.layers import write_measure

    write_measure(embed_umap, snakemake)

"""Rule embed_umap."""

from facestages.job import job

with job(snakemake):
    from facestages import tables
    from facestages.analysis.embedding import embed_umap

    scores = embed_umap(
        snakemake.input.geometry,
        snakemake.input.stimuli,
        snakemake.params.stages,
        snakemake.params.wanted,
        snakemake.params.labels,
        snakemake.params.neighbours,
        snakemake.params.min_dist,
        snakemake.params.seed,
        snakemake.output.embedding,
        snakemake.input.predictions or None,
    )
    tables.write_table(snakemake.output.scores, scores)

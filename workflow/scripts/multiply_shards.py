"""Rule multiply_shards."""

from facestages.job import job

with job(snakemake):
    from facestages.gram import multiply_shards

    multiply_shards(
        snakemake.input.shard,
        snakemake.input.other,
        snakemake.input.first,
        snakemake.output.products,
    )

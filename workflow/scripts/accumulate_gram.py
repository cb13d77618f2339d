"""Rule accumulate_gram."""

from facestages.job import job

# Of a torch module of one's own nobody knows what it keeps: one pass at a time.
with job(snakemake, side_by_side=snakemake.params.network.get("torch") is None):
    from facestages.networks import load_network
    from facestages.recording.accumulation import accumulate_gram

    seed = int(snakemake.wildcards.seed)
    network = load_network(
        snakemake.wildcards.network,
        **snakemake.params.network,
        weights=snakemake.params.weights,
        seed=seed,
        gpu=snakemake.resources.gpu,
    )
    accumulate_gram(
        network,
        snakemake.input.stimuli,
        snakemake.params.layers,
        snakemake.output.products,
        {"seed": seed},
        snakemake.resources.mem_mb,
        threads=snakemake.threads,
    )

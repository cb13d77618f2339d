"""Rule record_activations."""

from facestages.job import job

# Of a torch module of one's own nobody knows what it keeps: one pass at a time.
with job(snakemake, side_by_side=snakemake.params.network.get("torch") is None):
    from facestages.networks import load_network
    from facestages.recording.activations import record_activations

    seed = int(snakemake.wildcards.seed)
    network = load_network(
        snakemake.wildcards.network,
        **snakemake.params.network,
        weights=snakemake.params.weights,
        seed=seed,
        gpu=snakemake.resources.gpu,
    )
    record_activations(
        network,
        snakemake.input.stimuli,
        snakemake.params.layers,
        snakemake.output.activations,
        {"seed": seed},
        precision=snakemake.params.precision,
        threads=snakemake.threads,
    )

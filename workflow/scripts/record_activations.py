"""Rule record_activations."""

from facestages.job import job

with job(snakemake):
    from facestages.activations import record_activations
    from facestages.networks import load_network

    seed = int(snakemake.wildcards.seed)
    network = load_network(
        snakemake.wildcards.network,
        **snakemake.params.network,
        weights=snakemake.params.weights,
        seed=seed,
    )
    record_activations(
        network,
        snakemake.input.stimuli,
        snakemake.params.layers,
        snakemake.output.activations,
        {"seed": seed},
    )

"""Rule describe_layers."""

from facestages.job import job

with job(snakemake):
    from facestages import tables
    from facestages.networks import load_network
    from facestages.networks.listing import describe_layers

    network = load_network(
        snakemake.wildcards.network, **snakemake.params.network, weights=snakemake.params.weights
    )
    tables.write_table(snakemake.output.layers, describe_layers(network, snakemake.params.stages))

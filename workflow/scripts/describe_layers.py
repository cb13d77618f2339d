"""Rule describe_layers."""

from facestages.job import job

with job(snakemake):
    from facestages import storage, tables
    from facestages.networks import load_network
    from facestages.networks.listing import describe_layers

    weights = storage.locate(snakemake.params.weights, snakemake.input)
    network = load_network(snakemake.wildcards.network, **snakemake.params.network, weights=weights)
    tables.write_table(snakemake.output.layers, describe_layers(network, snakemake.params.stages))

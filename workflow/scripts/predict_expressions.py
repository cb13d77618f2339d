"""Rule predict_expressions."""

from facestages.job import job

with job(snakemake):
    from facestages import tables
    from facestages.networks import load_network
    from facestages.predictions import predict_expressions

    seed = int(snakemake.wildcards.seed)
    network = load_network(
        snakemake.wildcards.network,
        **snakemake.params.network,
        weights=snakemake.params.weights,
        seed=seed,
    )
    predicted = predict_expressions(
        network,
        seed,
        snakemake.params.layer,
        snakemake.params.classes,
        snakemake.input.stimuli,
        snakemake.params.affect,
    )
    tables.write_table(snakemake.output.predictions, predicted)

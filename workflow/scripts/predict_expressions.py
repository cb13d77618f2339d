"""Rule predict_expressions."""

from facestages.job import job

# Of a torch module of one's own nobody knows what it keeps: one pass at a time.
with job(snakemake, side_by_side=snakemake.params.network.get("torch") is None):
    from facestages import tables
    from facestages.networks import load_network
    from facestages.recording.predictions import predict_expressions

    seed = int(snakemake.wildcards.seed)
    network = load_network(
        snakemake.wildcards.network,
        **snakemake.params.network,
        weights=snakemake.params.weights,
        seed=seed,
        gpu=snakemake.resources.gpu,
    )
    predicted = predict_expressions(
        network,
        seed,
        snakemake.params.layer,
        snakemake.params.classes,
        snakemake.input.stimuli,
        snakemake.params.affect,
        snakemake.threads,
    )
    tables.write_table(snakemake.output.predictions, predicted)

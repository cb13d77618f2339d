"""Rule predict_expressions."""

from facestages.job import job
from facestages.networks import load_instance, runs_side_by_side

with job(snakemake, side_by_side=runs_side_by_side(snakemake.params.network)):
    from facestages import tables
    from facestages.recording.predictions import predict_expressions

    network, seed = load_instance(snakemake)
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

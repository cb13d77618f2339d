"""Rule train_network."""

import os

from facestages.job import job

with job(snakemake):
    # Keras reads its backend when it is imported.
    os.environ["KERAS_BACKEND"] = snakemake.params.training["backend"]

    from facestages.config.training import Training
    from facestages.networks.training import train_network

    train_network(
        snakemake.wildcards.network,
        snakemake.params.network,
        Training.model_validate(snakemake.params.training),
        int(snakemake.wildcards.seed),
        code=snakemake.params.code,
        stimuli=snakemake.input.stimuli,
        labels=snakemake.input.labels,
        checkpoint=snakemake.params.checkpoint,
        model_out=snakemake.output.model,
        history_out=snakemake.output.history,
        metrics_out=snakemake.output.metrics,
        gpu=snakemake.resources.gpu,
    )

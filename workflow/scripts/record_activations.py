"""Rule record_activations."""

from facestages.job import job
from facestages.networks import load_instance, runs_side_by_side

with job(snakemake, side_by_side=runs_side_by_side(snakemake.params.network)):
    from facestages.recording.activations import record_activations

    network, seed = load_instance(snakemake)
    record_activations(
        network,
        snakemake.input.stimuli,
        snakemake.params.layers,
        snakemake.output.activations,
        {"seed": seed},
        precision=snakemake.params.precision,
        threads=snakemake.threads,
    )

"""Rule accumulate_gram."""

from facestages.job import job
from facestages.networks import load_instance, runs_side_by_side

with job(snakemake, side_by_side=runs_side_by_side(snakemake.params.network)):
    from facestages.recording.accumulation import accumulate_gram

    network, seed = load_instance(snakemake)
    accumulate_gram(
        network,
        snakemake.input.stimuli,
        snakemake.params.layers,
        snakemake.output.products,
        {"seed": seed},
        snakemake.resources.mem_mb,
        threads=snakemake.threads,
    )

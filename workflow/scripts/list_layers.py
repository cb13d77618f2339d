"""Rule list_layers."""

from facestages.job import job

with job(snakemake):
    from facestages.networks.listing import print_layers

    print_layers(snakemake.input.layers, snakemake.params.dataset, snakemake.params.stimuli)

"""Rule fetch_keras_weights."""

from facestages.job import job

with job(snakemake):
    from facestages.files import atomic_path
    from facestages.networks import load_network

    name = snakemake.wildcards.architecture
    load_network(name, architecture=name, weights="imagenet")
    with atomic_path(snakemake.output.fetched) as partial:
        partial.touch()

"""Rule fetch_zoo_weights."""

from facestages.job import job

with job(snakemake):
    import json

    from facestages.files import atomic_path
    from facestages.networks import load_network

    zoo, model = snakemake.wildcards.zoo, snakemake.wildcards.model
    network = load_network(model, zoo=(zoo, model), weights="pretrained")
    fetched = {"library": snakemake.params.version, "weights": network.weights_digest}
    with atomic_path(snakemake.output.fetched) as partial:
        partial.write_text(json.dumps(fetched, indent=1) + "\n", encoding="utf-8")

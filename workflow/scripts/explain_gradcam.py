"""Rule explain_gradcam."""

from facestages.job import job

with job(snakemake):
    from facestages import tables
    from facestages.networks import load_network
    from facestages.recording.attribution import explain_gradcam

    seed = int(snakemake.wildcards.seed)
    network = load_network(
        snakemake.wildcards.network,
        **snakemake.params.network,
        weights=snakemake.params.weights,
        seed=seed,
        gpu=snakemake.resources.gpu,
    )
    table = explain_gradcam(
        network,
        seed,
        snakemake.params.stages,
        snakemake.params.classes,
        snakemake.input.stimuli,
        snakemake.output.maps,
        layers=snakemake.params.layers,
        faces=snakemake.params.faces,
        margin=snakemake.params.margin,
        predictions=snakemake.input.predictions or None,
    )
    tables.write_table(snakemake.output.shares, table)

"""Rule explain_gradcam."""

from facestages.job import job
from facestages.networks import load_instance

with job(snakemake):
    from facestages import tables
    from facestages.analysis.attribution import measure_maps
    from facestages.recording.attribution import explain_gradcam

    network, seed = load_instance(snakemake)
    explanation = explain_gradcam(
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
    table = measure_maps(explanation, snakemake.params.stages)
    tables.write_table(snakemake.output.shares, table)

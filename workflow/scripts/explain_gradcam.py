"""Rule explain_gradcam."""

from facestages.job import job
from facestages.networks import load_instance

with job(snakemake):
    from facestages.recording.attribution import explain_gradcam

    network, seed = load_instance(snakemake)
    explain_gradcam(
        network,
        seed,
        snakemake.params.stages,
        snakemake.params.classes,
        snakemake.input.stimuli,
        snakemake.output.maps,
        layers=snakemake.params.layers,
        faces=snakemake.params.faces,
        margin=snakemake.params.margin,
    )

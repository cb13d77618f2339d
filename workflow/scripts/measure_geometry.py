"""Rule measure_geometry."""

from facestages.job import job

with job(snakemake):
    from facestages.geometry import measure_geometry

    measure_geometry(
        snakemake.input.activations,
        snakemake.input.stimuli,
        snakemake.params.components,
        snakemake.output.geometry,
    )

"""Rule measure_geometry."""

from facestages.job import job

with job(snakemake):
    from facestages.analysis.geometry import measure_geometry

    measure_geometry(
        snakemake.input.sources,
        snakemake.input.stimuli,
        snakemake.params.components,
        snakemake.output.geometry,
    )

"""Rule summarise_gradcam."""

from facestages.job import job

with job(snakemake):
    from facestages import tables
    from facestages.analysis.attribution import summarise_maps

    table = summarise_maps(
        snakemake.input.maps,
        snakemake.input.stimuli,
        snakemake.params.stages,
        snakemake.input.labels,
        snakemake.input.predictions or None,
    )
    tables.write_table(snakemake.output.shares, table)

"""Rule make_explorer."""

from facestages.job import job

with job(snakemake):
    from facestages import storage
    from facestages.assets import shipped
    from facestages.explorer import write_explorer

    write_explorer(
        snakemake.output.html,
        storage.locate(snakemake.params.face_sets, snakemake.input),
        snakemake.params.components,
        snakemake.params.neighbours,
        shipped("workflow/report/explorer"),
    )

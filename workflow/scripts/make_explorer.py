"""Rule make_explorer."""

from facestages.job import job

with job(snakemake):
    from facestages.assets import shipped
    from facestages.explorer import write_explorer

    write_explorer(
        snakemake.output.html,
        snakemake.params.face_sets,
        snakemake.params.components,
        snakemake.params.neighbours,
        shipped("workflow/report/explorer"),
    )

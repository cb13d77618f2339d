"""Rule make_gradcam_table."""

from facestages.job import job

with job(snakemake):
    from facestages import tables
    from facestages.figures.gradcam import gradcam_table, write_gradcam_table

    rows = tables.read_tables(snakemake.input.shares)
    tables.write_table(snakemake.output.csv, rows)
    write_gradcam_table(
        gradcam_table(rows, snakemake.params.networks, snakemake.params.expressions),
        rows,
        snakemake.params.dataset,
        snakemake.output.markdown,
        snakemake.output.html,
    )

"""Rule make_table1."""

from facestages.job import job

with job(snakemake):
    from facestages import storage, tables
    from facestages.assets import shipped
    from facestages.figures.table1 import make_table1, write_table1

    table = make_table1(
        storage.locate(snakemake.params.networks, snakemake.input),
        storage.locate(snakemake.params.datasets, snakemake.input),
        storage.locate(snakemake.params.test, snakemake.input),
        shipped("resources/paper.yaml"),
    )
    tables.write_table(snakemake.output.csv, table)
    output = snakemake.output
    write_table1(table, output.markdown, output.latex, output.html, absent=snakemake.params.absent)

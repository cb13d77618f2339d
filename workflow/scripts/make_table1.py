"""Rule make_table1."""

from facestages.job import job

with job(snakemake):
    from facestages import tables
    from facestages.assets import shipped
    from facestages.figures.table1 import make_table1, write_table1

    table = make_table1(
        snakemake.params.networks,
        snakemake.params.datasets,
        snakemake.params.test,
        shipped("resources/paper.yaml"),
    )
    tables.write_table(snakemake.output.csv, table)
    output = snakemake.output
    write_table1(table, output.markdown, output.latex, output.html, absent=snakemake.params.absent)

"""Rule judge_claims."""

from facestages.job import job

with job(snakemake):
    from facestages import storage, tables
    from facestages.assets import shipped
    from facestages.claims import judge_claims
    from facestages.claims.page import write_claims

    world = storage.locate(snakemake.params.world, snakemake.input)
    table = judge_claims(shipped("resources/claims.yaml"), **world)
    tables.write_table(snakemake.output.csv, table)
    title = "What was claimed, and what this run finds"
    write_claims(table, snakemake.output.html, title, world["datasets"])

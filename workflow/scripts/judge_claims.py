"""Rule judge_claims."""

from facestages.job import job

with job(snakemake):
    from facestages import tables
    from facestages.assets import shipped
    from facestages.claims import judge_claims
    from facestages.claims.page import write_claims

    table = judge_claims(shipped("resources/claims.yaml"), **snakemake.params.world)
    tables.write_table(snakemake.output.csv, table)
    title = "What was claimed, and what this run finds"
    write_claims(table, snakemake.output.html, title, snakemake.params.world["datasets"])

"""Rule make_snakemake_report."""

from facestages.job import job

with job(snakemake):
    from facestages.assets import shipped
    from facestages.report.snakemake_report import write_snakemake_report

    write_snakemake_report(
        snakemake.output.html,
        snakefile=snakemake.params.snakefile,
        config=snakemake.params.config,
        targets=list(snakemake.input.results),
        stylesheet=shipped("workflow/report/snakemake.css"),
    )

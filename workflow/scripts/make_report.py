"""Rule make_report."""

from facestages.job import job

with job(snakemake):
    from facestages.assets import shipped
    from facestages.report import write_report

    write_report(
        snakemake.output.html,
        snakefile=snakemake.params.snakefile,
        config=snakemake.params.config,
        targets=list(snakemake.input.results),
        stylesheet=shipped("workflow/report/report.css"),
    )

"""Rule make_report."""

from facestages.job import job

with job(snakemake):
    import logging

    from facestages.report_page import write_report_page

    said = write_report_page(
        snakemake.output.html,
        snakefile=snakemake.params.snakefile,
        config=snakemake.params.config,
        targets=list(snakemake.input.results),
        stylesheet=snakemake.input.stylesheet,
    )
    logging.getLogger("facestages").info("%s", said)

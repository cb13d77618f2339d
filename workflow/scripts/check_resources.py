"""Rule check_resources."""

from facestages.job import job

with job(snakemake):
    from facestages.doctor.report import check_resources

    check_resources(snakemake.params.config, snakemake.params.manifest)

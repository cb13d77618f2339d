"""Rule fetch_asset."""

from facestages.job import job

with job(snakemake):
    from facestages.fetching import fetch_asset

    fetch_asset(
        snakemake.wildcards.asset,
        snakemake.params.entry,
        snakemake.output.folder,
        snakemake.params.downloads,
        snakemake.params.local,
    )

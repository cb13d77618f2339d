"""Rule make_report."""

from facestages.job import job

with job(snakemake):
    from facestages import storage
    from facestages.report.page import Contents, Facts, write_report

    files, params = snakemake.input, snakemake.params
    write_report(
        snakemake.output.html,
        Contents(
            exhibits=storage.locate(params.exhibits, files),
            sheets=storage.locate(params.sheets, files),
            claims=files.claims,
            stimuli=files.stimuli,
            labels=files.labels,
            geometry=files.geometry,
            explorer=files.explorer or "",
        ),
        Facts(
            config=params.config,
            weights=params.weights,
            absent=params.absent,
            assets=params.assets,
            benchmarks=params.benchmarks,
        ),
    )

"""Rule describe_run."""

from facestages.job import job

with job(snakemake):
    from facestages.report import describe_run

    describe_run(
        snakemake.output.html,
        config=snakemake.params.config,
        stimuli=snakemake.input.stimuli,
        labels=snakemake.input.labels,
        geometry=snakemake.input.geometry,
        weights=snakemake.params.weights,
        absent=snakemake.params.absent,
    )

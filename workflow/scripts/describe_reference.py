"""Rule describe_reference."""

from facestages.job import job

with job(snakemake):
    from facestages.references.describe import describe_reference
    from facestages.tables import write_table

    files = snakemake.input
    write_table(
        snakemake.output.raters,
        describe_reference(files.reference, files.stimuli, files.labels),
    )

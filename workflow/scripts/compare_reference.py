"""Rule compare_reference."""

from facestages.job import job

with job(snakemake):
    from facestages.references.compare import compare_reference
    from facestages.tables import write_table

    files = snakemake.input
    write_table(
        snakemake.output.layers,
        compare_reference(
            files.geometry,
            files.stimuli,
            snakemake.params.stages,
            files.reference,
            files.answers or None,
            label_file=files.labels,
        ),
    )

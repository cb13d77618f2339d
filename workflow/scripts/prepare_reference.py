"""Rule prepare_reference."""

from facestages.job import job

with job(snakemake):
    from facestages.references import prepare_reference

    prepare_reference(
        snakemake.output.reference,
        snakemake.wildcards.reference,
        snakemake.params.entry,
        snakemake.input.stimuli,
        snakemake.input.get("labels"),
    )

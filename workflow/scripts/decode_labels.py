"""Rule decode_labels."""

from facestages.job import job

with job(snakemake):
    from facestages import tables
    from facestages.analysis.decoding import decode_labels

    decoding = decode_labels(
        snakemake.input.geometry,
        snakemake.input.stimuli,
        snakemake.params.stages,
        snakemake.params.labels,
        snakemake.params.components,
        snakemake.params.permutations,
        folds=snakemake.params.folds,
        predictions=snakemake.input.predictions or None,
    )
    tables.write_table(snakemake.output.decoding, decoding)

"""Rule score_separability."""

from facestages.job import job

with job(snakemake):
    from facestages import tables
    from facestages.analysis.separability import score_separability

    scores = score_separability(
        snakemake.input.geometry,
        snakemake.input.stimuli,
        snakemake.params.stages,
        snakemake.params.labels,
        snakemake.params.components,
        snakemake.params.permutations,
        predictions=snakemake.input.predictions or None,
        pictures_per_person=snakemake.params.pictures_per_person,
    )
    tables.write_table(snakemake.output.scores, scores)

"""Rule regress_affect."""

from facestages.job import job

with job(snakemake):
    from facestages import tables
    from facestages.analysis.affect import regress_affect

    regressions = regress_affect(
        snakemake.input.geometry,
        snakemake.input.stimuli,
        snakemake.params.stages,
        snakemake.input.predictions or None,
    )
    tables.write_table(snakemake.output.regressions, regressions)

"""Rule compare_choices."""

from facestages.job import job

with job(snakemake):
    from facestages import tables
    from facestages.analysis.multiverse import compare_choices

    files = snakemake.input
    choices = compare_choices(files.separability, files.separability_people, files.decoding)
    tables.write_table(snakemake.output.choices, choices)

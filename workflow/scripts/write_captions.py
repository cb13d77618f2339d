"""Rule write_captions: titles and captions of all figures in one file."""

from facestages.job import job

with job(snakemake):
    from facestages.figures import page

    page.write_captions(snakemake.input.captions, snakemake.output.markdown)

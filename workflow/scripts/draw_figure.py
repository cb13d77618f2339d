"""Rules plot_*: the module of the figure's name draws it."""

from pathlib import Path

from facestages.job import job

with job(snakemake):
    from facestages import storage
    from facestages.figures import page

    # The rule's name may have a prefix where another workflow uses this one as a module.
    name = Path(snakemake.output.pdf).stem
    params = snakemake.params
    settings = storage.locate(params.figure, snakemake.input)
    page.draw(name, snakemake.input, settings, snakemake.output, params.look)

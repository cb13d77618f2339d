"""Rule plot_fig4."""

from facestages.job import job

with job(snakemake):
    from facestages import tables
    from facestages.figures import fig4, style

    figure, summary = fig4.draw_fig4(
        tables.read_tables(snakemake.input.scores),
        datasets=snakemake.params.datasets,
        networks=snakemake.params.networks,
        looks=snakemake.params.looks,
        **snakemake.params.figure,
    )
    style.save_figure(figure, {kind: snakemake.output[kind] for kind in ("pdf", "svg", "png")})
    tables.write_table(snakemake.output.numbers, summary)

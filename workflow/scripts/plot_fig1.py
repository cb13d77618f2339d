"""Rule plot_fig1."""

from facestages.job import job

with job(snakemake):
    from facestages import tables
    from facestages.figures import fig1, style
    from facestages.files import atomic_path

    layers = tables.read_tables([snakemake.input.layers])
    figure = fig1.draw_fig1(layers, label=snakemake.params.label)
    style.save_figure(figure, {kind: snakemake.output[kind] for kind in ("pdf", "svg", "png")})
    with atomic_path(snakemake.output.table) as partial:
        partial.write_text(fig1.layers_in_words(layers), encoding="utf-8")

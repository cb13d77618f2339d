"""Rule report_stimuli."""

from facestages.job import job

with job(snakemake):
    from facestages.figures import sheet, style
    from facestages.stimuli import report

    described = report.report_stimuli(
        snakemake.input.stimuli,
        snakemake.input.labels,
        snakemake.input.predictions,
        snakemake.params.classes,
        snakemake.params.expression_from,
        snakemake.input.measured,
    )
    report.write_report(
        described, snakemake.params.title, snakemake.output.json, snakemake.output.markdown
    )
    figure = sheet.draw_sheet(
        snakemake.input.stimuli,
        snakemake.params.title,
        snakemake.input.labels,
        snakemake.input.labels_from or None,
        snakemake.params.may_show,
    )
    style.save_figure(figure, {"png": snakemake.output.sheet})

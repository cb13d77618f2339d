"""The report of the run, and Snakemake's own."""

from facestages.plan import report as report_plan

# The first page of Snakemake's report is about this workflow's run; a workflow that uses it as a
# module has its own.
if not IS_MODULE:

    report: "../report/workflow.rst"


# Tables of the report: the study of each, what it is called, and what it shows.
TABLES = {
    "table1": ("Networks", "Table 1", "networks and face sets"),
    "gradcam": ("Study 1: stages of one network", "Grad-CAM", "share of the maps by region"),
}


rule make_report:
    """The page to open first: what the run finds, and all of it in one page."""
    input:
        shown=ask(lambda: report_plan.plan_report(PLAN).files),
        claims=PATHS["claims"],
        stimuli=ask(targets.described_stimuli, plan=PLAN),
        labels=ask(targets.described_labels, plan=PLAN),
        geometry=ask(targets.described_geometry, plan=PLAN),
        # The explorer's page, where the run makes one.
        explorer=PATHS["explorer"] if explorer.is_made(PLAN) else [],
    output:
        html=PATHS["report"],
    log:
        "<logs>/make_report.log",
    benchmark:
        "<benchmarks>/make_report.tsv"
    localrule: True
    conda:
        "../../envs/analysis.yaml"
    threads: 1
    resources:
        mem_mb=megabytes(300),
        runtime=10,
        gpu=0,
    params:
        given=report_words,
        exhibits=lambda wildcards: report_plan.exhibits(PLAN, PLOTS, TABLES),
        sheets=ask(lambda: report_plan.plan_report(PLAN).sheets),
        config=CONFIG.model_dump(mode="json", exclude_none=True),
        weights={name: PLAN.networks.weights_in_words(name) for name in CONFIG.networks},
        absent=list(PLAN.absent.values()),
        assets=report_plan.assets(PLAN),
        benchmarks=CONFIG.pathvars.get("benchmarks", "benchmarks"),
        # No digest sees it, and the page names it.
        version=__version__,
        code=code("make_report"),
    message:
        "Report"
    script:
        "../scripts/make_report.py"


# On request: it shows the same figures once more, beside each job's runtime and the provenance of
# every file, and takes longer than the report.
rule make_snakemake_report:
    """Snakemake's own report, on request: figures and tables with runtimes and provenance."""
    input:
        results=ask(targets.shown, plan=PLAN),
    output:
        html=PATHS["snakemake_report"],
    log:
        "<logs>/make_snakemake_report.log",
    benchmark:
        "<benchmarks>/make_snakemake_report.tsv"
    # Runs locally with Snakemake's own Python, which makes the report.
    handover: True
    threads: 1
    resources:
        mem_mb=megabytes(250),
        runtime=10,
        gpu=0,
    params:
        # Relative, so that a checkout that was moved is no change.
        snakefile=os.path.relpath(workflow.main_snakefile),
        given=report_words,
        config=config,
        code=code("make_snakemake_report"),
    message:
        "Snakemake's own report"
    script:
        "../scripts/make_snakemake_report.py"

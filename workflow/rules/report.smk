"""The report of the run."""

# The first page is about this workflow's run; a workflow that uses it as a module has its own.
if not IS_MODULE:

    report: "../report/workflow.rst"


rule describe_run:
    input:
        stimuli=ask(targets.described_stimuli, plan=PLAN),
        labels=ask(targets.described_labels, plan=PLAN),
        geometry=ask(targets.described_geometry, plan=PLAN),
    output:
        html=report(
            PATHS["run_page"],
            caption="../report/run.rst",
            category="This run",
            labels={"page": "Configuration, weights, versions"},
        ),
    log:
        "<logs>/describe_run.log",
    benchmark:
        "<benchmarks>/describe_run.tsv"
    conda:
        "../../envs/analysis.yaml"
    threads: 1
    resources:
        mem_mb=megabytes(140),
        runtime=10,
        gpu=0,
    params:
        config=CONFIG.model_dump(mode="json", exclude_none=True),
        weights={name: PLAN.networks.weights_in_words(name) for name in CONFIG.networks},
        absent=list(PLAN.absent.values()),
        # No digest sees it, and the page names it.
        version=__version__,
        code=code("describe_run"),
    message:
        "Description of the run"
    script:
        "../scripts/describe_run.py"


rule make_report:
    input:
        results=ask(targets.shown, plan=PLAN),
    output:
        html=PATHS["report"],
    log:
        "<logs>/make_report.log",
    benchmark:
        "<benchmarks>/make_report.tsv"
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
        code=code("make_report"),
    message:
        "Report"
    script:
        "../scripts/make_report.py"

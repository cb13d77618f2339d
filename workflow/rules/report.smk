"""The report of the run."""

# The first page tells of this workflow's run; one that uses it as a module has its own.
if not IS_MODULE:

    report: "../report/workflow.rst"


rule describe_run:
    input:
        stimuli=run_stimuli(),
        geometry=run_geometry(),
    output:
        html=report(
            "<results>/run.html",
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
        mem_mb=more_at_each_attempt(140),
        runtime=10,
        gpu=0,
    params:
        config=CONFIG.model_dump(mode="json", exclude_none=True),
        weights={name: weights_in_words(name) for name in CONFIG.networks},
        absent=list(ABSENT.values()),
        code=code("describe_run"),
    message:
        "Description of the run"
    script:
        "../scripts/describe_run.py"


rule make_report:
    input:
        results=report_targets(),
        # Its words: an edited one makes the report anew, a fresh checkout does not.
        words=report_words,
        stylesheet=str(WORKFLOW / "report" / "report.css"),
    output:
        html="<results>/report.html",
    log:
        "<logs>/make_report.log",
    benchmark:
        "<benchmarks>/make_report.tsv"
    # A local rule, run by the Python of Snakemake itself, which the report is made with.
    handover: True
    threads: 1
    resources:
        mem_mb=more_at_each_attempt(250),
        runtime=10,
        gpu=0,
    params:
        # Relative, so that a checkout that was moved is no change.
        snakefile=os.path.relpath(workflow.main_snakefile),
        config=config,
        code=code("make_report"),
    message:
        "Report"
    script:
        "../scripts/make_report.py"

"""The explorer: one page of points that are faces."""


rule make_explorer:
    """The explorer, a page where every face of a layer is a point, and every layer a step."""
    input:
        files=ask(lambda: explorer.plan_explorer(PLAN).files),
    output:
        html=PATHS["explorer"],
    log:
        "<logs>/make_explorer.log",
    benchmark:
        "<benchmarks>/make_explorer.tsv"
    conda:
        "../../envs/analysis.yaml"
    threads: 1
    resources:
        mem_mb=megabytes(lambda: explorer.megabytes(PLAN)),
        runtime=20,
        gpu=0,
    params:
        given=shipped("workflow/report/explorer"),
        face_sets=ask(lambda: explorer.plan_explorer(PLAN).face_sets),
        components=ask(lambda: explorer.plan_explorer(PLAN).components),
        neighbours=ask(lambda: explorer.plan_explorer(PLAN).neighbours),
        code=code("make_explorer"),
    message:
        "Explorer"
    script:
        "../scripts/make_explorer.py"

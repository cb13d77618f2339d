"""What people say of the faces, and recordings of their brains."""


rule prepare_reference:
    """People's judgements of the pictures of a face set, or recordings, in one format."""
    input:
        stimuli=ask(PLAN.references.stimuli),
        labels=ask(PLAN.references.labels),
    output:
        reference=PATHS["reference"],
    log:
        "<logs>/prepare_reference/{reference}.log",
    benchmark:
        "<benchmarks>/prepare_reference/{reference}.tsv"
    conda:
        "../../envs/analysis.yaml"
    threads: 1
    resources:
        mem_mb=megabytes(PLAN.references.megabytes),
        runtime=30,
        gpu=0,
    params:
        entry=ask(PLAN.references.entry),
        given=ask(PLAN.references.given),
        code=reference_code,
    message:
        "Reference {wildcards.reference}"
    script:
        "../scripts/prepare_reference.py"

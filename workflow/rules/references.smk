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


rule describe_reference:
    """How raters agree, and what their judgements are made of."""
    input:
        reference=PATHS["reference"],
        stimuli=ask(PLAN.references.stimuli),
        labels=ask(PLAN.references.all_labels),
    output:
        raters=PATHS["reference_raters"],
    log:
        "<logs>/describe_reference/{reference}.log",
    benchmark:
        "<benchmarks>/describe_reference/{reference}.tsv"
    conda:
        "../../envs/analysis.yaml"
    threads: 1
    resources:
        mem_mb=megabytes(PLAN.references.megabytes_beside),
        runtime=30,
        gpu=0,
    params:
        code=code("describe_reference"),
    message:
        "Raters of {wildcards.reference}"
    script:
        "../scripts/describe_reference.py"


rule compare_reference:
    """Layers beside people's judgements of the faces, or recordings of their brains."""
    input:
        unpack(ask(PLAN.references.beside)),
    output:
        layers=PATHS["reference_layers"],
    log:
        "<logs>/compare_reference/{reference}/{network}/seed-{seed}.log",
    benchmark:
        "<benchmarks>/compare_reference/{reference}/{network}/seed-{seed}.tsv"
    conda:
        "../../envs/analysis.yaml"
    threads: 1
    resources:
        mem_mb=megabytes(PLAN.references.megabytes_beside),
        runtime=60,
        gpu=0,
    params:
        stages=ask(PLAN.networks.stages),
        code=code("compare_reference"),
    message:
        "{wildcards.network}, seed {wildcards.seed}, beside {wildcards.reference}"
    script:
        "../scripts/compare_reference.py"


rule compare_networks:
    """Which of two networks is nearer to people's judgements of the faces, stage by stage."""
    input:
        unpack(ask(PLAN.references.beside_networks)),
    output:
        networks=PATHS["reference_networks"],
    log:
        "<logs>/compare_networks/{reference}.log",
    benchmark:
        "<benchmarks>/compare_networks/{reference}.tsv"
    conda:
        "../../envs/analysis.yaml"
    threads: 1
    resources:
        mem_mb=megabytes(PLAN.references.megabytes_of_networks),
        runtime=60,
        gpu=0,
    params:
        stages=ask(lambda: PLAN.references.stages()),
        code=code("compare_networks"),
    message:
        "Networks beside each other and {wildcards.reference}"
    script:
        "../scripts/compare_networks.py"

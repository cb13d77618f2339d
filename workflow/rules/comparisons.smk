"""Layers, instances and choices of measure compared."""


rule compare_layers:
    """Debiased CKA of all layers, networks and seeds."""
    input:
        stimuli=ask(PLAN.face_sets.measured),
        labels=PATHS["labels"],
        geometry=ask(PLAN.recordings.compared_geometry),
    output:
        similarities=PATHS["cka"],
    log:
        "<logs>/compare_layers/{dataset}.log",
    benchmark:
        "<benchmarks>/compare_layers/{dataset}.tsv"
    conda:
        "../../envs/analysis.yaml"
    threads: 1
    resources:
        mem_mb=megabytes(PLAN.resources.measure, function=memory.comparison),
        runtime=120,
        gpu=0,
    params:
        code=code("compare_layers"),
    message:
        "Layers, networks and seeds compared on {wildcards.dataset}"
    script:
        "../scripts/compare_layers.py"


rule compare_instances:
    """Networks over their seeds, and beside untrained ones."""
    input:
        unpack(ask(lambda dataset: PLAN.recordings.instances(dataset)[0])),
    output:
        instances=PATHS["instances"],
    log:
        "<logs>/compare_instances/{dataset}.log",
    benchmark:
        "<benchmarks>/compare_instances/{dataset}.tsv"
    conda:
        "../../envs/analysis.yaml"
    threads: 1
    resources:
        mem_mb=megabytes(340),
        runtime=10,
        gpu=0,
    params:
        networks=ask(lambda dataset: PLAN.recordings.instances(dataset)[1]),
        code=code("compare_instances"),
    message:
        "Trained and untrained instances compared on {wildcards.dataset}"
    script:
        "../scripts/compare_instances.py"


rule compare_choices:
    """Changes from stage to stage by every choice of measure, and the share that agrees."""
    input:
        unpack(ask(PLAN.recordings.choices)),
    output:
        choices=PATHS["multiverse"],
    log:
        "<logs>/compare_choices/{dataset}.log",
    benchmark:
        "<benchmarks>/compare_choices/{dataset}.tsv"
    conda:
        "../../envs/analysis.yaml"
    threads: 1
    resources:
        mem_mb=megabytes(400),
        runtime=10,
        gpu=0,
    params:
        code=code("compare_choices"),
    message:
        "Changes between layers by every choice of measure on {wildcards.dataset}"
    script:
        "../scripts/compare_choices.py"

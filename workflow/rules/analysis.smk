"""From activations to tables."""


rule measure_geometry:
    input:
        stimuli=ask(PLAN.face_sets.measured),
        sources=ask(PLAN.recordings.geometry_sources),
        joined=ask(PLAN.recordings.joined_activations),
    output:
        geometry=PATHS["geometry"],
    log:
        "<logs>/measure_geometry/{dataset}/{network}/seed-{seed}.log",
    benchmark:
        "<benchmarks>/measure_geometry/{dataset}/{network}/seed-{seed}.tsv"
    # Before further recordings, whose wide files would pile up on the disk.
    priority: 10
    conda:
        "../../envs/analysis.yaml"
    threads: ask(PLAN.resources.geometry_threads)
    resources:
        mem_mb=megabytes(PLAN.resources.geometry),
        runtime=120,
        gpu=0,
    params:
        components=ask(PLAN.recordings.components_kept),
        code=code("measure_geometry"),
    message:
        "Geometry of {wildcards.network}, seed {wildcards.seed}, on {wildcards.dataset}"
    script:
        "../scripts/measure_geometry.py"


rule score_separability:
    input:
        stimuli=ask(PLAN.face_sets.measured),
        geometry=PATHS["geometry"],
        predictions=ask(PLAN.face_sets.label_predictions),
    output:
        scores=PATHS["separability"],
    log:
        "<logs>/score_separability/{dataset}/{network}/seed-{seed}.log",
    benchmark:
        "<benchmarks>/score_separability/{dataset}/{network}/seed-{seed}.tsv"
    conda:
        "../../envs/analysis.yaml"
    threads: 1
    resources:
        mem_mb=megabytes(PLAN.resources.measure, function=memory.separability),
        runtime=60,
        gpu=0,
    params:
        stages=lambda wildcards: CONFIG.networks[wildcards.network].stages,
        labels=CONFIG.analysis.labels,
        components=CONFIG.analysis.components,
        permutations=CONFIG.analysis.permutations,
        pictures_per_person=CONFIG.analysis.pictures_per_person,
        code=code("score_separability"),
    message:
        "Silhouettes of {wildcards.network}, seed {wildcards.seed}, on {wildcards.dataset}"
    script:
        "../scripts/score_separability.py"


rule embed_umap:
    input:
        stimuli=ask(PLAN.face_sets.measured),
        geometry=PATHS["geometry"],
        predictions=ask(PLAN.face_sets.label_predictions),
    output:
        embedding=PATHS["embedding"],
        scores=PATHS["embedding_scores"],
    log:
        "<logs>/embed_umap/{dataset}/{network}/seed-{seed}.log",
    benchmark:
        "<benchmarks>/embed_umap/{dataset}/{network}/seed-{seed}.tsv"
    conda:
        "../../envs/analysis.yaml"
    threads: 1
    resources:
        mem_mb=megabytes(PLAN.resources.measure, function=memory.embedding),
        runtime=120,
        gpu=0,
    params:
        stages=lambda wildcards: CONFIG.networks[wildcards.network].stages,
        wanted=ask(PLAN.networks.mapped_stages),
        labels=CONFIG.analysis.labels,
        neighbours=CONFIG.analysis.umap.neighbours,
        min_dist=CONFIG.analysis.umap.min_dist,
        seed=CONFIG.analysis.umap.seed,
        code=code("embed_umap"),
    message:
        "UMAP of {wildcards.network}, seed {wildcards.seed}, on {wildcards.dataset}"
    script:
        "../scripts/embed_umap.py"


rule regress_affect:
    input:
        stimuli=ask(PLAN.face_sets.measured),
        geometry=PATHS["geometry"],
        predictions=ask(PLAN.recordings.affect_predictions),
    output:
        regressions=PATHS["affect"],
    log:
        "<logs>/regress_affect/{dataset}/{network}/seed-{seed}.log",
    benchmark:
        "<benchmarks>/regress_affect/{dataset}/{network}/seed-{seed}.tsv"
    conda:
        "../../envs/analysis.yaml"
    threads: 1
    resources:
        mem_mb=megabytes(PLAN.resources.measure, function=memory.regression),
        runtime=30,
        gpu=0,
    params:
        stages=lambda wildcards: CONFIG.networks[wildcards.network].stages,
        code=code("regress_affect"),
    message:
        "Components and affect of {wildcards.network}, seed {wildcards.seed}, on {wildcards.dataset}"
    script:
        "../scripts/regress_affect.py"


rule partition_variance:
    input:
        stimuli=ask(PLAN.face_sets.measured),
        geometry=PATHS["geometry"],
        predictions=ask(PLAN.face_sets.label_predictions),
    output:
        shares=PATHS["partition"],
    log:
        "<logs>/partition_variance/{dataset}/{network}/seed-{seed}.log",
    benchmark:
        "<benchmarks>/partition_variance/{dataset}/{network}/seed-{seed}.tsv"
    conda:
        "../../envs/analysis.yaml"
    threads: 1
    resources:
        mem_mb=megabytes(PLAN.resources.measure, function=memory.partition),
        runtime=30,
        gpu=0,
    params:
        stages=lambda wildcards: CONFIG.networks[wildcards.network].stages,
        components=ask(PLAN.recordings.partition_components),
        resamples=1000,
        code=code("partition_variance"),
    message:
        "Shares of variance of {wildcards.network}, seed {wildcards.seed}, on {wildcards.dataset}"
    script:
        "../scripts/partition_variance.py"


rule decode_labels:
    input:
        stimuli=ask(PLAN.face_sets.measured),
        geometry=PATHS["geometry"],
        predictions=ask(PLAN.face_sets.label_predictions),
    output:
        decoding=PATHS["decoding"],
    log:
        "<logs>/decode_labels/{dataset}/{network}/seed-{seed}.log",
    benchmark:
        "<benchmarks>/decode_labels/{dataset}/{network}/seed-{seed}.tsv"
    conda:
        "../../envs/analysis.yaml"
    threads: 1
    resources:
        mem_mb=megabytes(PLAN.resources.measure, function=memory.decoding),
        runtime=120,
        gpu=0,
    params:
        stages=lambda wildcards: CONFIG.networks[wildcards.network].stages,
        labels=CONFIG.analysis.decoding.labels,
        components=CONFIG.analysis.components,
        permutations=CONFIG.analysis.permutations,
        folds=CONFIG.analysis.decoding.folds,
        code=code("decode_labels"),
    message:
        "Decode {wildcards.network}, seed {wildcards.seed}, on {wildcards.dataset}"
    script:
        "../scripts/decode_labels.py"


rule correlate_rdms:
    input:
        stimuli=ask(PLAN.face_sets.measured),
        geometry=PATHS["geometry"],
        predictions=ask(PLAN.face_sets.label_predictions),
    output:
        correlations=PATHS["rsa"],
    log:
        "<logs>/correlate_rdms/{dataset}/{network}/seed-{seed}.log",
    benchmark:
        "<benchmarks>/correlate_rdms/{dataset}/{network}/seed-{seed}.tsv"
    conda:
        "../../envs/analysis.yaml"
    threads: 1
    resources:
        mem_mb=megabytes(PLAN.resources.measure, function=memory.correlation),
        runtime=120,
        gpu=0,
    params:
        stages=lambda wildcards: CONFIG.networks[wildcards.network].stages,
        components=["all"],
        permutations=CONFIG.analysis.permutations,
        code=code("correlate_rdms"),
    message:
        "Distances and models of {wildcards.network}, seed {wildcards.seed}, on {wildcards.dataset}"
    script:
        "../scripts/correlate_rdms.py"


rule compare_layers:
    input:
        stimuli=ask(PLAN.face_sets.measured),
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


rule explain_gradcam:
    input:
        stimuli=ask(PLAN.face_sets.measured),
        weights=ask(PLAN.networks.inputs, product="attribution"),
        predictions=ask(PLAN.face_sets.label_predictions),
    output:
        maps=PATHS["attribution"],
        shares=PATHS["attribution_shares"],
    log:
        "<logs>/explain_gradcam/{dataset}/{network}/seed-{seed}.log",
    benchmark:
        "<benchmarks>/explain_gradcam/{dataset}/{network}/seed-{seed}.tsv"
    conda:
        environment(PLAN.networks.framework)
    threads: 1
    resources:
        mem_mb=megabytes(PLAN.resources.gradient),
        runtime=60,
        gpu=CONFIG.analysis.gpu,
    params:
        network=lambda wildcards: CONFIG.networks[wildcards.network].source,
        weights=ask(PLAN.networks.weights_file),
        stages=lambda wildcards: CONFIG.networks[wildcards.network].stages,
        classes=lambda wildcards: CONFIG.networks[wildcards.network].output_classes,
        layers=lambda wildcards: CONFIG.networks[wildcards.network].gradcam,
        faces=CONFIG.analysis.gradcam_faces,
        margin=ask(PLAN.face_sets.crop_margin),
        code=network_code("explain_gradcam"),
    message:
        "Grad-CAM of {wildcards.network}, seed {wildcards.seed}, on {wildcards.dataset}"
    script:
        "../scripts/explain_gradcam.py"

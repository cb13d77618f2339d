"""From activations to tables."""


rule measure_geometry:
    input:
        stimuli=measured_stimuli,
        sources=geometry_sources,
        joined=joined_activations,
    output:
        geometry="<results>/geometry/{dataset}/{network}/seed-{seed}.h5",
    log:
        "<logs>/measure_geometry/{dataset}/{network}/seed-{seed}.log",
    benchmark:
        "<benchmarks>/measure_geometry/{dataset}/{network}/seed-{seed}.tsv"
    # Before further recordings, whose wide files would pile up on the disk.
    priority: 10
    conda:
        "../../envs/analysis.yaml"
    threads: geometry_threads
    resources:
        mem_mb=geometry_mb,
        runtime=120,
        gpu=0,
    params:
        components=components_kept,
        code=code("measure_geometry"),
    message:
        "Geometry of {wildcards.network}, seed {wildcards.seed}, on {wildcards.dataset}"
    script:
        "../scripts/measure_geometry.py"


rule score_separability:
    input:
        stimuli=measured_stimuli,
        geometry="<results>/geometry/{dataset}/{network}/seed-{seed}.h5",
        predictions=label_predictions,
    output:
        scores="<results>/separability/{dataset}/{network}/seed-{seed}.csv",
    log:
        "<logs>/score_separability/{dataset}/{network}/seed-{seed}.log",
    benchmark:
        "<benchmarks>/score_separability/{dataset}/{network}/seed-{seed}.tsv"
    conda:
        "../../envs/analysis.yaml"
    threads: 1
    resources:
        mem_mb=separability_mb,
        runtime=60,
        gpu=0,
    params:
        stages=network_stages,
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
        stimuli=measured_stimuli,
        geometry="<results>/geometry/{dataset}/{network}/seed-{seed}.h5",
        predictions=label_predictions,
    output:
        embedding="<results>/embeddings/{dataset}/{network}/seed-{seed}.h5",
        scores="<results>/embeddings/{dataset}/{network}/seed-{seed}.csv",
    log:
        "<logs>/embed_umap/{dataset}/{network}/seed-{seed}.log",
    benchmark:
        "<benchmarks>/embed_umap/{dataset}/{network}/seed-{seed}.tsv"
    conda:
        "../../envs/analysis.yaml"
    threads: 1
    resources:
        mem_mb=embedding_mb,
        runtime=120,
        gpu=0,
    params:
        stages=network_stages,
        wanted=mapped_stages,
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
        stimuli=measured_stimuli,
        geometry="<results>/geometry/{dataset}/{network}/seed-{seed}.h5",
        predictions=affect_predictions,
    output:
        regressions="<results>/affect/{dataset}/{network}/seed-{seed}.csv",
    log:
        "<logs>/regress_affect/{dataset}/{network}/seed-{seed}.log",
    benchmark:
        "<benchmarks>/regress_affect/{dataset}/{network}/seed-{seed}.tsv"
    conda:
        "../../envs/analysis.yaml"
    threads: 1
    resources:
        mem_mb=regression_mb,
        runtime=30,
        gpu=0,
    params:
        stages=network_stages,
        code=code("regress_affect"),
    message:
        "Components and affect of {wildcards.network}, seed {wildcards.seed}, on {wildcards.dataset}"
    script:
        "../scripts/regress_affect.py"


rule partition_variance:
    input:
        stimuli=measured_stimuli,
        geometry="<results>/geometry/{dataset}/{network}/seed-{seed}.h5",
        predictions=label_predictions,
    output:
        shares="<results>/partition/{dataset}/{network}/seed-{seed}.csv",
    log:
        "<logs>/partition_variance/{dataset}/{network}/seed-{seed}.log",
    benchmark:
        "<benchmarks>/partition_variance/{dataset}/{network}/seed-{seed}.tsv"
    conda:
        "../../envs/analysis.yaml"
    threads: 1
    resources:
        mem_mb=partition_mb,
        runtime=30,
        gpu=0,
    params:
        stages=network_stages,
        components=partition_components,
        resamples=1000,
        code=code("partition_variance"),
    message:
        "Shares of variance of {wildcards.network}, seed {wildcards.seed}, on {wildcards.dataset}"
    script:
        "../scripts/partition_variance.py"


rule decode_labels:
    input:
        stimuli=measured_stimuli,
        geometry="<results>/geometry/{dataset}/{network}/seed-{seed}.h5",
        predictions=label_predictions,
    output:
        decoding="<results>/decoding/{dataset}/{network}/seed-{seed}.csv",
    log:
        "<logs>/decode_labels/{dataset}/{network}/seed-{seed}.log",
    benchmark:
        "<benchmarks>/decode_labels/{dataset}/{network}/seed-{seed}.tsv"
    conda:
        "../../envs/analysis.yaml"
    threads: 1
    resources:
        mem_mb=decoding_mb,
        runtime=120,
        gpu=0,
    params:
        stages=network_stages,
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
        stimuli=measured_stimuli,
        geometry="<results>/geometry/{dataset}/{network}/seed-{seed}.h5",
        predictions=label_predictions,
    output:
        correlations="<results>/rsa/{dataset}/{network}/seed-{seed}.csv",
    log:
        "<logs>/correlate_rdms/{dataset}/{network}/seed-{seed}.log",
    benchmark:
        "<benchmarks>/correlate_rdms/{dataset}/{network}/seed-{seed}.tsv"
    conda:
        "../../envs/analysis.yaml"
    threads: 1
    resources:
        mem_mb=correlation_mb,
        runtime=120,
        gpu=0,
    params:
        stages=network_stages,
        components=["all"],
        permutations=CONFIG.analysis.permutations,
        code=code("correlate_rdms"),
    message:
        "Distances and models of {wildcards.network}, seed {wildcards.seed}, on {wildcards.dataset}"
    script:
        "../scripts/correlate_rdms.py"


rule compare_layers:
    input:
        stimuli=measured_stimuli,
        geometry=compared_geometry,
    output:
        similarities="<results>/cka/{dataset}.csv",
    log:
        "<logs>/compare_layers/{dataset}.log",
    benchmark:
        "<benchmarks>/compare_layers/{dataset}.tsv"
    conda:
        "../../envs/analysis.yaml"
    threads: 1
    resources:
        mem_mb=comparison_mb,
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
        unpack(instances_files),
    output:
        instances="<results>/instances/{dataset}.csv",
    log:
        "<logs>/compare_instances/{dataset}.log",
    benchmark:
        "<benchmarks>/compare_instances/{dataset}.tsv"
    conda:
        "../../envs/analysis.yaml"
    threads: 1
    resources:
        mem_mb=more_at_each_attempt(340),
        runtime=10,
        gpu=0,
    params:
        networks=lambda wildcards: PLAN.instances_of(wildcards.dataset).said,
        code=code("compare_instances"),
    message:
        "Trained and untrained instances compared on {wildcards.dataset}"
    script:
        "../scripts/compare_instances.py"


rule explain_gradcam:
    input:
        stimuli=measured_stimuli,
        weights=explainer_inputs,
        predictions=label_predictions,
    output:
        maps="<results>/attribution/{dataset}/{network}/seed-{seed}.h5",
        shares="<results>/attribution/{dataset}/{network}/seed-{seed}.csv",
    log:
        "<logs>/explain_gradcam/{dataset}/{network}/seed-{seed}.log",
    benchmark:
        "<benchmarks>/explain_gradcam/{dataset}/{network}/seed-{seed}.tsv"
    conda:
        network_environment
    threads: 1
    resources:
        mem_mb=gradient_mb,
        runtime=60,
        gpu=CONFIG.analysis.gpu,
    params:
        network=network_source,
        weights=network_weights,
        stages=network_stages,
        classes=lambda wildcards: CONFIG.networks[wildcards.network].output_classes,
        layers=lambda wildcards: CONFIG.networks[wildcards.network].gradcam,
        faces=CONFIG.analysis.gradcam_faces,
        margin=crop_margin,
        code=network_code("explain_gradcam"),
    message:
        "Grad-CAM of {wildcards.network}, seed {wildcards.seed}, on {wildcards.dataset}"
    script:
        "../scripts/explain_gradcam.py"

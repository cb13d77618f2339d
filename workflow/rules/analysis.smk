"""From activations to tables."""


rule measure_geometry:
    input:
        stimuli="<results>/stimuli/{dataset}.h5",
        activations="<results>/activations/{dataset}/{network}/seed-{seed}.h5",
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
    threads: 1
    resources:
        mem_mb=2000,
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
        stimuli="<results>/stimuli/{dataset}.h5",
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
        mem_mb=2000,
        runtime=60,
        gpu=0,
    params:
        stages=network_stages,
        labels=CONFIG.analysis.labels,
        components=CONFIG.analysis.components,
        permutations=CONFIG.analysis.permutations,
        code=code("score_separability"),
    message:
        "Silhouettes of {wildcards.network}, seed {wildcards.seed}, on {wildcards.dataset}"
    script:
        "../scripts/score_separability.py"

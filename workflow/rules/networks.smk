"""Networks: weights, layers, and what they answer."""


rule train_network:
    input:
        stimuli=training_data,
    output:
        model="<results>/networks/{network}/seed-{seed}/model.keras",
        history="<results>/networks/{network}/seed-{seed}/history.csv",
        metrics="<results>/networks/{network}/seed-{seed}/metrics.json",
    log:
        "<logs>/train_network/{network}/seed-{seed}.log",
    benchmark:
        "<benchmarks>/train_network/{network}/seed-{seed}.tsv"
    # First of all: every other job of these networks waits for it.
    priority: 20
    conda:
        training_environment
    threads: training_threads
    resources:
        mem_mb=training_mb,
        runtime=24 * 60,
        gpu=CONFIG.analysis.gpu,
    params:
        network=network_source,
        training=training_recipe,
        checkpoint=training_checkpoint,
        code=network_code("train_network"),
    message:
        "Train {wildcards.network}, seed {wildcards.seed}"
    script:
        "../scripts/train_network.py"


rule fetch_keras_weights:
    # Once, before any job needs them: Keras has one cache, in the user's home.
    output:
        fetched=touch("<resources>/keras/{architecture}.fetched"),
    log:
        "<logs>/fetch_keras_weights/{architecture}.log",
    benchmark:
        "<benchmarks>/fetch_keras_weights/{architecture}.tsv"
    localrule: True
    conda:
        "../../envs/tensorflow.yaml"
    threads: 1
    resources:
        mem_mb=3000,
        runtime=60,
        gpu=0,
    params:
        code=code("fetch_keras_weights"),
    message:
        "Fetch the ImageNet weights of {wildcards.architecture}"
    script:
        "../scripts/fetch_keras_weights.py"


rule describe_layers:
    input:
        weights=description_inputs,
    output:
        layers="<results>/layers/{network}.csv",
    log:
        "<logs>/describe_layers/{network}.log",
    benchmark:
        "<benchmarks>/describe_layers/{network}.tsv"
    conda:
        network_environment
    threads: 1
    resources:
        mem_mb=description_mb,
        runtime=10,
        gpu=0,
    params:
        network=network_source,
        weights=description_weights,
        stages=network_stages,
        code=network_code("describe_layers"),
    message:
        "Layers of {wildcards.network}"
    script:
        "../scripts/describe_layers.py"


rule list_layers:
    input:
        layers=listed_layers,
    log:
        "<logs>/list_layers.log",
    localrule: True
    conda:
        "../../envs/analysis.yaml"
    threads: 1
    resources:
        mem_mb=500,
        runtime=10,
        gpu=0,
    params:
        dataset=listed_dataset(),
        stimuli=lambda wildcards: f"{CONFIG.results}/stimuli/{listed_dataset()}.h5",
    message:
        "Layers of the network that --config network=NAME names"
    script:
        "../scripts/list_layers.py"


rule predict_expressions:
    input:
        stimuli=measured_stimuli,
        weights=predictor_inputs,
    output:
        predictions="<results>/predictions/{dataset}/{network}/seed-{seed}.csv",
    log:
        "<logs>/predict_expressions/{dataset}/{network}/seed-{seed}.log",
    benchmark:
        "<benchmarks>/predict_expressions/{dataset}/{network}/seed-{seed}.tsv"
    conda:
        network_environment
    threads: forward_threads
    resources:
        mem_mb=forward_mb,
        runtime=prediction_minutes,
        gpu=CONFIG.analysis.gpu,
    params:
        network=network_source,
        weights=network_weights,
        layer=lambda wildcards: list(network_stages(wildcards).values())[-1],
        classes=lambda wildcards: CONFIG.networks[wildcards.network].output_classes,
        affect=lambda wildcards: CONFIG.networks[wildcards.network].affect,
        code=network_code("predict_expressions"),
    message:
        "{wildcards.network} names the expressions of {wildcards.dataset}"
    script:
        "../scripts/predict_expressions.py"

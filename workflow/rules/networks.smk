"""Networks: weights, layers, predictions and Grad-CAM."""


rule train_network:
    """Weights, history and metrics. An interrupted training goes on at its last epoch."""
    input:
        stimuli=ask(PLAN.networks.training_data, product="stimuli"),
        labels=ask(PLAN.networks.training_data, product="labels"),
    output:
        model=PATHS["model"],
        history=PATHS["history"],
        metrics=PATHS["metrics"],
    log:
        "<logs>/train_network/{network}/seed-{seed}.log",
    benchmark:
        "<benchmarks>/train_network/{network}/seed-{seed}.tsv"
    # Training comes first, as every other job of these networks waits for it.
    priority: 20
    conda:
        environment(PLAN.networks.training_backend)
    threads: ask(PLAN.resources.training_threads)
    resources:
        mem_mb=megabytes(PLAN.resources.training),
        runtime=24 * 60,
        gpu=CONFIG.analysis.gpu,
    params:
        network=lambda wildcards: CONFIG.networks[wildcards.network].source,
        training=ask(PLAN.networks.training_recipe),
        checkpoint=ask(PLAN.networks.training_checkpoint),
        code=network_code("train_network"),
    message:
        "Train {wildcards.network}, seed {wildcards.seed}"
    script:
        "../scripts/train_network.py"


rule fetch_zoo_weights:
    """Weights that timm, torchvision or Keras Applications download, with a digest."""

    # Fetched once, before any job needs them: each library has one cache, in the user's home, and
    # nodes of a cluster often have no connection.
    output:
        fetched=PATHS["zoo_weights"],
    log:
        "<logs>/fetch_zoo_weights/{zoo}/{model}.log",
    benchmark:
        "<benchmarks>/fetch_zoo_weights/{zoo}/{model}.tsv"
    localrule: True
    conda:
        environment(PLAN.networks.zoo_framework)
    threads: 1
    resources:
        mem_mb=3000,
        runtime=60,
        gpu=0,
    params:
        version=ask(PLAN.networks.zoo_version),
        code=[code("fetch_zoo_weights"), library_code("networks", "zoos.py")],
    message:
        "Fetch the weights of {wildcards.model} ({wildcards.zoo})"
    script:
        "../scripts/fetch_zoo_weights.py"


rule describe_layers:
    """Every layer of a network: its kind, shape, parameters and stage."""
    input:
        weights=ask(PLAN.networks.description_inputs),
    output:
        layers=PATHS["layers"],
    log:
        "<logs>/describe_layers/{network}.log",
    benchmark:
        "<benchmarks>/describe_layers/{network}.tsv"
    conda:
        environment(PLAN.networks.framework)
    threads: 1
    resources:
        mem_mb=megabytes(PLAN.resources.description),
        runtime=10,
        gpu=0,
    params:
        network=lambda wildcards: CONFIG.networks[wildcards.network].source,
        weights=ask(PLAN.networks.description_weights),
        given=ask(PLAN.networks.description_given),
        stages=ask(PLAN.networks.stages),
        code=network_code("describe_layers"),
    message:
        "Layers of {wildcards.network}"
    script:
        "../scripts/describe_layers.py"


rule list_layers:
    """Prints the layers of one network: --config network=NAME."""
    input:
        layers=ask(PLAN.networks.listed_layers),
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
        dataset=PLAN.face_sets.listed(),
        stimuli=PLAN.face_sets.whole(PLAN.face_sets.listed()),
    message:
        "Layers of the network that --config network=NAME names"
    script:
        "../scripts/list_layers.py"


rule predict_expressions:
    """What a network sees in each picture of a face set."""
    input:
        stimuli=ask(PLAN.face_sets.measured),
        weights=ask(PLAN.networks.inputs),
    output:
        predictions=PATHS["predictions"],
    log:
        "<logs>/predict_expressions/{dataset}/{network}/seed-{seed}.log",
    benchmark:
        "<benchmarks>/predict_expressions/{dataset}/{network}/seed-{seed}.tsv"
    conda:
        environment(PLAN.networks.framework)
    threads: ask(PLAN.resources.forward_threads)
    resources:
        mem_mb=megabytes(PLAN.resources.forward),
        runtime=ask(PLAN.resources.prediction_minutes),
        gpu=CONFIG.analysis.gpu,
    params:
        network=lambda wildcards: CONFIG.networks[wildcards.network].source,
        weights=ask(PLAN.networks.weights_file),
        layer=ask(PLAN.networks.last_stage),
        classes=lambda wildcards: CONFIG.networks[wildcards.network].output_classes,
        affect=lambda wildcards: CONFIG.networks[wildcards.network].affect,
        given=ask(PLAN.networks.given, product="predictions"),
        code=network_code("predict_expressions"),
    message:
        "{wildcards.network} names the expressions of {wildcards.dataset}"
    script:
        "../scripts/predict_expressions.py"


rule explain_gradcam:
    """Grad-CAM maps: where in a picture an answer comes from."""
    input:
        stimuli=ask(PLAN.face_sets.measured),
        weights=ask(PLAN.networks.inputs),
    output:
        maps=PATHS["attribution"],
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
        stages=ask(PLAN.networks.stages),
        classes=lambda wildcards: CONFIG.networks[wildcards.network].output_classes,
        layers=lambda wildcards: CONFIG.networks[wildcards.network].gradcam,
        faces=CONFIG.analysis.gradcam_faces,
        margin=ask(PLAN.face_sets.crop_margin),
        given=ask(PLAN.networks.given, product="attribution"),
        code=network_code("explain_gradcam"),
    message:
        "Grad-CAM of {wildcards.network}, seed {wildcards.seed}, on {wildcards.dataset}"
    script:
        "../scripts/explain_gradcam.py"

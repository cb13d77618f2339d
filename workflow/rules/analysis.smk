"""From activations to tables."""


rule measure_geometry:
    """Gram matrix, spectrum and principal components of each layer."""
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
    # Runs before further recordings, whose wide files would pile up on the disk.
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
        # Its note tells of the weights when the recordings are gone.
        given=ask(PLAN.networks.given, product="geometry"),
        code=code("measure_geometry"),
    message:
        "Geometry of {wildcards.network}, seed {wildcards.seed}, on {wildcards.dataset}"
    script:
        "../scripts/measure_geometry.py"


def add_measure(
    measure,
    message,
    leaves,
    outputs,
    megabytes_of,
    minutes,
    predictions=PLAN.face_sets.label_predictions,
    **settings,
):
    """Add the rule that measures all layers of a network on a face set.

    `leaves` says what the rule makes; the last output is the table. A function adds each rule,
    because rules that are added in a loop would all run the script of the last one.
    """

    rule:
        name:
            measure
        input:
            stimuli=ask(PLAN.face_sets.measured),
            labels=PATHS["labels"],
            geometry=PATHS["geometry"],
            predictions=ask(predictions),
        output:
            **outputs,
        log:
            f"<logs>/{measure}/{{dataset}}/{{network}}/seed-{{seed}}.log",
        benchmark:
            f"<benchmarks>/{measure}/{{dataset}}/{{network}}/seed-{{seed}}.tsv"
        conda:
            "../../envs/analysis.yaml"
        threads: 1
        resources:
            mem_mb=megabytes(PLAN.resources.measure, function=megabytes_of),
            runtime=minutes,
            gpu=0,
        params:
            **settings,
            stages=ask(PLAN.networks.stages),
            code=code(measure),
        message:
            f"{message} {{wildcards.network}}, seed {{wildcards.seed}}, on {{wildcards.dataset}}"
        script:
            f"../scripts/{measure}.py"

    # Snakemake takes a rule's description from literal text alone.
    list(workflow.rules)[-1].docstring = leaves


add_measure(
    "score_separability",
    "Silhouettes of",
    "Silhouettes by five measures, their nulls and intervals.",
    {"people": PATHS["separability_people"], "scores": PATHS["separability"]},
    memory.separability,
    minutes=60,
    labels=CONFIG.analysis.labels,
    components=CONFIG.analysis.components,
    permutations=PLAN.recordings.permutations(),
)
add_measure(
    "score_subsamples",
    "Identity in subsamples of",
    "Silhouettes of identity on equally many people and pictures.",
    {"silhouettes": PATHS["subsamples"]},
    memory.separability,
    minutes=60,
    components=CONFIG.figures.fig4.components,
    pictures=CONFIG.analysis.pictures_per_person,
    people=CONFIG.analysis.people,
)
add_measure(
    "embed_umap",
    "UMAP of",
    "UMAP of layers; silhouettes and axes of the maps.",
    {"embedding": PATHS["embedding"], "scores": PATHS["embedding_scores"]},
    memory.embedding,
    minutes=120,
    wanted=ask(PLAN.networks.mapped_stages),
    labels=CONFIG.analysis.labels,
    neighbours=CONFIG.analysis.umap.neighbours,
    min_dist=CONFIG.analysis.umap.min_dist,
    seed=CONFIG.analysis.umap.seed,
)
add_measure(
    "regress_affect",
    "Components and affect of",
    "PC1 and PC2 on valence and arousal, over pictures and over identities; "
    "curvature, eigengap, stability.",
    {"regressions": PATHS["affect"]},
    memory.regression,
    minutes=30,
    predictions=PLAN.recordings.affect_predictions,
)
add_measure(
    "partition_variance",
    "Shares of variance of",
    "Variance partitioning into identity, valence-arousal and category.",
    {"shares": PATHS["partition"]},
    memory.partition,
    minutes=30,
    components=ask(PLAN.recordings.partition_components),
    resamples=1000,
)
add_measure(
    "decode_labels",
    "Decode",
    "Identity, expression, sex, valence and arousal decoded from held-out pictures.",
    {"decoding": PATHS["decoding"]},
    memory.decoding,
    minutes=120,
    labels=CONFIG.analysis.decoding.labels,
    components=CONFIG.analysis.components,
    permutations=PLAN.recordings.permutations(),
    folds=CONFIG.analysis.decoding.folds,
)
add_measure(
    "correlate_rdms",
    "Distances and models of",
    "RSA with models of identity, expression and affect.",
    {"correlations": PATHS["rsa"]},
    memory.correlation,
    minutes=120,
    components=["all"],
    permutations=CONFIG.analysis.permutations,
)
add_measure(
    "compare_subspaces",
    "Subspaces of identity and expression of",
    "The angle between the subspaces of identity and expression, what "
    "erasing one does to the other, and what generalises.",
    {"people": PATHS["subspaces_people"], "subspaces": PATHS["subspaces"]},
    memory.subspaces,
    minutes=30,
    folds=CONFIG.analysis.decoding.folds,
)


rule summarise_gradcam:
    """Shares of the Grad-CAM maps on eyes, brows and mouth, by expression."""
    input:
        stimuli=ask(PLAN.face_sets.measured),
        labels=PATHS["labels"],
        maps=PATHS["attribution"],
        predictions=ask(PLAN.face_sets.label_predictions),
    output:
        shares=PATHS["attribution_shares"],
    log:
        "<logs>/summarise_gradcam/{dataset}/{network}/seed-{seed}.log",
    benchmark:
        "<benchmarks>/summarise_gradcam/{dataset}/{network}/seed-{seed}.tsv"
    conda:
        "../../envs/analysis.yaml"
    threads: 1
    resources:
        mem_mb=megabytes(200),
        runtime=10,
        gpu=0,
    params:
        stages=ask(PLAN.networks.stages),
        code=code("summarise_gradcam"),
    message:
        "Grad-CAM by expression: {wildcards.network}, seed {wildcards.seed}, on {wildcards.dataset}"
    script:
        "../scripts/summarise_gradcam.py"

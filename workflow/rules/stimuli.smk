"""From outside assets and the user's files to face sets."""


rule fetch_asset:
    """A file or folder from outside, checked by size and SHA-256."""
    output:
        folder=directory(PATHS["asset"]),
    log:
        "<logs>/fetch_asset/{asset}.log",
    benchmark:
        "<benchmarks>/fetch_asset/{asset}.tsv"
    localrule: True
    conda:
        "../../envs/analysis.yaml"
    threads: 1
    resources:
        mem_mb=75,
        runtime=30,
        gpu=0,
    params:
        entry=ask(PLAN.asset_entry),
        local=lambda wildcards: CONFIG.assets.get(wildcards.asset),
        downloads=PLAN.path("asset", asset="downloads"),
    message:
        "Fetch asset {wildcards.asset}"
    script:
        "../scripts/fetch_asset.py"


rule extract_frames:
    """Chosen frames of one video of DISFA."""
    input:
        detector=ask(PLAN.face_sets.frames_detector),
    output:
        frames=PATHS["frames"],
    log:
        "<logs>/extract_frames/{dataset}/{subject}.log",
    benchmark:
        "<benchmarks>/extract_frames/{dataset}/{subject}.tsv"
    conda:
        "../../envs/analysis.yaml"
    threads: ask(PLAN.resources.extraction_threads)
    resources:
        mem_mb=megabytes(240),
        runtime=60,
        gpu=0,
    params:
        entry=ask(PLAN.face_sets.frames_entry),
        given=ask(PLAN.face_sets.frames_given),
        code=code("extract_frames"),
    message:
        "Frames of {wildcards.subject} for {wildcards.dataset}"
    script:
        "../scripts/extract_frames.py"


rule prepare_stimuli:
    """The pictures of a face set, as networks are shown them."""
    input:
        source=ask(PLAN.face_sets.source),
        detector=ask(PLAN.face_sets.detector),
    output:
        stimuli=PATHS["stimuli"],
    log:
        "<logs>/prepare_stimuli/{dataset}.log",
    benchmark:
        "<benchmarks>/prepare_stimuli/{dataset}.tsv"
    conda:
        "../../envs/analysis.yaml"
    threads: ask(PLAN.resources.preparation_threads)
    resources:
        mem_mb=megabytes(PLAN.resources.preparation),
        runtime=240,
        gpu=0,
    params:
        entry=ask(PLAN.face_sets.entry),
        given=ask(PLAN.face_sets.given),
        code=preparation_code,
    message:
        "Prepare face set {wildcards.dataset}"
    script:
        "../scripts/prepare_stimuli.py"


rule prepare_labels:
    """The labels of a face set, and the source of every label."""
    input:
        stimuli=PATHS["stimuli"],
    output:
        labels=PATHS["labels"],
    log:
        "<logs>/prepare_labels/{dataset}.log",
    benchmark:
        "<benchmarks>/prepare_labels/{dataset}.tsv"
    conda:
        "../../envs/analysis.yaml"
    threads: 1
    resources:
        mem_mb=megabytes(150),
        runtime=30,
        gpu=0,
    params:
        entry=ask(PLAN.face_sets.label_entry),
        given=ask(PLAN.face_sets.labels_given),
        code=label_code("prepare_labels"),
    message:
        "Labels of face set {wildcards.dataset}"
    script:
        "../scripts/prepare_labels.py"


rule sample_stimuli:
    """Every k-th picture of each identity of a face set that is too large to be measured whole."""

    # Who is on the pictures decides the sample. Other labels do not, so their file is no input.
    input:
        stimuli=PATHS["stimuli"],
    output:
        stimuli=PATHS["sample"],
    log:
        "<logs>/sample_stimuli/{dataset}.log",
    benchmark:
        "<benchmarks>/sample_stimuli/{dataset}.tsv"
    conda:
        "../../envs/analysis.yaml"
    threads: 1
    resources:
        mem_mb=megabytes(240),
        runtime=30,
        gpu=0,
    params:
        every=ask(PLAN.face_sets.sampling_step),
        entry=ask(PLAN.face_sets.people_entry),
        given=ask(PLAN.face_sets.sample_given),
        code=label_code("sample_stimuli"),
    message:
        "Every {params.every}. picture of each person of {wildcards.dataset}"
    script:
        "../scripts/sample_stimuli.py"


rule report_stimuli:
    """What a face set consists of, what was left out and why; and a contact sheet."""
    input:
        stimuli=PATHS["stimuli"],
        labels=PATHS["labels"],
        predictions=ask(PLAN.face_sets.report_predictions),
        labels_from=ask(PLAN.face_sets.sheet_labels),
        measured=ask(PLAN.face_sets.described),
    output:
        json=PATHS["stimuli_report"],
        markdown=PATHS["stimuli_report_page"],
        sheet=report(
            PATHS["contact_sheet"],
            caption="../report/sheet.rst",
            category="Face sets",
            labels={"face set": "{dataset}"},
        ),
    log:
        "<logs>/report_stimuli/{dataset}.log",
    benchmark:
        "<benchmarks>/report_stimuli/{dataset}.tsv"
    conda:
        "../../envs/analysis.yaml"
    threads: 1
    resources:
        mem_mb=megabytes(240),
        runtime=10,
        gpu=0,
    params:
        title=lambda wildcards: CONFIG.datasets[wildcards.dataset].label,
        expression_from=lambda wildcards: CONFIG.datasets[wildcards.dataset].expression_from,
        classes=ask(PLAN.face_sets.report_classes),
        may_show=lambda wildcards: CONFIG.datasets[wildcards.dataset].may_show,
        code=code("report_stimuli"),
    message:
        "Report on face set {wildcards.dataset}"
    script:
        "../scripts/report_stimuli.py"


rule prepare_ratings:
    """Human valence and arousal of other pictures, such as those of OASIS."""
    output:
        ratings=PATHS["ratings"],
    log:
        "<logs>/prepare_ratings/{ratings}.log",
    benchmark:
        "<benchmarks>/prepare_ratings/{ratings}.tsv"
    localrule: True
    conda:
        "../../envs/analysis.yaml"
    threads: 1
    resources:
        mem_mb=130,
        runtime=10,
        gpu=0,
    params:
        path=lambda wildcards: CONFIG.ratings[wildcards.ratings].path,
        given=ask(PLAN.face_sets.ratings_given),
        code=code("prepare_ratings"),
    message:
        "Human ratings {wildcards.ratings}"
    script:
        "../scripts/prepare_ratings.py"


rule check_resources:
    """Tells what a config needs from outside, what is missing, and where to get it."""
    log:
        "<logs>/check_resources.log",
    localrule: True
    conda:
        "../../envs/analysis.yaml"
    threads: 1
    resources:
        mem_mb=500,
        runtime=10,
        gpu=0,
    params:
        config=CONFIG.model_dump(),
        manifest=MANIFEST,
    message:
        "What the config needs from outside"
    script:
        "../scripts/check_resources.py"

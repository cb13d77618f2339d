"""From outside assets and the user's files to face sets."""


rule fetch_asset:
    output:
        folder=directory("<resources>/assets/{asset}"),
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
        entry=asset_entry,
        local=lambda wildcards: CONFIG.assets.get(wildcards.asset),
        downloads=DOWNLOADS,
    message:
        "Fetch asset {wildcards.asset}"
    script:
        "../scripts/fetch_asset.py"


rule extract_frames:
    # The video and the label files decide through `params.files`: as inputs they would be missed
    # where their disk is gone.
    input:
        detector=dataset_detector,
    output:
        frames="<results>/frames/{dataset}/{subject}.h5",
        files="<results>/frames/{dataset}/{subject}.files",
    log:
        "<logs>/extract_frames/{dataset}/{subject}.log",
    benchmark:
        "<benchmarks>/extract_frames/{dataset}/{subject}.tsv"
    conda:
        "../../envs/analysis.yaml"
    threads: extraction_threads
    resources:
        mem_mb=more_at_each_attempt(240),
        runtime=60,
        gpu=0,
    params:
        entry=frames_entry,
        files=video_digest,
        code=code("extract_frames"),
    message:
        "Frames of {wildcards.subject} for {wildcards.dataset}"
    script:
        "../scripts/extract_frames.py"


rule prepare_stimuli:
    input:
        source=dataset_source,
        detector=dataset_detector,
    output:
        stimuli="<results>/stimuli/{dataset}.h5",
        files="<results>/stimuli/{dataset}.files",
    log:
        "<logs>/prepare_stimuli/{dataset}.log",
    benchmark:
        "<benchmarks>/prepare_stimuli/{dataset}.tsv"
    conda:
        "../../envs/analysis.yaml"
    threads: preparation_threads
    resources:
        mem_mb=preparation_mb,
        runtime=240,
        gpu=0,
    params:
        entry=dataset_entry,
        files=dataset_files,
        code=preparation_code,
    message:
        "Prepare face set {wildcards.dataset}"
    script:
        "../scripts/prepare_stimuli.py"


rule sample_stimuli:
    input:
        stimuli="<results>/stimuli/{dataset}.h5",
    output:
        stimuli="<results>/stimuli/{dataset}.sample.h5",
        every="<results>/stimuli/{dataset}.every",
    log:
        "<logs>/sample_stimuli/{dataset}.log",
    benchmark:
        "<benchmarks>/sample_stimuli/{dataset}.tsv"
    conda:
        "../../envs/analysis.yaml"
    threads: 1
    resources:
        mem_mb=more_at_each_attempt(240),
        runtime=30,
        gpu=0,
    params:
        every=lambda wildcards: sampling_step(wildcards.dataset),
        code=code("sample_stimuli"),
    message:
        "Every {params.every}. picture of each person of {wildcards.dataset}"
    script:
        "../scripts/sample_stimuli.py"


rule report_stimuli:
    input:
        stimuli="<results>/stimuli/{dataset}.h5",
        predictions=report_predictions,
        labels=sheet_predictions,
        measured=described_stimuli,
    output:
        json="<results>/stimuli/{dataset}.report.json",
        markdown="<results>/stimuli/{dataset}.report.md",
        sheet=report(
            "<results>/stimuli/{dataset}.sheet.png",
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
        mem_mb=more_at_each_attempt(240),
        runtime=10,
        gpu=0,
    params:
        title=lambda wildcards: CONFIG.datasets[wildcards.dataset].label,
        expression_from=lambda wildcards: CONFIG.datasets[wildcards.dataset].expression_from,
        code=code("report_stimuli"),
    message:
        "Report on face set {wildcards.dataset}"
    script:
        "../scripts/report_stimuli.py"


rule prepare_ratings:
    input:
        path=ratings_file,
    output:
        ratings="<results>/ratings/{ratings}.csv",
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
        code=code("prepare_ratings"),
    message:
        "Human ratings {wildcards.ratings}"
    script:
        "../scripts/prepare_ratings.py"


rule check_resources:
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

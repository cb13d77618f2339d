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
        mem_mb=500,
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


rule prepare_stimuli:
    input:
        source=dataset_source,
    output:
        stimuli="<results>/stimuli/{dataset}.h5",
        files="<results>/stimuli/{dataset}.files",
    log:
        "<logs>/prepare_stimuli/{dataset}.log",
    benchmark:
        "<benchmarks>/prepare_stimuli/{dataset}.tsv"
    conda:
        "../../envs/analysis.yaml"
    threads: 4
    resources:
        mem_mb=2000,
        runtime=60,
        gpu=0,
    params:
        entry=dataset_entry,
        files=dataset_files,
        code=code("prepare_stimuli"),
    message:
        "Prepare face set {wildcards.dataset}"
    script:
        "../scripts/prepare_stimuli.py"

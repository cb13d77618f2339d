"""Activations of layers, recorded or multiplied to Gram matrices at once; whole or in shards."""


rule record_activations:
    """All layers of a network for all pictures of a face set, in one forward pass."""
    input:
        stimuli=ask(PLAN.face_sets.measured),
        weights=ask(PLAN.networks.inputs),
    output:
        activations=PATHS["activations"],
    log:
        "<logs>/record_activations/{dataset}/{network}/seed-{seed}.log",
    benchmark:
        "<benchmarks>/record_activations/{dataset}/{network}/seed-{seed}.tsv"
    wildcard_constraints:
        dataset=one_of(PLAN.recordings.in_one()),
    conda:
        environment(PLAN.networks.framework)
    threads: ask(PLAN.resources.forward_threads)
    resources:
        mem_mb=megabytes(PLAN.resources.recording),
        runtime=ask(PLAN.resources.forward_minutes),
        gpu=CONFIG.analysis.gpu,
    params:
        network=lambda wildcards: CONFIG.networks[wildcards.network].source,
        weights=ask(PLAN.networks.weights_file),
        layers=ask(PLAN.networks.recorded_layers),
        given=ask(PLAN.networks.given, product="geometry"),
        precision=CONFIG.analysis.precision,
        code=network_code("record_activations"),
    message:
        "Record {wildcards.network}, seed {wildcards.seed}, on {wildcards.dataset}"
    script:
        "../scripts/record_activations.py"


rule accumulate_gram:
    """Gram matrices of the same pass without a recording; removed once they are measured."""
    input:
        stimuli=ask(PLAN.face_sets.measured),
        weights=ask(PLAN.networks.inputs),
    output:
        products=temp(PATHS["grams"]),
    log:
        "<logs>/accumulate_gram/{dataset}/{network}/seed-{seed}.log",
    benchmark:
        "<benchmarks>/accumulate_gram/{dataset}/{network}/seed-{seed}.tsv"
    conda:
        environment(PLAN.networks.framework)
    threads: ask(PLAN.resources.forward_threads)
    resources:
        mem_mb=megabytes(PLAN.resources.accumulation),
        runtime=ask(PLAN.resources.forward_minutes),
        gpu=CONFIG.analysis.gpu,
    params:
        network=lambda wildcards: CONFIG.networks[wildcards.network].source,
        weights=ask(PLAN.networks.weights_file),
        layers=ask(PLAN.networks.recorded_layers),
        given=ask(PLAN.networks.given, product="geometry"),
        code=network_code("accumulate_gram"),
    message:
        "Gram matrices of {wildcards.network}, seed {wildcards.seed}, on {wildcards.dataset}"
    script:
        "../scripts/accumulate_gram.py"


rule split_stimuli:
    """A shard of a face set: some of its identities."""
    input:
        sources=ask(PLAN.recordings.shard_sources),
    output:
        stimuli=PATHS["stimuli_shard"],
    log:
        "<logs>/split_stimuli/{dataset}/shard-{shard}.log",
    benchmark:
        "<benchmarks>/split_stimuli/{dataset}/shard-{shard}.tsv"
    conda:
        "../../envs/analysis.yaml"
    threads: 1
    resources:
        mem_mb=megabytes(140),
        runtime=30,
        gpu=0,
    params:
        shards=ask(PLAN.recordings.shards_of_source),
        every=ask(PLAN.recordings.shard_step),
        code=code("split_stimuli"),
    message:
        "Shard {wildcards.shard} of {wildcards.dataset}"
    script:
        "../scripts/split_stimuli.py"


use rule record_activations as record_shard with:
    """The same for one shard of a face set."""
    input:
        stimuli=PATHS["stimuli_shard"],
        weights=ask(PLAN.networks.inputs),
    output:
        activations=if_kept(PATHS["activations_shard"]),
    log:
        "<logs>/record_shard/{dataset}/{network}/seed-{seed}/shard-{shard}.log",
    benchmark:
        "<benchmarks>/record_shard/{dataset}/{network}/seed-{seed}/shard-{shard}.tsv"
    wildcard_constraints:
        dataset=one_of(PLAN.recordings.in_shards()),
    message:
        "Record {wildcards.network}, seed {wildcards.seed}, on shard {wildcards.shard} of {wildcards.dataset}"


rule join_shards:
    """One file that joins the recordings of all shards."""
    input:
        stimuli=ask(PLAN.face_sets.measured),
        shards=ask(PLAN.recordings.activation_shards),
    output:
        activations=PATHS["activations"],
    log:
        "<logs>/join_shards/{dataset}/{network}/seed-{seed}.log",
    benchmark:
        "<benchmarks>/join_shards/{dataset}/{network}/seed-{seed}.tsv"
    wildcard_constraints:
        dataset=one_of(PLAN.recordings.in_shards()),
    conda:
        "../../envs/analysis.yaml"
    threads: 1
    resources:
        mem_mb=megabytes(140),
        runtime=10,
        gpu=0,
    params:
        code=code("join_shards"),
    message:
        "Join the shards of {wildcards.network}, seed {wildcards.seed}, on {wildcards.dataset}"
    script:
        "../scripts/join_shards.py"


rule multiply_shards:
    """Products of the recordings of two shards, for the Gram matrix."""
    input:
        shard=PATHS["activations_shard"],
        other="<results>/activations/{dataset}/{network}/seed-{seed}/shard-{other}.h5",
        first="<results>/activations/{dataset}/{network}/seed-{seed}/shard-0.h5",
    output:
        products=if_kept(PATHS["grams_block"]),
    log:
        "<logs>/multiply_shards/{dataset}/{network}/seed-{seed}/{shard}x{other}.log",
    benchmark:
        "<benchmarks>/multiply_shards/{dataset}/{network}/seed-{seed}/{shard}x{other}.tsv"
    conda:
        "../../envs/analysis.yaml"
    threads: ask(PLAN.resources.geometry_threads)
    resources:
        mem_mb=megabytes(PLAN.resources.multiplication),
        runtime=120,
        gpu=0,
    params:
        code=code("multiply_shards"),
    message:
        "Shards {wildcards.shard} and {wildcards.other} of {wildcards.network} on {wildcards.dataset}"
    script:
        "../scripts/multiply_shards.py"

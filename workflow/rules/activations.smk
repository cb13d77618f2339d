"""What layers say to a face set, recorded or multiplied while it is said; whole or in shards."""


rule record_activations:
    input:
        stimuli=measured_stimuli,
        weights=network_inputs,
    output:
        activations="<results>/activations/{dataset}/{network}/seed-{seed}.h5",
    log:
        "<logs>/record_activations/{dataset}/{network}/seed-{seed}.log",
    benchmark:
        "<benchmarks>/record_activations/{dataset}/{network}/seed-{seed}.tsv"
    wildcard_constraints:
        dataset=one_of(whole_sets()),
    conda:
        network_environment
    threads: forward_threads
    resources:
        mem_mb=recording_mb,
        runtime=forward_minutes,
        gpu=CONFIG.analysis.gpu,
    params:
        network=network_source,
        weights=network_weights,
        layers=layers_recorded,
        precision=CONFIG.analysis.precision,
        code=network_code("record_activations"),
    message:
        "Record {wildcards.network}, seed {wildcards.seed}, on {wildcards.dataset}"
    script:
        "../scripts/record_activations.py"


rule accumulate_gram:
    input:
        stimuli=measured_stimuli,
        weights=network_inputs,
    output:
        products=temp("<results>/grams/{dataset}/{network}/seed-{seed}.h5"),
    log:
        "<logs>/accumulate_gram/{dataset}/{network}/seed-{seed}.log",
    benchmark:
        "<benchmarks>/accumulate_gram/{dataset}/{network}/seed-{seed}.tsv"
    conda:
        network_environment
    threads: forward_threads
    resources:
        mem_mb=accumulation_mb,
        runtime=forward_minutes,
        gpu=CONFIG.analysis.gpu,
    params:
        network=network_source,
        weights=network_weights,
        layers=layers_recorded,
        code=network_code("accumulate_gram"),
    message:
        "Gram matrices of {wildcards.network}, seed {wildcards.seed}, on {wildcards.dataset}"
    script:
        "../scripts/accumulate_gram.py"


rule split_stimuli:
    input:
        sources=shard_sources,
    output:
        stimuli="<results>/stimuli/{dataset}/shard-{shard}.h5",
    log:
        "<logs>/split_stimuli/{dataset}/shard-{shard}.log",
    benchmark:
        "<benchmarks>/split_stimuli/{dataset}/shard-{shard}.tsv"
    conda:
        "../../envs/analysis.yaml"
    threads: 1
    resources:
        mem_mb=more_at_each_attempt(140),
        runtime=30,
        gpu=0,
    params:
        shards=shards,
        every=shard_step,
        code=code("split_stimuli"),
    message:
        "Shard {wildcards.shard} of {wildcards.dataset}"
    script:
        "../scripts/split_stimuli.py"


use rule record_activations as record_shard with:
    input:
        stimuli="<results>/stimuli/{dataset}/shard-{shard}.h5",
        weights=network_inputs,
    output:
        activations=if_kept(
            "<results>/activations/{dataset}/{network}/seed-{seed}/shard-{shard}.h5"
        ),
    log:
        "<logs>/record_shard/{dataset}/{network}/seed-{seed}/shard-{shard}.log",
    benchmark:
        "<benchmarks>/record_shard/{dataset}/{network}/seed-{seed}/shard-{shard}.tsv"
    wildcard_constraints:
        dataset=one_of(sharded_sets()),
    message:
        "Record {wildcards.network}, seed {wildcards.seed}, on shard {wildcards.shard} of {wildcards.dataset}"


rule join_shards:
    input:
        stimuli=measured_stimuli,
        shards=activation_shards,
    output:
        activations="<results>/activations/{dataset}/{network}/seed-{seed}.h5",
    log:
        "<logs>/join_shards/{dataset}/{network}/seed-{seed}.log",
    benchmark:
        "<benchmarks>/join_shards/{dataset}/{network}/seed-{seed}.tsv"
    wildcard_constraints:
        dataset=one_of(sharded_sets()),
    conda:
        "../../envs/analysis.yaml"
    threads: 1
    resources:
        mem_mb=more_at_each_attempt(140),
        runtime=10,
        gpu=0,
    params:
        code=code("join_shards"),
    message:
        "Join the shards of {wildcards.network}, seed {wildcards.seed}, on {wildcards.dataset}"
    script:
        "../scripts/join_shards.py"


rule multiply_shards:
    input:
        shard="<results>/activations/{dataset}/{network}/seed-{seed}/shard-{shard}.h5",
        other="<results>/activations/{dataset}/{network}/seed-{seed}/shard-{other}.h5",
        first="<results>/activations/{dataset}/{network}/seed-{seed}/shard-0.h5",
    output:
        products=if_kept("<results>/grams/{dataset}/{network}/seed-{seed}/{shard}x{other}.h5"),
    log:
        "<logs>/multiply_shards/{dataset}/{network}/seed-{seed}/{shard}x{other}.log",
    benchmark:
        "<benchmarks>/multiply_shards/{dataset}/{network}/seed-{seed}/{shard}x{other}.tsv"
    conda:
        "../../envs/analysis.yaml"
    threads: geometry_threads
    resources:
        mem_mb=multiplication_mb,
        runtime=120,
        gpu=0,
    params:
        code=code("multiply_shards"),
    message:
        "Shards {wildcards.shard} and {wildcards.other} of {wildcards.network} on {wildcards.dataset}"
    script:
        "../scripts/multiply_shards.py"

"""The paper's figures."""


rule plot_fig1:
    input:
        layers=fig1_layers,
    output:
        pdf="<results>/figures/fig1.pdf",
        svg=report(
            "<results>/figures/fig1.svg",
            caption="../report/fig1.rst",
            category="Networks",
            labels={"figure": "1: architecture"},
        ),
        png="<results>/figures/fig1.png",
        table="<results>/tables/fig1.md",
    log:
        "<logs>/plot_fig1.log",
    benchmark:
        "<benchmarks>/plot_fig1.tsv"
    conda:
        "../../envs/analysis.yaml"
    threads: 1
    resources:
        mem_mb=more_at_each_attempt(190),
        runtime=10,
        gpu=0,
    params:
        label=fig1_label(),
        code=code("plot_fig1"),
    message:
        "Figure 1"
    script:
        "../scripts/plot_fig1.py"


rule plot_fig2:
    input:
        unpack(figure_files("fig2")),
    output:
        pdf="<results>/figures/fig2.pdf",
        svg=report(
            "<results>/figures/fig2.svg",
            caption="../report/fig2.rst",
            category="Study 1: stages of one network",
            labels={"figure": "2: maps, faces, Grad-CAM"},
        ),
        png="<results>/figures/fig2.png",
        numbers="<results>/figures/fig2.csv",
        caption="<results>/figures/fig2.rst",
    log:
        "<logs>/plot_fig2.log",
    benchmark:
        "<benchmarks>/plot_fig2.tsv"
    conda:
        "../../envs/analysis.yaml"
    threads: 1
    resources:
        mem_mb=more_at_each_attempt(320),
        runtime=10,
        gpu=0,
    params:
        figure=figure_words("fig2"),
        code=code("plot_fig2"),
    message:
        "Figure 2"
    script:
        "../scripts/plot_fig2.py"


rule plot_fig3:
    input:
        unpack(figure_files("fig3")),
    output:
        pdf="<results>/figures/fig3.pdf",
        svg=report(
            "<results>/figures/fig3.svg",
            caption="../report/fig3.rst",
            category="Study 2: people in pixels",
            labels={"figure": "3: maps of people"},
        ),
        png="<results>/figures/fig3.png",
        numbers="<results>/figures/fig3.csv",
        caption="<results>/figures/fig3.rst",
    log:
        "<logs>/plot_fig3.log",
    benchmark:
        "<benchmarks>/plot_fig3.tsv"
    conda:
        "../../envs/analysis.yaml"
    threads: 1
    resources:
        mem_mb=more_at_each_attempt(290),
        runtime=10,
        gpu=0,
    params:
        figure=figure_words("fig3"),
        code=code("plot_fig3"),
    message:
        "Figure 3"
    script:
        "../scripts/plot_fig3.py"


rule plot_fig4:
    input:
        unpack(figure_files("fig4")),
    output:
        pdf="<results>/figures/fig4.pdf",
        svg=report(
            "<results>/figures/fig4.svg",
            caption="../report/fig4.rst",
            category="Study 3: silhouettes",
            labels={"figure": "4: silhouettes by stage"},
        ),
        png="<results>/figures/fig4.png",
        numbers="<results>/figures/fig4.csv",
        caption="<results>/figures/fig4.rst",
    log:
        "<logs>/plot_fig4.log",
    benchmark:
        "<benchmarks>/plot_fig4.tsv"
    conda:
        "../../envs/analysis.yaml"
    threads: 1
    resources:
        mem_mb=more_at_each_attempt(220),
        runtime=10,
        gpu=0,
    params:
        figure=figure_words("fig4"),
        code=code("plot_fig4"),
    message:
        "Figure 4"
    script:
        "../scripts/plot_fig4.py"


rule plot_fig5:
    input:
        unpack(figure_files("fig5")),
    output:
        pdf="<results>/figures/fig5.pdf",
        svg=report(
            "<results>/figures/fig5.svg",
            caption="../report/fig5.rst",
            category="Study 4: valence and arousal",
            labels={"figure": "5: components and affect"},
        ),
        png="<results>/figures/fig5.png",
        numbers="<results>/figures/fig5.csv",
        caption="<results>/figures/fig5.rst",
    log:
        "<logs>/plot_fig5.log",
    benchmark:
        "<benchmarks>/plot_fig5.tsv"
    conda:
        "../../envs/analysis.yaml"
    threads: 1
    resources:
        mem_mb=more_at_each_attempt(450),
        runtime=10,
        gpu=0,
    params:
        figure=figure_words("fig5"),
        code=code("plot_fig5"),
    message:
        "Figure 5"
    script:
        "../scripts/plot_fig5.py"


rule plot_fig6:
    input:
        unpack(figure_files("fig6")),
    output:
        pdf="<results>/figures/fig6.pdf",
        svg=report(
            "<results>/figures/fig6.svg",
            caption="../report/fig6.rst",
            category="Study 4: valence and arousal",
            labels={"figure": "6: faces along components"},
        ),
        png="<results>/figures/fig6.png",
        numbers="<results>/figures/fig6.csv",
        caption="<results>/figures/fig6.rst",
    log:
        "<logs>/plot_fig6.log",
    benchmark:
        "<benchmarks>/plot_fig6.tsv"
    conda:
        "../../envs/analysis.yaml"
    threads: 1
    resources:
        mem_mb=more_at_each_attempt(300),
        runtime=10,
        gpu=0,
    params:
        figure=figure_words("fig6"),
        code=code("plot_fig6"),
    message:
        "Figure 6"
    script:
        "../scripts/plot_fig6.py"


rule plot_fig7:
    input:
        unpack(figure_files("fig7")),
    output:
        pdf="<results>/figures/fig7.pdf",
        svg=report(
            "<results>/figures/fig7.svg",
            caption="../report/fig7.rst",
            category="Study 4: valence and arousal",
            labels={"figure": "7: right and wrong answers"},
        ),
        png="<results>/figures/fig7.png",
        numbers="<results>/figures/fig7.csv",
        caption="<results>/figures/fig7.rst",
    log:
        "<logs>/plot_fig7.log",
    benchmark:
        "<benchmarks>/plot_fig7.tsv"
    conda:
        "../../envs/analysis.yaml"
    threads: 1
    resources:
        mem_mb=fig7_mb,
        runtime=10,
        gpu=0,
    params:
        figure=figure_words("fig7"),
        code=code("plot_fig7"),
    message:
        "Figure 7"
    script:
        "../scripts/plot_fig7.py"


rule plot_fig8:
    input:
        unpack(figure_files("fig8")),
    output:
        pdf="<results>/figures/fig8.pdf",
        svg=report(
            "<results>/figures/fig8.svg",
            caption="../report/fig8.rst",
            category="Study 5: categories",
            labels={"figure": "8: identity, affect, category"},
        ),
        png="<results>/figures/fig8.png",
        numbers="<results>/figures/fig8.csv",
        caption="<results>/figures/fig8.rst",
    log:
        "<logs>/plot_fig8.log",
    benchmark:
        "<benchmarks>/plot_fig8.tsv"
    conda:
        "../../envs/analysis.yaml"
    threads: 1
    resources:
        mem_mb=more_at_each_attempt(230),
        runtime=10,
        gpu=0,
    params:
        figure=figure_words("fig8"),
        code=code("plot_fig8"),
    message:
        "Figure 8"
    script:
        "../scripts/plot_fig8.py"


rule plot_layers:
    input:
        unpack(figure_files("layers")),
    output:
        pdf="<results>/figures/layers.pdf",
        svg=report(
            "<results>/figures/layers.svg",
            caption="../report/layers.rst",
            category="Beyond the paper",
            labels={"figure": "Layer curves"},
        ),
        png="<results>/figures/layers.png",
        numbers="<results>/figures/layers.csv",
        caption="<results>/figures/layers.rst",
    log:
        "<logs>/plot_layers.log",
    benchmark:
        "<benchmarks>/plot_layers.tsv"
    conda:
        "../../envs/analysis.yaml"
    threads: 1
    resources:
        mem_mb=more_at_each_attempt(250),
        runtime=10,
        gpu=0,
    params:
        figure=figure_words("layers"),
        code=code("plot_layers"),
    message:
        "Layer curves"
    script:
        "../scripts/plot_layers.py"


rule plot_cka:
    input:
        unpack(figure_files("cka")),
    output:
        pdf="<results>/figures/cka.pdf",
        svg=report(
            "<results>/figures/cka.svg",
            caption="../report/cka.rst",
            category="Beyond the paper",
            labels={"figure": "Similarity of layers (CKA)"},
        ),
        png="<results>/figures/cka.png",
        numbers="<results>/figures/cka.csv",
        caption="<results>/figures/cka.rst",
    log:
        "<logs>/plot_cka.log",
    benchmark:
        "<benchmarks>/plot_cka.tsv"
    conda:
        "../../envs/analysis.yaml"
    threads: 1
    resources:
        mem_mb=more_at_each_attempt(250),
        runtime=10,
        gpu=0,
    params:
        figure=figure_words("cka"),
        code=code("plot_cka"),
    message:
        "Similarity of layers"
    script:
        "../scripts/plot_cka.py"


rule plot_controls:
    input:
        unpack(figure_files("controls")),
    output:
        pdf="<results>/figures/controls.pdf",
        svg=report(
            "<results>/figures/controls.svg",
            caption="../report/controls.rst",
            category="Beyond the paper",
            labels={"figure": "Conjectures as tests"},
        ),
        png="<results>/figures/controls.png",
        numbers="<results>/figures/controls.csv",
        caption="<results>/figures/controls.rst",
    log:
        "<logs>/plot_controls.log",
    benchmark:
        "<benchmarks>/plot_controls.tsv"
    conda:
        "../../envs/analysis.yaml"
    threads: 1
    resources:
        mem_mb=more_at_each_attempt(250),
        runtime=10,
        gpu=0,
    params:
        figure=figure_words("controls"),
        code=code("plot_controls"),
    message:
        "The draft's conjectures as tests"
    script:
        "../scripts/plot_controls.py"


rule make_table1:
    input:
        files=table1_files,
        paper=str(assets.RESOURCES / "paper.yaml"),
    output:
        csv="<results>/tables/table1.csv",
        markdown="<results>/tables/table1.md",
        latex="<results>/tables/table1.tex",
        html=report(
            "<results>/tables/table1.html",
            caption="../report/table1.rst",
            category="Networks",
            labels={"figure": "Table 1: networks and face sets"},
        ),
    log:
        "<logs>/make_table1.log",
    benchmark:
        "<benchmarks>/make_table1.tsv"
    conda:
        "../../envs/analysis.yaml"
    threads: 1
    resources:
        mem_mb=more_at_each_attempt(220),
        runtime=10,
        gpu=0,
    params:
        networks=table1_networks(),
        datasets=table1_datasets(),
        test=table1_test(),
        absent=table1_left_out(),
        code=code("make_table1"),
    message:
        "Table 1"
    script:
        "../scripts/make_table1.py"


rule make_gradcam_table:
    input:
        shares=gradcam_files,
    output:
        csv="<results>/tables/gradcam.csv",
        markdown="<results>/tables/gradcam.md",
        html=report(
            "<results>/tables/gradcam.html",
            caption="../report/gradcam.rst",
            category="Study 1: stages of one network",
            labels={"figure": "Table: Grad-CAM by region"},
        ),
    log:
        "<logs>/make_gradcam_table.log",
    benchmark:
        "<benchmarks>/make_gradcam_table.tsv"
    conda:
        "../../envs/analysis.yaml"
    threads: 1
    resources:
        mem_mb=more_at_each_attempt(135),
        runtime=10,
        gpu=0,
    params:
        networks=lambda wildcards: gradcam_labels(),
        expressions=lambda wildcards: CONFIG.figures.fig2.expressions,
        dataset=lambda wildcards: CONFIG.datasets[CONFIG.figures.fig2.dataset].label,
        code=code("make_gradcam_table"),
    message:
        "Table of Grad-CAM"
    script:
        "../scripts/make_gradcam_table.py"


rule judge_claims:
    input:
        tables=claim_files,
        claims=str(assets.RESOURCES / "claims.yaml"),
    output:
        csv="<results>/claims.csv",
        html=report(
            "<results>/claims.html",
            caption="../report/claims.rst",
            category="Claims",
            labels={"table": "Claim by claim"},
        ),
    log:
        "<logs>/judge_claims.log",
    benchmark:
        "<benchmarks>/judge_claims.tsv"
    conda:
        "../../envs/analysis.yaml"
    threads: 1
    resources:
        mem_mb=more_at_each_attempt(120),
        runtime=10,
        gpu=0,
    params:
        world=lambda wildcards: claim_plan().said,
        code=code("judge_claims"),
    message:
        "The paper's claims"
    script:
        "../scripts/judge_claims.py"

"""The paper's figures."""


rule plot_fig1:
    input:
        layers=fig1_layers,
    output:
        pdf="<results>/figures/fig1.pdf",
        svg=report(
            "<results>/figures/fig1.svg",
            caption="../report/fig1.rst",
            category="Figures",
            labels={"figure": "1", "shows": "architecture"},
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
        mem_mb=1000,
        runtime=10,
        gpu=0,
    params:
        label=fig1_label(),
        code=code("plot_fig1"),
    message:
        "Figure 1"
    script:
        "../scripts/plot_fig1.py"


rule plot_fig4:
    input:
        scores=scores_of(CONFIG.figures.fig4.datasets, CONFIG.figures.fig4.networks),
    output:
        pdf="<results>/figures/fig4.pdf",
        svg=report(
            "<results>/figures/fig4.svg",
            caption="../report/fig4.rst",
            category="Figures",
            labels={"figure": "4", "shows": "silhouettes by stage"},
        ),
        png="<results>/figures/fig4.png",
        numbers="<results>/figures/fig4.csv",
    log:
        "<logs>/plot_fig4.log",
    benchmark:
        "<benchmarks>/plot_fig4.tsv"
    conda:
        "../../envs/analysis.yaml"
    threads: 1
    resources:
        mem_mb=1000,
        runtime=10,
        gpu=0,
    params:
        figure=CONFIG.figures.fig4.model_dump(exclude={"datasets", "networks"}),
        datasets={name: CONFIG.datasets[name].label for name in CONFIG.figures.fig4.datasets},
        networks={name: CONFIG.networks[name].label for name in CONFIG.figures.fig4.networks},
        looks=network_looks(CONFIG.figures.fig4.networks),
        code=code("plot_fig4"),
    message:
        "Figure 4"
    script:
        "../scripts/plot_fig4.py"


rule make_table1:
    input:
        files=table1_files,
        paper=str(WORKFLOW.parent / "resources" / "paper.yaml"),
    output:
        csv="<results>/tables/table1.csv",
        markdown="<results>/tables/table1.md",
        latex="<results>/tables/table1.tex",
    log:
        "<logs>/make_table1.log",
    benchmark:
        "<benchmarks>/make_table1.tsv"
    conda:
        "../../envs/analysis.yaml"
    threads: 1
    resources:
        mem_mb=1000,
        runtime=10,
        gpu=0,
    params:
        networks=table1_networks(),
        datasets=table1_datasets(),
        test=table1_test(),
        code=code("make_table1"),
    message:
        "Table 1"
    script:
        "../scripts/make_table1.py"

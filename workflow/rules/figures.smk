"""The paper's figures."""


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
        untrained=[name for name, entry in CONFIG.networks.items() if entry.weights == "untrained"],
        code=code("plot_fig4"),
    message:
        "Figure 4"
    script:
        "../scripts/plot_fig4.py"

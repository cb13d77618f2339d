"""The paper's figures, its tables and its claims."""

# By figure: its category and title in the report, its job's message and megabytes.
PLOTS = {
    "fig1": ("Networks", "1: architecture", "Figure 1", 260),
    "fig2": ("Study 1: stages of one network", "2: maps, faces, Grad-CAM", "Figure 2", 320),
    "fig3": ("Study 2: people in pixels", "3: maps of people", "Figure 3", 290),
    "fig4": ("Study 3: silhouettes", "4: silhouettes by stage", "Figure 4", 290),
    "fig5": ("Study 4: valence and arousal", "5: components and affect", "Figure 5", 450),
    "fig6": ("Study 4: valence and arousal", "6: faces along components", "Figure 6", 300),
    "fig7": (
        "Study 4: valence and arousal",
        "7: right and wrong answers",
        "Figure 7",
        PLAN.resources.fig7,
    ),
    "fig8": ("Study 5: categories", "8: identity, affect, category", "Figure 8", 310),
    "fig9": ("Beyond the paper", "9: identity and expression by training", "Figure 9", 320),
    "fig10": ("Beyond the paper", "10: people, brains and layers", "Figure 10", 310),
    "layers": ("Beyond the paper", "Layer curves", "Layer curves", 300),
    "multiverse": ("Beyond the paper", "Multiverse of measures", "Multiverse of measures", 300),
    "cka": ("Beyond the paper", "Similarity of layers (CKA)", "Similarity of layers", 350),
    "controls": (
        "Beyond the paper",
        "Conjectures as tests",
        "The draft's conjectures as tests",
        290,
    ),
}


for figure, (category, title, message, mb) in PLOTS.items():
    files = {
        product: PATHS[product].format(figure=figure)
        for product in ("figure", "figure_svg", "figure_png", "figure_numbers", "figure_caption")
    }
    caption, labels = f"../report/{figure}.rst", {"figure": title}
    forms = {
        "pdf": files["figure"],
        "svg": report(files["figure_svg"], caption=caption, category=category, labels=labels),
        "png": files["figure_png"],
    }
    forms["caption"] = files["figure_caption"]
    if figure == "fig1":
        forms["table"] = "<results>/tables/fig1.md"
    else:
        forms["numbers"] = files["figure_numbers"]

    rule:
        name:
            f"plot_{figure}"
        input:
            unpack(ask(lambda name: PLAN.figure(name).files, name=figure)),
        output:
            **forms,
        log:
            f"<logs>/plot_{figure}.log",
        benchmark:
            f"<benchmarks>/plot_{figure}.tsv"
        conda:
            "../../envs/analysis.yaml"
        threads: 1
        resources:
            mem_mb=megabytes(mb),
            runtime=10,
            gpu=0,
        params:
            figure=ask(lambda name: PLAN.figure(name).settings, name=figure),
            look=lambda wildcards: {
                **CONFIG.style.model_dump(),
                "caption": CONFIG.figures.caption,
            },
            # The script imports the figure's module by its name, which no digest sees.
            code=[code("draw_figure"), library_code("figures", f"{figure}.py")],
        message:
            message
        script:
            "../scripts/draw_figure.py"

    # Snakemake takes a rule's description from literal text alone.
    list(workflow.rules)[-1].docstring = (
        f"Figure {title}." if title[0].isdigit() else f"{title}."
    )


rule write_captions:
    """Titles and captions of all figures."""
    input:
        captions=lambda wildcards: targets.captions(PLAN),
    output:
        markdown=PATHS["captions"],
    log:
        "<logs>/write_captions.log",
    benchmark:
        "<benchmarks>/write_captions.tsv"
    conda:
        "../../envs/analysis.yaml"
    threads: 1
    resources:
        mem_mb=megabytes(200),
        runtime=10,
        gpu=0,
    params:
        code=code("write_captions"),
    message:
        "Titles and captions of all figures"
    script:
        "../scripts/write_captions.py"


rule make_table1:
    """Table 1: networks and face sets, beside the paper's."""
    input:
        files=ask(lambda: tables.plan_table1(PLAN).files),
    output:
        csv=PATHS["table"].format(table="table1"),
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
        mem_mb=megabytes(220),
        runtime=10,
        gpu=0,
    params:
        given=shipped("resources/paper.yaml"),
        networks=ask(lambda: tables.plan_table1(PLAN).networks),
        datasets=ask(lambda: tables.plan_table1(PLAN).datasets),
        test=ask(lambda: tables.plan_table1(PLAN).test),
        absent=ask(lambda: tables.plan_table1(PLAN).absent),
        code=code("make_table1"),
    message:
        "Table 1"
    script:
        "../scripts/make_table1.py"


rule make_gradcam_table:
    """Table of where networks look, beside controls."""
    input:
        shares=ask(tables.gradcam_files, plan=PLAN),
    output:
        csv=PATHS["table"].format(table="gradcam"),
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
        mem_mb=megabytes(135),
        runtime=10,
        gpu=0,
    params:
        networks=ask(tables.gradcam_labels, plan=PLAN),
        expressions=lambda wildcards: CONFIG.figures.fig2.expressions,
        dataset=lambda wildcards: CONFIG.datasets[CONFIG.figures.fig2.dataset].label,
        code=code("make_gradcam_table"),
    message:
        "Table of Grad-CAM"
    script:
        "../scripts/make_gradcam_table.py"


rule judge_claims:
    """Every claim, and whether it holds."""
    input:
        tables=ask(lambda: claims.plan_claims(PLAN).files),
    output:
        csv=PATHS["claims"],
        html=report(
            PATHS["claims_page"],
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
        mem_mb=megabytes(120),
        runtime=10,
        gpu=0,
    params:
        given=shipped("resources/claims.yaml"),
        world=ask(lambda: claims.plan_claims(PLAN).world),
        code=code("judge_claims"),
    message:
        "The paper's claims"
    script:
        "../scripts/judge_claims.py"

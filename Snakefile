"""facestages: at which stage of a network are identity, affect and expression readable?"""

from snakemake.utils import min_version

min_version("9.27")

# Another workflow can use this one as a module, and gives its config then.
IS_MODULE = not workflow.modifier.is_main_snakefile()


include: "workflow/rules/start.smk"
include: "workflow/rules/common.smk"
include: "workflow/rules/handlers.smk"
include: "workflow/rules/stimuli.smk"
include: "workflow/rules/references.smk"
include: "workflow/rules/networks.smk"
include: "workflow/rules/activations.smk"
include: "workflow/rules/analysis.smk"
include: "workflow/rules/comparisons.smk"
include: "workflow/rules/figures.smk"
include: "workflow/rules/explorer.smk"
include: "workflow/rules/report.smk"


onstart:
    hold_results()
    lift_rate_limit()
    terminal.shorten_log(workflow)


onsuccess:
    say_where()


rule all:
    """All figures, tables and claims that the config asks for, and the report."""
    default_target: not IS_MODULE
    input:
        ask(targets.figures, plan=PLAN),
        ask(targets.measures, plan=PLAN),
        ask(targets.reports, plan=PLAN),
        PATHS["explorer"] if explorer.is_made(PLAN) else [],
        # A workflow that uses this one as a module has a report of its own.
        [] if IS_MODULE else PATHS["report"],
    localrule: True


include: "workflow/rules/check.smk"

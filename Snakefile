"""facestages: at which stage of a network are identity, affect and expression readable?"""

from snakemake.utils import min_version

min_version("9.27")

# A config file given on the command line replaces the default one; it is not merged into it.
if not workflow.overwrite_configfiles:

    configfile: "config/config.yaml"


include: "workflow/rules/common.smk"
include: "workflow/rules/stimuli.smk"
include: "workflow/rules/networks.smk"
include: "workflow/rules/analysis.smk"
include: "workflow/rules/figures.smk"
include: "workflow/rules/report.smk"


rule all:
    default_target: True
    input:
        figures_wanted(),
        reports_wanted(),
        "<results>/report.html",
    localrule: True

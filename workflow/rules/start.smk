"""Library and config, whether this workflow runs by itself or as a module of another one."""

import importlib.util
import os
import re
import runpy
import sys
from pathlib import Path

from snakemake.cli import get_argument_parser
from snakemake.pathvars import Pathvars

# Rules of a workflow that uses this one as a module.
FOREIGN = {step.name for step in workflow.rules}

WORKFLOW = Path(str(workflow.current_basedir)).parent
# From a repository Snakemake takes rules and scripts one by one, but not the library.
IS_FOLDER = isinstance(workflow.current_basedir, os.PathLike)
if IS_FOLDER:
    sys.path.insert(0, str(WORKFLOW / "scripts"))
elif importlib.util.find_spec("facestages") is None:
    sys.exit(
        "facestages: the rules come from a repository, and the Python package that they call is "
        "not installed. Install that of the same tag with pip; docs/how-to/as-a-module.md says how"
    )

from facestages import __version__, assets
from facestages.config import load_config
from facestages.errors import FacestagesError
from facestages.job import let_jobs_import
from facestages.plan import targets
from facestages.yaml_files import name_lines, read_yaml

if IS_FOLDER:
    let_jobs_import(sys.path[0])
else:
    of_rules = runpy.run_path(workflow.source_path("../scripts/facestages/__init__.py"))
    if of_rules["__version__"] != __version__:
        sys.exit(
            f"facestages: the rules are of version {of_rules['__version__']}, the installed "
            f"package is of version {__version__}. Install that of the same tag with pip"
        )

# A config file given on the command line replaces the default one; it is not merged into it.
OWN_CONFIG = not (IS_MODULE or workflow.overwrite_configfiles)
CONFIG_FILES = ["config/config.yaml"] if OWN_CONFIG else [] if IS_MODULE else workflow.configfiles


def end_run(message):
    """End with a message; one on keys of the config names file and line."""
    sys.exit(name_lines(str(message), CONFIG_FILES))


try:
    # Snakemake tells no line of a mistake, and takes the last of two equal keys in silence. What
    # stands in JSON or is of another workflow it reads alone.
    if workflow.is_main_process:
        for path in CONFIG_FILES:
            if os.path.exists(path) and not str(path).endswith(".json"):
                read_yaml(path)
except FacestagesError as error:
    end_run(error)

if OWN_CONFIG:

    configfile: "config/config.yaml"

elif not IS_MODULE:
    # Each config file has a folder of results: none overwrites a figure of another.
    own = re.sub(r"[^\w.-]+", "_", Path(workflow.configfiles[-1]).stem)
    if own != "config" and isinstance(config.setdefault("pathvars", {}), dict):
        config["pathvars"].setdefault("results", f"results/{own}")


# A workflow that uses this one as a module may set folders outside of the module's config; the
# library looks for them in the config.
FOLDERS = {name: workflow.pathvars.apply(f"<{name}>") for name in ("results", "resources")}
renamed = workflow.modifier.path_modifier.replace_prefix
if any(renamed(f"{path}/") != f"{path}/" for path in FOLDERS.values()):
    sys.exit(
        "facestages: 'prefix' and 'replace_prefix' of a module do not reach all paths of these "
        "rules. Set the folders in its config instead, e.g. pathvars: {results: results/faces}"
    )
MOVED = {name: path for name, path in FOLDERS.items() if path != name}

try:
    MANIFEST = assets.read_manifest(assets.RESOURCES / "manifest.yaml")
    CONFIG = load_config(
        {**config, "pathvars": {**config.get("pathvars", {}), **MOVED}} if MOVED else config,
        MANIFEST,
    )
except FacestagesError as error:
    end_run(error)
# Snakemake takes these as they are written, with '~'.
workflow.pathvars.update(
    Pathvars.from_config({"pathvars": CONFIG.pathvars}, module_level=IS_MODULE)
)

# Snakemake would say that no rule makes a target of another config, or a misspelt figure. The command
# is read once more only where it names such a path.
if workflow.is_main_process and not IS_MODULE:
    told = {path: targets.explain_target(CONFIG, path) for path in sys.argv[1:]}
    asked = (
        get_argument_parser().parse_known_args(sys.argv[1:])[0].targets
        if any(told.values())
        else ()
    )
    for target in asked:
        if told.get(target):
            sys.exit(told[target])

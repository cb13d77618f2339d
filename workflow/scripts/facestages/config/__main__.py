"""Check a config file without a run: ``python -m facestages.config my.yaml``.

Snakemake reads a file of ``--configfile`` before any line of ours, and names no line of a mistake
in its YAML. This does.
"""

import sys

from facestages.assets import RESOURCES, read_manifest
from facestages.config import load_config
from facestages.errors import FacestagesError

try:
    for path in sys.argv[1:]:
        load_config(path, read_manifest(RESOURCES / "manifest.yaml"))
        print(f"{path}: no mistake")
except FacestagesError as error:
    sys.exit(f"config: {str(error).removeprefix('config: ')}")

"""The page of the commands: what make, Snakemake and the library itself can be asked for."""

from __future__ import annotations

import os
import re
import subprocess
import sys

from docs.pages.markdown import table
from docs.pages.rules import ROOT, read_rules

# `target: ...` in the Makefile, with the comment above it.
_TARGET = re.compile(r"((?:^# .*\n)+)^([a-z][\w-]*):(?!=)", re.MULTILINE)


def of_make() -> str:
    """Targets of make: the summary at the top of the Makefile, and commented targets below it."""
    text = (ROOT / "Makefile").read_text()
    top, _, rest = text.partition("\n\n")
    summary = dict(re.findall(r"^# make (.+?)  +(.+)$", top, re.MULTILINE))
    rows = {f"`make {target}`": about for target, about in summary.items()}
    for comment, target in _TARGET.findall(rest):
        about = " ".join(comment.replace("# ", "").split())
        rows.setdefault(f"`make {target}`", about)
    return table(("command", "what it does"), rows.items())


def of_snakemake() -> str:
    """Rules without wildcards: these can be asked for by their names."""
    rows = [
        (f"`snakemake {rule['name']}`", rule["about"])
        for rule in read_rules()
        if not any("{" in path for path in rule["outputs"])
    ]
    return table(("command", "what it makes"), rows)


def of_facestages() -> str:
    """Help of ``python -m facestages``."""
    environment = os.environ | {"PYTHONPATH": str(ROOT / "workflow" / "scripts"), "COLUMNS": "90"}
    command = [sys.executable, "-m", "facestages", "--help"]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    return f"```text\n{done.stdout.strip()}\n```\n"

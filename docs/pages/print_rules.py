"""Print the rules of the workflow as JSON; a process of its own, as Snakemake changes it."""

import json
from pathlib import Path

from snakemake.api import SnakemakeApi
from snakemake.settings.types import OutputSettings, Quietness, ResourceSettings

ROOT = Path(__file__).parents[2]

with SnakemakeApi(OutputSettings(quiet={Quietness.ALL})) as api:
    flow = api.workflow(
        resource_settings=ResourceSettings(cores=1), snakefile=ROOT / "Snakefile", workdir=ROOT
    )
    rules = [
        {
            "name": rule.name,
            "about": rule.docstring or "",
            "file": str(Path(str(rule.snakefile)).relative_to(ROOT)),
            "outputs": list(map(str, rule.output)),
        }
        for rule in flow._workflow.rules
    ]
print(json.dumps(rules))

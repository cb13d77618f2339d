"""The profile names the rules as they are; no SLURM is needed to see that."""

import re

import yaml

from workflow_runner import REPOSITORY, list_rules

PROFILE = yaml.safe_load((REPOSITORY / "profiles/slurm/profile.yaml").read_text())
RULES = "\n".join(path.read_text() for path in (REPOSITORY / "workflow/rules").glob("*.smk"))
DERIVED = re.findall(r"^use rule (\w+) as (\w+) with", RULES, re.MULTILINE)


def test_rules_that_count_this_machine_s_cores_have_a_number_instead():
    """In a job they would count those of the node, of which SLURM gave it some."""
    blocks = re.split(r"^(?=rule |use rule )", RULES, flags=re.MULTILINE)
    counting = {re.search(r"rule (\w+)", b)[1] for b in blocks if re.search(r"threads: \D", b)}
    counting |= {name for source, name in DERIVED if source in counting}
    assert set(PROFILE["set-threads"]) == counting
    assert max(PROFILE["set-threads"].values()) <= PROFILE["cores"]


def test_grouped_rules_are_there():
    names = set(list_rules())
    assert set(PROFILE["groups"]) <= names
    assert set(PROFILE["groups"].values()) == set(PROFILE["group-components"])
    assert {name for name in names if name.startswith("plot_")} <= set(PROFILE["groups"])

"""The configs that come with the project, planned as if everything were at hand, or not."""

from pathlib import Path

import pytest

from facestages.assets import read_manifest
from facestages.config import load_config
from facestages.plan import Plan

ROOT = Path(__file__).parents[3]
MANIFEST = read_manifest(ROOT / "resources" / "manifest.yaml")


@pytest.fixture
def default():
    return load_config(ROOT / "config" / "config.yaml", MANIFEST)


@pytest.fixture
def paper():
    return load_config(ROOT / "config" / "paper.yaml", MANIFEST)


@pytest.fixture
def tiny():
    return load_config(ROOT / "tests" / "workflow" / "tiny.yaml", MANIFEST)


@pytest.fixture
def plan():
    """Plan of a config where these sections are absent."""
    return lambda config, absent=None, **more: Plan(config, MANIFEST, absent=absent or {}, **more)


@pytest.fixture
def plan_of(plan):
    """Plan of a run with a figure on a table of one's own with this header."""
    stages = dict.fromkeys(("early", "middle", "penultimate", "final"), "pixels")

    def make(name, figure, header, **face_set):
        with open("t.csv", "w") as stream:
            stream.write(f"{header}\na.png{',x' * header.count(',')}\n")
        entry = {"label": "Mine", "source": "table", "table": "t.csv", **face_set}
        config = {
            "datasets": {"mine": entry},
            "networks": {"p": {"label": "p", "architecture": "pixels", "stages": stages}},
            "analysis": {"labels": ["identity", "expression", "Age"]},
            "figures": {"fig4": {"datasets": ["mine"], "networks": ["p"]}, name: figure},
        }
        return plan(load_config(config))

    return make

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

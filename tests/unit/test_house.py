"""The rooms of the library: imports point one way, no circles, no file too long to be read."""

from __future__ import annotations

import ast
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

WORKFLOW = Path(__file__).parents[2] / "workflow"
LIBRARY = WORKFLOW / "scripts" / "facestages"

#: Rooms that a room may import from, beside itself and the ground floor.
ARROWS = {
    "config": set(),
    "plan": {"config"},
    "doctor": {"config", "plan"},
    "stimuli": set(),
    "networks": {"config", "stimuli"},
    "recording": {"networks", "stimuli"},
    "analysis": {"recording", "stimuli"},
    "references": {"analysis", "stimuli"},
    "figures": {"analysis", "stimuli"},
    "claims": set(),
    "report": {"claims", "stimuli"},
}


def module_of(path: Path) -> str:
    parts = path.relative_to(LIBRARY.parent).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


MODULES = {module_of(path): path for path in LIBRARY.rglob("*.py")}


def imports(path: Path, *, at_start: bool) -> set[str]:
    """Modules of the library that a file imports: when it is loaded, or anywhere in it."""
    tree = ast.parse(path.read_text())
    nodes = tree.body if at_start else list(ast.walk(tree))
    found = set()
    for node in nodes:
        if isinstance(node, ast.ImportFrom) and node.module:
            names = [f"{node.module}.{alias.name}" for alias in node.names]
            found |= {name if name in MODULES else node.module for name in names}
        elif isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
    return found & set(MODULES)


def room_of(module: str) -> str:
    """Package below ``facestages``; empty on the ground floor."""
    parts = module.split(".")
    return parts[1] if len(parts) > 1 and parts[1] in ARROWS else ""


@pytest.mark.parametrize("room", ARROWS)
def test_arrows_point_one_way(room):
    for module, path in MODULES.items():
        if room_of(module) == room:
            rooms = {room_of(name) for name in imports(path, at_start=True)}
            assert rooms <= ARROWS[room] | {room, ""}, module


def test_the_ground_floor_carries_itself():
    # These stand on top: explorer, export, what is generated from others.
    above = {
        "facestages",
        *(f"facestages.{name}" for name in ("explorer", "export", "generated", "model_card")),
    }
    front_door = {f"facestages.{name}" for name in ("geometry", "measures", "separability")}
    reads_face_sets = {"facestages.accuracy", "facestages.gram"}
    for module, path in MODULES.items():
        if not room_of(module) and module not in above | front_door | reads_face_sets:
            rooms = {room_of(name) for name in imports(path, at_start=True)}
            assert rooms <= {""}, module


def test_no_circles():
    graph = {name: imports(path, at_start=True) - {name} for name, path in MODULES.items()}
    # A package is loaded before its modules, whatever they import.
    assert len(list(TopologicalSorter(graph).static_order())) == len(MODULES)


def test_no_file_is_too_long():
    lengths = {str(path): len(path.read_text().splitlines()) for path in MODULES.values()}
    assert max(lengths.values()) <= 400, max(lengths, key=lengths.get)
    for path in WORKFLOW.rglob("*.smk"):
        most = 200 if path.name == "common.smk" else 250
        assert len(path.read_text().splitlines()) <= most, path

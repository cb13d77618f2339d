"""The page of the rules: what Snakemake knows of them, as tables, and their graph as a picture."""

from __future__ import annotations

import itertools
import json
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Mapping
from pathlib import Path

import networkx as nx

ROOT = Path(__file__).parents[2]

#: The rules of all figures are one row, and one box of the graph.
_FIGURES = "plot_{figure}"

# Of the picture: half the width of a box in columns, and the colour of arrows.
_HALF, _GREY = 0.41, "#8a9099"


def rule_tables() -> str:
    """A table of rules for each file in ``workflow/rules``: what a rule makes, and where."""
    sections: dict[str, dict[str, str]] = {}
    for rule in read_rules():
        rows = sections.setdefault(rule["file"], {})
        name = _name(rule["name"])
        if name not in rows:
            places = [_place(path, rule["name"]) for path in rule["outputs"]]
            about = "One of the figures." if name == _FIGURES else rule["about"]
            rows[name] = f"| `{name}` | {about} | {'<br>'.join(places)} |"
    parts = []
    for file, rows in sections.items():
        head = "| rule | what it makes | where |\n|---|---|---|"
        parts.append("\n".join([f"## {_title(ROOT / file)}", "", head, *rows.values(), ""]))
    return "\n".join(parts)


def read_rules() -> list[dict]:
    """Name, description, file and outputs of every rule, in the order of the workflow."""
    return json.loads(_run([sys.executable, __file__]))


def default_graph() -> nx.DiGraph:
    """The rules of the default run: an edge leads from a rule to those that read what it makes.

    What follows from other edges is left out.
    """
    with tempfile.TemporaryDirectory() as folder:
        # In an empty folder every job is still to be done.
        command = [sys.executable, "-m", "snakemake", "-s", str(ROOT / "Snakefile"), "-d", folder]
        command += ["--rulegraph", "--profile", "none", "--cores", "1"]
        dot = _run([*command, "--configfile", str(ROOT / "config" / "config.yaml")])
    names = dict(re.findall(r'(\d+)\[label = "(\w+)"', dot))
    edges = re.findall(r"(\d+) -> (\d+)", dot)
    graph = nx.DiGraph((_name(names[a]), _name(names[b])) for a, b in edges)
    graph.remove_node("all")
    return nx.transitive_reduction(graph)


def draw_graph(graph: nx.DiGraph, path: Path) -> None:
    """Draw a graph from left to right, as SVG: rules that read the same stand in one box."""
    import matplotlib
    from matplotlib.figure import Figure

    boxes = _group(graph)
    ways, places = _lay_out(boxes)
    right = max(x for x, _ in places.values())
    low = min(y - _room(stop) / 2 for stop, (_, y) in places.items())
    high = max(y + _room(stop) / 2 for stop, (_, y) in places.items())
    figure = Figure(figsize=(1.62 * (right + 1), 0.24 * (high - low)))
    axes = figure.add_axes((0, 0, 1, 1))
    axes.set(xlim=(-0.5, right + 0.5), ylim=(high, low))
    axes.axis("off")
    for way in ways:
        _draw_arrow(axes, [places[stop] for stop in way])
    for rules in boxes:
        _draw_box(axes, rules, *places[rules])
    path.parent.mkdir(parents=True, exist_ok=True)
    # Text stays text, and the same graph gives the same file.
    with matplotlib.rc_context({"svg.fonttype": "none", "svg.hashsalt": "rules"}):
        figure.savefig(path, transparent=True, metadata={"Date": None})


def _draw_arrow(axes, stops: list[tuple[float, float]]) -> None:
    """A curve from box to box, which passes each column between them on a level."""
    from matplotlib.patches import FancyArrowPatch, PathPatch
    from matplotlib.path import Path as Curve

    points, codes, bend = [], [], 0.5 * (1 - 2 * _HALF)
    for (x, y), (x2, y2) in itertools.pairwise(stops):
        x, x2 = x + _HALF, x2 - _HALF
        points += [(x, y), (x + bend, y), (x2 - bend, y2), (x2, y2)]
        codes += [2 if codes else 1, 4, 4, 4]
    axes.add_patch(PathPatch(Curve(points, codes), fc="none", ec=_GREY, lw=0.9))
    head = {"arrowstyle": "-|>", "mutation_scale": 7, "color": _GREY, "lw": 0}
    axes.add_patch(FancyArrowPatch((x2 - 0.05, y2), (x2 + 0.02, y2), **head))


def _draw_box(axes, rules: tuple[str, ...], x: float, y: float) -> None:
    from matplotlib.patches import FancyBboxPatch

    corner, height = (x - _HALF, y - _height(rules) / 2), _height(rules)
    style = {"boxstyle": "round,pad=0,rounding_size=0.04", "mutation_aspect": 6}
    axes.add_patch(FancyBboxPatch(corner, 2 * _HALF, height, **style, fc="#eaf3f6", ec="#3b6e8f"))
    axes.text(x, y, "\n".join(rules), ha="center", va="center", fontsize=8, linespacing=1.5)


def _group(graph: nx.DiGraph) -> nx.DiGraph:
    """Join the rules that read from the same rules; a box is a tuple of names."""
    alike: dict[frozenset, list[str]] = {}
    for name in sorted(graph):
        alike.setdefault(frozenset(graph.predecessors(name)), []).append(name)
    box = {name: tuple(names) for names in alike.values() for name in names}
    return nx.transitive_reduction(nx.DiGraph((box[a], box[b]) for a, b in graph.edges))


def _lay_out(boxes: nx.DiGraph) -> tuple[list[list], dict]:
    """The way of each arrow, stop by stop, and the place of each box and stop.

    A box stands in the column as near to the end as can be, and in a row near to what it reads. An
    arrow stops in each column that it passes, so that it meets no box there.
    """
    generations = list(nx.topological_generations(boxes.reverse()))
    layers = [sorted(layer) for layer in reversed(generations)]
    column = {box: number for number, layer in enumerate(layers) for box in layer}
    ways = []
    for start, end in sorted(boxes.edges):
        stops = [((), start, end, n) for n in range(column[start] + 1, column[end])]
        for stop in stops:
            layers[stop[-1]].append(stop)
        ways.append([start, *stops, end])
    before: dict = {}
    for a, b in itertools.chain.from_iterable(map(itertools.pairwise, ways)):
        before.setdefault(b, []).append(a)
    places: dict = {}
    for number, layer in enumerate(layers):
        wanted = {stop: _mean_row(before.get(stop, ()), places) for stop in layer}
        order = sorted(layer, key=wanted.__getitem__)
        top = sum(wanted.values()) / len(layer) - sum(map(_room, order)) / 2
        for stop in order:
            places[stop] = (number, top + _room(stop) / 2)
            top += _room(stop)
    return ways, places


def _mean_row(stops: Iterable, places: Mapping) -> float:
    found = [places[stop][1] for stop in stops]
    return sum(found) / len(found) if found else 0.0


def _height(rules: tuple[str, ...]) -> float:
    return 0.7 * len(rules) + 0.6


def _room(stop: tuple) -> float:
    """Height of a box, or of a passing arrow, with the space around it."""
    return _height(stop) + 0.8 if stop[0] else 0.6


def _name(rule: str) -> str:
    return _FIGURES if rule.startswith("plot_") else rule


def _place(path: str, rule: str) -> str:
    # Snakemake adds to each wildcard what it may be, which may hold braces itself.
    path = re.sub(r"\{(\w+),.*?\}(?=[/.x]|$)", r"{\1}", path)
    figure = rule.removeprefix("plot_")
    return f"`{path if figure == rule else path.replace(figure, '{figure}')}`"


def _title(file: Path) -> str:
    """First line of a file of rules."""
    return file.read_text().split('"""')[1].splitlines()[0].rstrip(".")


def _run(command: list[str]) -> str:
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"{' '.join(command)}: {done.stderr[-2000:]}")
    return done.stdout


def _print_rules() -> None:
    """Print the rules as JSON; in a process of its own, as Snakemake changes the one it is in."""
    from snakemake.api import SnakemakeApi
    from snakemake.settings.types import OutputSettings, Quietness, ResourceSettings

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


if __name__ == "__main__":
    _print_rules()

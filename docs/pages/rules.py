"""The page of the rules: what Snakemake knows of them, as tables, and their graph as a picture."""

from __future__ import annotations

import functools
import itertools
import json
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Mapping
from pathlib import Path

import networkx as nx
from docs.pages.markdown import section, table

ROOT = Path(__file__).parents[2]

#: The rules of all figures are one row, and one box of the graph.
_FIGURES = "plot_{figure}"

# Of the picture: the width of a box and the height of a line in inches, and the colour of arrows.
_COLUMN, _LINE, _GREY = 1.6, 0.178, "#8a9099"


def rule_tables() -> str:
    """A table of rules for each file in ``workflow/rules``: what a rule makes, and where."""
    sections: dict[str, dict[str, tuple[str, str]]] = {}
    for rule in read_rules():
        rows = sections.setdefault(rule["file"], {})
        name = _name(rule["name"])
        if name not in rows:
            places = [_place(path, rule["name"]) for path in rule["outputs"]]
            about = "A figure, its numbers and its caption." if name == _FIGURES else rule["about"]
            rows[name] = (f"`{name}`", "<br>".join([about, *places]))
    heads = ("rule", "what it makes, and where")
    return "\n".join(
        section(_title(ROOT / file), table(heads, rows.values())) for file, rows in sections.items()
    )


@functools.cache
def read_rules() -> list[dict]:
    """Name, description, file and outputs of every rule, in the order of the workflow."""
    return json.loads(_run([sys.executable, str(Path(__file__).with_name("print_rules.py"))]))


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
    """Draw a graph from top to bottom, as SVG: rules that read the same stand in one box."""
    import matplotlib
    from matplotlib.figure import Figure

    boxes = _group(graph)
    ways, places = _lay_out(boxes)
    left = min(x - _room(stop) / 2 for stop, (x, _, _) in places.items())
    right = max(x + _room(stop) / 2 for stop, (x, _, _) in places.items())
    depth = max(y + height / 2 for _, y, height in places.values()) + 0.3
    figure = Figure(figsize=(_COLUMN * (right - left), _LINE * (depth + 0.3)))
    axes = figure.add_axes((0, 0, 1, 1))
    axes.set(xlim=(left, right), ylim=(depth, -0.3))
    axes.axis("off")
    for way in ways:
        _draw_arrow(axes, [places[stop] for stop in way])
    for rules in boxes:
        _draw_box(axes, rules, *places[rules])
    path.parent.mkdir(parents=True, exist_ok=True)
    # Text stays text, and the same graph gives the same file.
    with matplotlib.rc_context({"svg.fonttype": "none", "svg.hashsalt": "rules"}):
        figure.savefig(path, transparent=True, metadata={"Date": None})


def _draw_arrow(axes, stops: list[tuple[float, float, float]]) -> None:
    """A curve from box to box, which passes each level between them upright."""
    from matplotlib.patches import FancyArrowPatch, PathPatch
    from matplotlib.path import Path as Curve

    points, codes = [], []
    for (x, y, height), (x2, y2, height2) in itertools.pairwise(stops):
        start, end = y + height / 2, y2 - height2 / 2
        middle = (start + end) / 2
        points += [(x, start), (x, middle), (x2, middle), (x2, end)]
        codes += [Curve.LINETO if codes else Curve.MOVETO, *[Curve.CURVE4] * 3]
    axes.add_patch(PathPatch(Curve(points, codes), fc="none", ec=_GREY, lw=0.9))
    head = {"arrowstyle": "-|>", "mutation_scale": 7, "color": _GREY, "lw": 0}
    axes.add_patch(FancyArrowPatch((x2, end - 0.3), (x2, end + 0.1), **head))


def _draw_box(axes, rules: tuple[str, ...], x: float, y: float, height: float) -> None:
    from matplotlib.patches import FancyBboxPatch

    style = {"boxstyle": "round,pad=0,rounding_size=0.04", "mutation_aspect": _COLUMN / _LINE}
    corner = (x - 0.5, y - height / 2)
    axes.add_patch(FancyBboxPatch(corner, 1, height, **style, fc="#eaf3f6", ec="#3b6e8f"))
    axes.text(x, y, "\n".join(rules), ha="center", va="center", fontsize=9, linespacing=1.4)


def _group(graph: nx.DiGraph) -> nx.DiGraph:
    """Join the rules that read from the same rules; a box is a tuple of names."""
    alike: dict[frozenset, list[str]] = {}
    for name in sorted(graph):
        alike.setdefault(frozenset(graph.predecessors(name)), []).append(name)
    box = {name: tuple(names) for names in alike.values() for name in names}
    return nx.transitive_reduction(nx.DiGraph((box[a], box[b]) for a, b in graph.edges))


def _lay_out(boxes: nx.DiGraph) -> tuple[list[list], dict]:
    """The way of each arrow, stop by stop, and the centre and height of each box and stop.

    A box stands on the level as near to the end as can be, and in a column near to what it reads.
    An arrow stops on each level that it passes, as high as the level, so that it meets no box.
    """
    levels = [sorted(level) for level in nx.topological_generations(boxes.reverse())][::-1]
    level_of = {box: number for number, level in enumerate(levels) for box in level}
    ways = []
    for start, end in sorted(boxes.edges):
        stops = [((), start, end, n) for n in range(level_of[start] + 1, level_of[end])]
        for stop in stops:
            levels[stop[-1]].append(stop)
        ways.append([start, *stops, end])
    before: dict = {}
    for a, b in itertools.chain.from_iterable(map(itertools.pairwise, ways)):
        before.setdefault(b, []).append(a)
    places: dict = {}
    top = 0.0
    for level in levels:
        wanted = {stop: _mean_column(before.get(stop, ()), places) for stop in level}
        left = sum(wanted.values()) / len(level) - sum(map(_room, level)) / 2
        height = max(map(_height, filter(level_of.__contains__, level)))
        for stop in sorted(level, key=wanted.__getitem__):
            own = _height(stop) if stop in level_of else height
            places[stop] = (left + _room(stop) / 2, top + height / 2, own)
            left += _room(stop)
        top += height + 1.7
    return ways, places


def _mean_column(stops: Iterable, places: Mapping) -> float:
    found = [places[stop][0] for stop in stops]
    return sum(found) / len(found) if found else 0.0


def _height(rules: tuple[str, ...]) -> float:
    """Height of a box, in lines."""
    return len(rules) + 0.7


def _room(stop: tuple) -> float:
    """Width of a box, or of a passing arrow, with the space around it."""
    return 1.15 if stop[0] else 0.2


def _name(rule: str) -> str:
    return _FIGURES if rule.startswith("plot_") else rule


def _place(path: str, rule: str) -> str:
    # Snakemake adds to each wildcard what it may be, which may hold braces itself.
    path = re.sub(r"\{(\w+),.*?\}(?=[/.x]|$)", r"{\1}", path)
    figure = rule.removeprefix("plot_")
    return f"`{path if figure == rule else path.replace(figure, '{figure}')}`"


def _title(file: Path) -> str:
    """First line of a file of rules; the rule of all stands in the Snakefile itself."""
    if file.name == "Snakefile":
        return "Everything"
    return file.read_text().split('"""')[1].splitlines()[0].rstrip(".")


def _run(command: list[str]) -> str:
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"{' '.join(command)}: {done.stderr[-2000:]}")
    return done.stdout

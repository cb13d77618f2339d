"""Figure 3: people in pixels, in an untrained network and in one trained on objects."""

from __future__ import annotations

import os
import textwrap
from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from facestages.errors import FacestagesError
from facestages.figures import maps, style

# Millimetres: a panel's width and height, what stands above it, and below it.
_WIDTH, _HEIGHT, _ABOVE, _BELOW = 81, 62, 13, 6
_FACE = 7.0
# Numbers of principal components whose silhouette the paper gives.
_COMPONENTS = ("2", "10")


def draw_fig3(
    panels: Sequence[Mapping],
    stimuli: str | os.PathLike,
    scores: pd.DataFrame,
    *,
    dataset: str,
    absent: Mapping[str, str] | None = None,
) -> tuple[Figure, pd.DataFrame, str]:
    """Draw maps of pixels and layers, each with the silhouette of identity on it and off it.

    Parameters
    ----------
    panels : sequence of mapping
        Panels in order, of plain values: ``network``, its ``title`` in figures, ``layer``,
        ``space`` (``umap`` or ``pca``), and ``file``: of the network's first seed, that of
        `analysis.embedding.embed_umap` for ``umap``, of
        `analysis.geometry.measure_geometry` for ``pca``; None where there is none.
    stimuli : path-like
        The face set; of its pictures only those shown are read.
    scores : pandas.DataFrame
        Rows of `analysis.separability.score_separability` and of
        `analysis.embedding.embed_umap`, of all seeds of the networks.
    dataset : str
        The face set's name in figures.
    absent : mapping of str to str
        For a panel's letter or a network, why there is nothing of it.

    Returns
    -------
    figure : matplotlib.figure.Figure
    numbers : pandas.DataFrame
        Silhouettes of identity (``space``: umap, 2 or 10 components, all) of every seed, and
        ``variance_explained`` of PC1 and PC2.
    caption : str
        The text below the figure.

    Raises
    ------
    FacestagesError
        If no panel can be drawn, or a file is of other stimuli.
    """
    shown = maps.read_faces(stimuli)
    found = [
        _read_panel(*pair, shown, absent or {})
        for pair in zip("abcdefgh"[: len(panels)], panels, strict=True)
    ]
    drawn = [panel for panel in found if isinstance(panel["map"], maps.Map)]
    if not drawn:
        raise FacestagesError(f"Figure 3 has nothing to draw: {found[0]['map']}")
    for panel in drawn:
        panel["numbers"] = _measure(panel, scores)
    numbers = [row for panel in found for row in _number(panel, shown)]
    caption = _caption(found, shown, dataset)

    rows = -(-len(panels) // 2)
    figure = maps.new_page((_ABOVE + _HEIGHT + _BELOW) * rows, caption)
    for place, panel in enumerate(found):
        left = 6 + (place % 2) * (_WIDTH + 8)
        top = (place // 2) * (_ABOVE + _HEIGHT + _BELOW) + _ABOVE
        axis = maps.add_axes(figure, left, top, _WIDTH, _HEIGHT)
        _draw_panel(axis, panel, shown)
    return figure, pd.DataFrame(numbers, columns=maps.COLUMNS), caption


def _read_panel(letter: str, panel: Mapping, shown: maps.Faces, absent: Mapping) -> dict:
    """A panel with its map, or with the line that says why there is none."""
    network = panel["network"]
    missing = absent.get(letter) or absent.get(network)
    if missing is None and panel["file"] is None:
        missing = f"network {network}: not measured"
    if missing is None:
        kind = "embedding" if panel["space"] == "umap" else "geometry"
        digest = shown.known["stimuli_digest"]
        missing = maps.read_map(panel["file"], kind, panel["layer"], digest)
    return {**panel, "letter": letter, "map": missing, "numbers": []}


def _measure(panel: Mapping, scores: pd.DataFrame) -> list[dict]:
    """What is said of a panel: silhouettes of each seed, the drawn one first, and variances."""
    known = panel["map"].known
    own = scores[scores["network"].astype(str).eq(str(known["network"]))]
    others = sorted(set(own["seed"].astype(int)) - {int(known["seed"])})
    spaces = ("umap", "all") if panel["space"] == "umap" else (*_COMPONENTS, "all")
    rows = []
    for seed in (int(known["seed"]), *others):
        for space in spaces:
            where = {**known, "seed": seed}
            row = maps.find_score(own, where, panel["layer"], space)
            rows.append({**row, "seed": seed})
    if panel["map"].variance is not None:
        for number, share in enumerate(panel["map"].variance, start=1):
            row = {"measure": "variance_explained", "space": f"PC{number}", "value": share}
            rows.append({**row, "seed": int(known["seed"]), "note": ""})
    return rows


def _number(panel: Mapping, shown: maps.Faces) -> list[dict]:
    """Rows of numbers of a panel, a line with a note where it is missing."""
    where = {
        "panel": panel["letter"],
        "dataset": shown.known["dataset"],
        "rendered": int(shown.known.get("rendered", 0)),
        "network": panel["network"],
        "layer": panel["layer"],
    }
    if isinstance(panel["map"], str):
        return [{**where, "note": panel["map"]}]
    return [{**where, **row} for row in panel["numbers"]]


def _silhouettes(panel: Mapping, space: str) -> tuple[dict, list[float]]:
    """Silhouette of the drawn seed in a space, and the values of all seeds that have one."""
    rows = [row for row in panel["numbers"] if row["space"] == space]
    values = [row["value"] for row in rows if np.isfinite(row["value"])]
    return rows[0], values


def _draw_panel(axis: Axes, panel: Mapping, shown: maps.Faces) -> None:
    title = f"{panel['letter']}  {panel['title']}"
    if isinstance(panel["map"], str):
        maps.add_title(axis, title, room=2)
        style.say_missing(axis, panel["map"], columns=48)
        return
    points, variance = panel["map"].points, panel["map"].variance
    if variance is None:
        names, kind = ("UMAP 1", "UMAP 2"), "UMAP"
        on, off = (_silhouettes(panel, space) for space in ("umap", "all"))
        said = f"on the map {_with_range(*on)},"
        rest = f"in the layer's space {_with_range(*off)}"
    else:
        names = tuple(f"PC{k} ({share:.1%} of variance)" for k, share in enumerate(variance, 1))
        kind = "principal components"
        two, ten, off = (_silhouettes(panel, space) for space in (*_COMPONENTS, "all"))
        said = f"in 2 components {_with_range(*two)},"
        rest = f"in 10 components {_with_range(*ten)}, in the full space {_with_range(*off)}"
    if panel["layer"].lower() != panel["title"].lower():
        kind += f" of {panel['layer']}"
    first = panel["numbers"][0]
    if np.isfinite(first["value"]):
        maps.add_title(axis, f"{title}: {kind}", f"identity silhouette {said}", rest, room=2)
    else:
        words = textwrap.wrap(f"no identity silhouette: {first['note']}", 60)
        maps.add_title(axis, f"{title}: {kind}", *words, room=2)
    maps.draw_people(axis, points, shown.people, names)
    maps.add_faces(axis, shown, points, _FACE)


def _with_range(row: Mapping, values: Sequence[float]) -> str:
    """The drawn seed's value and, of several seeds, the lowest and highest."""
    if len(values) < 2:
        return maps.spell(row)
    ends = (maps.spell({"value": end}) for end in (min(values), max(values)))
    return f"{maps.spell(row)} ({len(values)} seeds: {' to '.join(ends)})"


def _caption(found: Sequence[Mapping], shown: maps.Faces, dataset: str) -> str:
    drawn = [panel for panel in found if isinstance(panel["map"], maps.Map)]
    maps_drawn = [panel for panel in drawn if panel["map"].variance is None]
    parts = [shown.words(dataset)]
    parts.append(maps.PEOPLE_WORDS)
    parts.append("Mean silhouette of identity, Euclidean distance [95 % interval over people]:")
    said = [f"{panel['letter']} {_spell_all(panel)}" for panel in drawn]
    parts.append("; ".join(said) + ".")
    if maps_drawn:
        parts.append(maps.umap_words([panel["map"].known for panel in maps_drawn]))
        counts = [f"{p['letter']} {p['map'].known['graph_parts']}" for p in maps_drawn]
        parts.append(maps.PARTS_WORDS.format(", ".join(counts)))
    seeds = {panel["title"]: len(_seeds(panel)) for panel in drawn}
    listed = ", ".join(f"{title} {count}" for title, count in seeds.items())
    parts.append(f"Seeds: {listed}; the maps show the first.")
    missing = [f"{p['letter']}: {p['map']}" for p in found if isinstance(p["map"], str)]
    parts += [f"LEFT OUT: {line.rstrip('.')}." for line in missing]
    return " ".join(parts)


def _seeds(panel: Mapping) -> set[int]:
    return {row["seed"] for row in panel["numbers"]}


def _spell_all(panel: Mapping) -> str:
    words = {"umap": "map", "2": "2 components", "10": "10 components", "all": "full space"}
    own = (_silhouettes(panel, space)[0] for space in words if _has(panel, space))
    return ", ".join(f"{words[row['space']]} {maps.spell(row, with_interval=True)}" for row in own)


def _has(panel: Mapping, space: str) -> bool:
    return any(row["space"] == space for row in panel["numbers"])

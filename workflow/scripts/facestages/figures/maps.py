"""Maps of a layer's space, as Figures 2 and 3 show them: people as points, and their faces."""

from __future__ import annotations

import os
import textwrap
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from facestages import store
from facestages.figures import faces, style
from facestages.figures.face_set import FaceSet

#: Columns of the numbers of Figures 2 and 3.
COLUMNS = [
    *("panel", "dataset", "rendered", "network", "seed", "stage", "layer", "label"),
    *("label_source", "measure", "space", "value", "ci_low", "ci_high", "null_mean", "n", "note"),
]

#: The caption's sentence on the marks of a map.
PEOPLE = (
    "Each person has a colour and a marker; faces: each person's most central picture, where there "
    "is room."
)


class Map(NamedTuple):
    """Two coordinates of each picture; or, in `missing`, why there are none."""

    missing: str = ""
    points: np.ndarray | None = None
    #: Attributes of the file and of the layer's group.
    attributes: Mapping[str, object] | None = None
    #: Share of the variance of each axis; of principal components only.
    variance: np.ndarray | None = None


class Panel(NamedTuple):
    """A map with its letter, and its rows of the table of numbers."""

    letter: str
    title: str
    layer: str
    map: Map
    numbers: list[dict]


def read_map(path: str | os.PathLike, kind: str, layer: str, stimuli_digest: str) -> Map:
    """Read the map of a layer, which has no points where the file has no such layer or no plane.

    The file is that of `analysis.embedding.embed_umap` (`kind` is ``"embedding"``) or of
    `analysis.geometry.measure_geometry` (``"geometry"``), and must be of the face set with this
    digest.
    """
    with store.open_read(path, kind, stimuli_digest=stimuli_digest) as file:
        network = file.attrs["network"]
        if layer not in file:
            return Map(f"network {network} has no stage or layer '{layer}' here")
        group = file[layer]
        attributes = {**file.attrs, **group.attrs}
        if kind == "embedding":
            return Map("", group["umap"][:], attributes)
        if group["score"].shape[1] < 2:
            return Map(f"network {network}, layer {layer}: one principal component only, no plane")
        return Map("", group["score"][:, :2], attributes, group["variance_ratio"][:2])


def medoids(points: np.ndarray, people: Sequence) -> np.ndarray:
    """The most central of the points (n, 2) of each person, as rows in the order of the people.

    It has the least sum of distances to the person's other points.
    """
    people = np.asarray(people)
    central = []
    for person in dict.fromkeys(people):
        rows = np.flatnonzero(people == person)
        sums = [np.linalg.norm(points[rows] - point, axis=1).sum() for point in points[rows]]
        central.append(rows[int(np.argmin(sums))])
    return np.array(central)


def draw_map(
    axis: Axes,
    panel: Panel,
    face_set: FaceSet,
    lines: Sequence[str],
    names: Sequence[str],
    millimetres: float,
    columns: int,
) -> None:
    """Draw a panel's title, at most two lines below it, and its map, or why there is none.

    `names` are those of the two axes, `millimetres` is the height of a face, and `columns` the
    length of a line that says why there is no map.
    """
    add_title(axis, panel.title, *lines, room=2)
    if panel.map.missing:
        style.say_missing(axis, panel.map.missing, columns=columns)
        return
    draw_people(axis, panel.map.points, face_set.identities, names)
    points, rows = panel.map.points, medoids(panel.map.points, face_set.identities)
    places = faces.free_places(axis, points, rows, millimetres)
    faces.draw_faces_at(axis, face_set.pictures(rows), points[rows], millimetres, places)


def draw_people(axis: Axes, points: np.ndarray, people: Sequence, names: Sequence[str]) -> None:
    """Draw points (n, 2), a colour and a marker a person. The axes have no unit, so no ticks."""
    people = np.asarray(people)
    size = 10 if len(points) <= 2000 else 5
    for person, look in style.point_styles(people).items():
        axis.scatter(*points[people == person].T, s=size, alpha=0.8, linewidths=0, **look)
    axis.set_aspect("equal", adjustable="datalim")
    # Room for faces around the outermost points.
    axis.margins(0.12)
    axis.set(xticks=[], yticks=[])
    axis.set_xlabel(names[0], labelpad=2)
    axis.set_ylabel(names[1], labelpad=2)


def find_score(
    scores: pd.DataFrame,
    where: Mapping[str, object],
    layer: str,
    space: str,
    measure: str = "silhouette",
    label: str = "identity",
) -> dict[str, object]:
    """A measurement of a layer, as part of a row of numbers; NaN and a note if there is none.

    `scores` holds rows of `analysis.separability.score_separability` and
    `analysis.embedding.embed_umap`; `where` gives ``dataset``, ``network`` and ``seed``; `space` is
    ``"umap"``, ``"all"``, or a number of principal components.
    """
    chosen = scores["layer"].eq(layer) & scores["components"].astype(str).eq(space)
    chosen &= scores["measure"].eq(measure) & scores["label"].eq(label)
    for name in ("dataset", "network", "seed"):
        chosen &= scores[name].astype(str).eq(str(where[name]))
    row = {"label": label, "measure": measure, "space": space}
    if not chosen.any():
        return {**row, "value": np.nan, "note": "not measured"}
    score = scores[chosen].iloc[0]
    kept = ("label_source", "value", "ci_low", "ci_high", "null_mean", "n", "note")
    row |= {name: score[name] for name in kept if name in score}
    if not np.isfinite(row["value"]):
        row["note"] = row["note"] or "not measured"
    return row


def spell(row: Mapping[str, object], with_interval: bool = False) -> str:
    """A value with two decimals and, if wanted, its interval and chance; or why there is none."""
    if not np.isfinite(row["value"]):
        return f"none ({row['note']})"
    text = f"{row['value']:.2f}"
    if with_interval and np.isfinite(row.get("ci_low", np.nan)):
        text += f" [{row['ci_low']:.2f}, {row['ci_high']:.2f}]"
    if with_interval and np.isfinite(row.get("null_mean", np.nan)):
        text += f" (chance {row['null_mean']:.2f})"
    return text.replace("-", "\N{MINUS SIGN}")


def changes_in_words(rows: Sequence[Mapping[str, object]], names: Sequence[str]) -> str:
    """How silhouettes of identity differ between the first and the last of some maps' layers.

    More or less where the intervals over people are apart.
    """
    first, last = rows[0], rows[-1]
    if last["ci_low"] > first["ci_high"]:
        course = "more separate"
    elif last["ci_high"] < first["ci_low"]:
        course = "less separate"
    else:
        course = "not clearly more or less separate"
    return (
        f"people are {course} in {names[-1]} (silhouette {spell(last)}) than in {names[0]} "
        f"({spell(first)})"
    )


def add_title(axis: Axes, title: str, *lines: str, room: int = 0) -> None:
    """A panel's title, and below it lines in smaller type, with `room` for so many at least."""
    axis.set_title(title, loc="left", pad=3 + 8.8 * max(room, len(lines)))
    axis.annotate(
        "\n".join(lines),
        (0, 1),
        xytext=(0, 2),
        xycoords="axes fraction",
        textcoords="offset points",
        fontsize=7,
        va="bottom",
        linespacing=1.15,
    )


def no_silhouette(note: str, columns: int) -> list[str]:
    """Lines below the title of a map without a silhouette of identity."""
    return textwrap.wrap(f"no identity silhouette: {note}", columns)


def describe_umaps(panels: Sequence[Panel]) -> list[str]:
    """The caption's sentences on UMAPs: the settings of the first, and warnings."""
    if not panels:
        return []
    first = panels[0].map.attributes
    parts = ", ".join(f"{panel.letter} {panel.map.attributes['graph_parts']}" for panel in panels)
    return [
        f"UMAP: {first['neighbours']} neighbours, minimal distance {first['min_dist']:g}, seed "
        f"{first['umap_seed']}, umap-learn {first['umap_version']}.",
        "UMAP keeps neighbours, not distances: silhouettes on the map are not those of the layer. "
        f"Parts of the graph of neighbours: {parts}; separate parts have arbitrary places.",
    ]

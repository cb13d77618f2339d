"""Maps of a layer's space in figures: people as points, some of their faces, and what is said."""

from __future__ import annotations

import os
import textwrap
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd
from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from facestages import store
from facestages.figures import faces, style
from facestages.stimuli import read_labels
from facestages.stimuli.sample import pictures_in_words

#: Columns of the numbers of Figures 2 and 3.
COLUMNS = [
    *("panel", "dataset", "rendered", "network", "seed", "stage", "layer", "label"),
    *("label_source", "measure", "space", "value", "ci_low", "ci_high", "n", "note"),
]

#: Said of what stands on a map.
PEOPLE_WORDS = (
    "A colour and a marker a person; faces: each person's most central picture, where it has room."
)

#: Said wherever clusters lie apart on a UMAP; takes the numbers of parts.
PARTS_WORDS = (
    "UMAP keeps who is near whom, not how far: silhouettes on it are not those of the layer. Parts "
    "of the graph of neighbours: {}; where several lie on the map is arbitrary."
)

_CAPTION_COLUMNS = 135
# Height of a line of the caption: 7 points and the space between lines.
_CAPTION_LINE = 7 * 1.25 / 72 * 25.4


class Faces(NamedTuple):
    """A face set as figures need it; its pictures are read one by one."""

    path: str | os.PathLike
    labels: pd.DataFrame
    sources: dict[str, str]
    known: dict[str, object]

    @property
    def people(self) -> np.ndarray:
        """Person of each picture; one and the same where the face set knows none."""
        if "identity" in self.labels:
            return self.labels["identity"].astype(str).to_numpy()
        return np.full(len(self.labels), "")

    def pictures(self, rows: Sequence[int]) -> list[np.ndarray]:
        with store.open_read(self.path, "stimuli") as file:
            return [file["images"][int(row)] for row in rows]

    def words(self, title: str) -> str:
        """How many pictures of how many people, and whether they are renders."""
        n, people = len(self.labels), len(set(self.people))
        of = f" of {people} {'person' if people == 1 else 'people'}" if self.people[0] else ""
        said = f"{title}, {pictures_in_words(n, self.known)}{of}."
        if int(self.known.get("rendered", 0)):
            said += " All faces are RENDERED, not photographs."
        return said


def read_faces(path: str | os.PathLike) -> Faces:
    """Read what figures need of a face set, without its pictures."""
    return Faces(path, *read_labels(path))


class Map(NamedTuple):
    """Two coordinates of each picture, and where they come from."""

    points: np.ndarray
    #: Attributes of the file and of the layer's group.
    known: dict[str, object]
    #: Share of the variance of each axis, of principal components only.
    variance: np.ndarray | None


def read_map(path: str | os.PathLike, kind: str, layer: str, stimuli_digest: object) -> Map | str:
    """Read a map of a layer from a file of UMAPs or of principal components.

    Parameters
    ----------
    path : path-like
        HDF5 file of `analysis.embedding.embed_umap` or `analysis.geometry.measure_geometry`.
    kind : str
        ``"embedding"`` or ``"geometry"``.
    layer : str
    stimuli_digest
        Of the face set that it must be of.

    Returns
    -------
    Map or str
        A line that says what is missing where the file has no such layer, or no plane.
    """
    with store.open_read(path, kind, stimuli_digest=stimuli_digest) as file:
        network = file.attrs["network"]
        if layer not in file:
            return f"network {network} has no stage or layer '{layer}' here"
        group = file[layer]
        known = {**file.attrs, **group.attrs}
        if kind == "embedding":
            return Map(group["umap"][:], known, None)
        if group["score"].shape[1] < 2:
            return f"network {network}, layer {layer}: one principal component only, no plane"
        return Map(group["score"][:, :2], known, group["variance_ratio"][:2])


def medoids(points: np.ndarray, people: Sequence) -> np.ndarray:
    """The most central point of each person: that with the least sum of distances to the others.

    Parameters
    ----------
    points : numpy.ndarray, shape (n, 2)
    people : sequence, shape (n,)

    Returns
    -------
    numpy.ndarray of int
        A row for each person, in the order in which they come.
    """
    people = np.asarray(people)
    central = []
    for person in dict.fromkeys(people):
        rows = np.flatnonzero(people == person)
        own = points[rows]
        sums = [np.linalg.norm(own - point, axis=1).sum() for point in own]
        central.append(rows[int(np.argmin(sums))])
    return np.array(central)


def draw_people(axis: Axes, points: np.ndarray, people: Sequence, names: Sequence[str]) -> None:
    """Draw a map: a colour and a marker a person, equal scales, no ticks (they have no unit).

    Parameters
    ----------
    axis : matplotlib.axes.Axes
    points : numpy.ndarray, shape (n, 2)
    people : sequence, shape (n,)
    names : sequence of str
        Names of the two axes.
    """
    people = np.asarray(people)
    size = 7 if len(points) <= 2000 else 3
    for person, look in style.point_styles(people).items():
        axis.scatter(*points[people == person].T, s=size, alpha=0.8, linewidths=0, **look)
    axis.set_aspect("equal", adjustable="datalim")
    # Room for faces around the outermost points.
    axis.margins(0.12)
    axis.set_xticks([])
    axis.set_yticks([])
    axis.set_xlabel(names[0], labelpad=2)
    axis.set_ylabel(names[1], labelpad=2)


def add_faces(axis: Axes, shown: Faces, points: np.ndarray, millimetres: float) -> int:
    """Draw each person's most central picture beside its point, where there is room.

    Returns the number of faces drawn.
    """
    rows = medoids(points, shown.people)
    places = faces.free_places(axis, points, rows, millimetres)
    faces.draw_faces_at(axis, shown.pictures(rows), points[rows], millimetres, places)
    return int(np.isfinite(places).all(axis=1).sum())


def find_score(
    scores: pd.DataFrame,
    known: Mapping[str, object],
    layer: str,
    space: str,
    measure: str = "silhouette",
    label: str = "identity",
) -> dict[str, object]:
    """A measurement of a layer, as part of a row of numbers.

    Parameters
    ----------
    scores : pandas.DataFrame
        Rows of `analysis.separability.score_separability` and `analysis.embedding.embed_umap`.
    known : mapping
        ``dataset``, ``network`` and ``seed``.
    layer : str
    space : str
        ``"umap"``, ``"all"``, or a number of principal components.
    measure, label : str

    Returns
    -------
    dict
        ``label, label_source, measure, space, value, ci_low, ci_high, n, note``; without a
        measurement the value is NaN, and the note says so.
    """
    chosen = scores["layer"].eq(layer) & scores["components"].astype(str).eq(space)
    chosen &= scores["measure"].eq(measure) & scores["label"].eq(label)
    for name in ("dataset", "network", "seed"):
        chosen &= scores[name].astype(str).eq(str(known[name]))
    row = {"label": label, "measure": measure, "space": space}
    if not chosen.any():
        return {**row, "value": np.nan, "note": "not measured"}
    found = scores[chosen].iloc[0]
    kept = ("label_source", "value", "ci_low", "ci_high", "n", "note")
    row |= {name: found[name] for name in kept if name in found}
    if not np.isfinite(row["value"]):
        row["note"] = row["note"] or "not measured"
    return row


def spell(row: Mapping[str, object], with_interval: bool = False) -> str:
    """A value with two decimals, its interval if wanted and known, or why there is none."""
    if not np.isfinite(row["value"]):
        return f"none ({row['note']})"
    text = f"{row['value']:.2f}".replace("-", "\N{MINUS SIGN}")
    if with_interval and np.isfinite(row.get("ci_low", np.nan)):
        ends = f"{row['ci_low']:.2f}, {row['ci_high']:.2f}".replace("-", "\N{MINUS SIGN}")
        text += f" [{ends}]"
    return text


def add_title(axis: Axes, title: str, *lines: str, room: int = 0) -> None:
    """A panel's title, and below it what is measured, in smaller type, with room for some lines."""
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


def new_page(height: float, caption: str) -> Figure:
    """A figure of the page's width, `height` mm high and its caption below."""
    style.use_style()
    lines = len(textwrap.wrap(caption, _CAPTION_COLUMNS))
    whole = height + lines * _CAPTION_LINE + 3
    figure = plt.figure(figsize=(style.PAGE_WIDTH, whole * style.MILLIMETRE))
    style.add_caption(figure, caption, _CAPTION_COLUMNS)
    return figure


def add_axes(figure: Figure, left: float, top: float, width: float, height: float) -> Axes:
    """Axes at a place in millimetres from the page's upper left corner."""
    wide, high = (length / style.MILLIMETRE for length in figure.get_size_inches())
    return figure.add_axes((left / wide, 1 - (top + height) / high, width / wide, height / high))


def umap_words(known: Sequence[Mapping[str, object]]) -> str:
    """The settings of some UMAPs, which are those of the first."""
    first = known[0]
    return (
        f"UMAP: {first['neighbours']} neighbours, minimal distance {first['min_dist']:g}, seed "
        f"{first['umap_seed']}, umap-learn {first['umap_version']}."
    )


def shorten(text: str, length: int) -> str:
    """A name that is not longer than there is room, its middle left out."""
    if len(text) <= length:
        return text
    half = (length - 1) // 2
    return f"{text[:half]}\N{HORIZONTAL ELLIPSIS}{text[-half:]}"

"""A contact sheet: what went into a face set, and what became of it."""

from __future__ import annotations

import os
import textwrap

import h5py
import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from facestages.figures import style
from facestages.stimuli import Example, read_examples, read_irregular, read_labels

_COLUMNS = 12
_PICTURES = 48
_EYE_COLOR = "#00A0FF"
_LEFT_OUT_COLOR = "#B03000"
_TILE = 18 * style.MILLIMETRE
_FONT = 5


def draw_sheet(
    stimuli: str | os.PathLike, title: str, predictions: str | os.PathLike | None = None
) -> Figure:
    """Draw a face set's contact sheet.

    Where there were pictures before, each original stands beside its stimulus, the eyes marked if
    they were looked for: some at even steps through the set, those of which the detector was least
    certain, and those that were left out or taken whole. Else stimuli alone are shown, at even
    steps.

    Parameters
    ----------
    stimuli : path-like
        The face set's HDF5 file.
    title : str
        The face set's name in figures.
    predictions : path-like, optional
        A network's predictions, if the analyses take them as the label ``expression``.

    Returns
    -------
    matplotlib.figure.Figure
    """
    style.use_style()
    labels, sources, known = read_labels(stimuli, predictions)
    examples = read_examples(stimuli)
    rows = {name: number for number, name in enumerate(labels["stimulus_id"])}
    kept = np.linspace(0, len(labels) - 1, min(_PICTURES, len(labels))).astype(int)
    wanted = [rows[e.stimulus_id] for e in examples if e.stimulus_id] if examples else list(kept)
    with h5py.File(stimuli, "r") as file:
        pictures = {row: file["images"][row] for row in wanted}
    n_tiles = 2 * len(examples) if examples else len(kept)
    lines = -(-n_tiles // _COLUMNS)
    figure, axes = plt.subplots(
        lines,
        _COLUMNS,
        figsize=(_COLUMNS * _TILE, lines * 1.2 * _TILE + 0.5),
        squeeze=False,
        layout="constrained",
    )
    for axis in axes.flat:
        axis.set_axis_off()
    tiles = iter(axes.flat)
    if examples:
        for example in examples:
            row = rows.get(example.stimulus_id)
            picture = None if row is None else pictures[row]
            expression = "" if row is None else labels.iloc[row].get("expression", "")
            _draw_pair(next(tiles), next(tiles), example, picture, expression)
    else:
        for row in kept:
            axis = next(tiles)
            _show(axis, pictures[row])
            axis.set_title(_caption(labels.iloc[row]), fontsize=_FONT, pad=2)
    n_irregular = len(read_irregular(stimuli))
    heading = _heading(title, labels, sources, known, n_irregular)
    figure.suptitle(heading, fontsize=8, ha="left", x=0.01)
    return figure


def _heading(title, labels, sources, known, n_irregular: int) -> str:
    people = labels["identity"].nunique() if "identity" in labels else None
    parts = [f"{title}: {len(labels):,} pictures" + (f" of {people} people" if people else "")]
    if known.get("rendered", 0):
        parts.append("all RENDERED, not photographs")
    if "expression" in labels:
        parts.append(f"expression: {sources['expression']}")
    if "face_score" in labels:
        parts.append("each original (eyes marked) with its stimulus")
    if n_irregular:
        parts.append(f"{n_irregular} left out or taken otherwise, see the report")
    return textwrap.fill("; ".join(parts) + ".", 150)


def _caption(row) -> str:
    """Two short lines: which picture, and what it is said to show."""
    return "\n".join(filter(None, [_shorten(row["stimulus_id"]), row.get("expression", "")]))


def _shorten(name: str) -> str:
    return name if len(name) <= 20 else "..." + name[-18:]


def _draw_pair(
    left: Axes, right: Axes, example: Example, picture: np.ndarray | None, expression: str
) -> None:
    _show(left, example.original)
    left.plot(*example.eyes.T, "+", color=_EYE_COLOR, markersize=3.5, markeredgewidth=0.7)
    left.set_title(_shorten(example.stimulus_id or example.file), fontsize=_FONT, pad=2)
    if picture is None:
        text = textwrap.fill(example.note, 16)
        right.text(0.5, 0.5, text, ha="center", va="center", fontsize=_FONT, color=_LEFT_OUT_COLOR)
        return
    _show(right, picture)
    right.set_title(", ".join(filter(None, [expression, example.note])), fontsize=_FONT, pad=2)


def _show(axis: Axes, picture: np.ndarray) -> None:
    axis.imshow(picture, cmap="gray", vmin=0, vmax=255, interpolation="antialiased")

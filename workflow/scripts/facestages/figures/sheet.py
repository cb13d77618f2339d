"""A contact sheet: original pictures beside the stimuli that were made of them."""

from __future__ import annotations

import os
import textwrap
from collections.abc import Sequence

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from facestages.figures import page, style
from facestages.figures.face_set import FaceSet, placeholder, read_face_set
from facestages.stimuli import Example, read_examples, read_irregular

_COLUMNS = 12
_PICTURES = 48
_EYE_COLOR = "#00A0FF"
_LEFT_OUT_COLOR = "#B03000"
_TILE = 18 * style.MILLIMETRE
_FONT = 5
# Letters above a picture.
_LONGEST = 16


def draw_sheet(
    stimuli: str | os.PathLike,
    title: str,
    labels: str | os.PathLike | None = None,
    predictions: str | os.PathLike | None = None,
    may_show: str | Sequence[str] = "none",
) -> Figure:
    """Draw a face set's contact sheet.

    Each original that was read from a file stands beside its stimulus, with the eyes marked where
    they were detected. These are some pictures at even steps through the set, those with the lowest
    scores of the detector, and those that were left out or taken whole. Rendered faces have no
    originals; their stimuli are shown at even steps.

    `stimuli` and `labels` are the files of the face set (`stimuli.read_labels`), `title` is its
    name in figures, and `predictions` are those of a network whose answers the analyses take as the
    label ``expression``. `may_show` is that of `figures.face_set.read_face_set`; an original whose
    person is not known is shown only if all may be.
    """
    style.use_style()
    faces = read_face_set(stimuli, labels, predictions, may_show)
    examples = [_show_or_hide(example, faces) for example in read_examples(stimuli)]
    ids = faces.labels["stimulus_id"]
    rows = {name: number for number, name in enumerate(ids)}
    even = np.linspace(0, len(ids) - 1, min(_PICTURES, len(ids))).astype(int)
    shown = [rows[e.stimulus_id] for e in examples if e.stimulus_id] if examples else list(even)
    pictures = dict(zip(shown, faces.pictures(shown), strict=True))
    lines = -(-(2 * len(examples) or len(even)) // _COLUMNS)
    size = (_COLUMNS * _TILE, lines * 1.2 * _TILE + 0.5)
    figure, axes = plt.subplots(lines, _COLUMNS, figsize=size, squeeze=False, layout="constrained")
    for axis in axes.flat:
        axis.set_axis_off()
    if examples:
        for example, left, right in zip(examples, axes.flat[::2], axes.flat[1::2], strict=False):
            row = rows.get(example.stimulus_id)
            labels = [] if row is None else [faces.identities[row], faces.expressions[row]]
            _draw_pair(left, right, example, pictures.get(row), labels)
    else:
        for row, axis in zip(even, axes.flat, strict=False):
            _show(axis, pictures[row])
            name = _shorten(ids[row])
            caption = "\n".join(filter(None, [name, _shorten(faces.expressions[row])]))
            axis.set_title(caption, fontsize=_FONT, pad=2)
    heading = _heading(title, faces, len(read_irregular(stimuli)))
    figure.suptitle(heading, fontsize=8, ha="left", x=0.01)
    return figure


def _show_or_hide(example: Example, faces: FaceSet) -> Example:
    """An example, with a placeholder in place of an original that may not be shown."""
    row = np.flatnonzero(faces.labels["stimulus_id"] == example.stimulus_id)
    is_shown = faces.is_shown[row[0]] if len(row) else faces.may_show == "all"
    return example if is_shown else example._replace(original=placeholder(example.original.shape))


def _heading(title: str, faces: FaceSet, n_irregular: int) -> str:
    parts = [f"{title}: {faces.count()}"]
    if faces.rendered:
        parts.append(f"all {page.RENDERED}")
    if "expression" in faces.labels:
        parts.append(f"expression: {faces.sources['expression']}")
    if "face_score" in faces.labels:
        parts.append(
            "each original (eyes marked) with its stimulus and labels; last, those of which the "
            "detector is least sure"
        )
    parts += [line.rstrip(".") for line in page.hidden(faces.is_shown)]
    if n_irregular:
        parts.append(f"{n_irregular} left out or taken otherwise, see the report")
    return textwrap.fill("; ".join(parts) + ".", 150)


def _shorten(name: str) -> str:
    """A name as long as a picture is wide; ends of names tell pictures apart."""
    return name if len(name) <= _LONGEST else "..." + name[3 - _LONGEST :]


def _draw_pair(
    left: Axes, right: Axes, example: Example, picture: np.ndarray | None, labels: Sequence[str]
) -> None:
    _show(left, example.original)
    left.plot(*example.eyes.T, "+", color=_EYE_COLOR, markersize=3.5, markeredgewidth=0.7)
    left.set_title(_shorten(example.stimulus_id or example.file), fontsize=_FONT, pad=2)
    if picture is None:
        text = textwrap.fill(example.note, 16)
        right.text(0.5, 0.5, text, ha="center", va="center", fontsize=_FONT, color=_LEFT_OUT_COLOR)
        return
    _show(right, picture)
    words = ", ".join(filter(None, [*labels, example.note]))
    # A line as wide as a picture, so that neighbours do not lie on each other.
    words = textwrap.fill(words, _LONGEST, max_lines=3, placeholder=" ...")
    right.set_title(words, fontsize=_FONT, pad=2)


def _show(axis: Axes, picture: np.ndarray) -> None:
    axis.imshow(picture, cmap="gray", vmin=0, vmax=255, interpolation="antialiased")

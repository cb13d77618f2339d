"""Figure 6: faces at equal steps along PC1, PC2, valence and arousal."""

from __future__ import annotations

import os
import textwrap
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import h5py
import numpy as np
import pandas as pd
from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from facestages.analysis.components import (
    AFFECT,
    SIGN_RULE,
    Reference,
    affect_of,
    component_scores,
    read_components,
    read_reference,
)
from facestages.analysis.labels import describe_source
from facestages.errors import FacestagesError
from facestages.figures import faces, style
from facestages.figures.fig5 import (
    add_expression_legend,
    drawable_networks,
    expression_looks,
)
from facestages.stimuli import read_labels
from facestages.stimuli.sample import pictures_in_words

_CAPTION = 135  # columns
_LETTERS = "abcdefghijklmnopqrstuvwxyz"
_COLUMNS = [
    *("panel", "dataset", "rendered", "network", "seed", "stage", "layer", "label_source"),
    *("space", "position", "wanted", "value", "stimulus_id", "expression", "note"),
]

# Millimetres.
_WIDTH = style.PAGE_WIDTH / style.MILLIMETRE
_LEFT, _RIGHT = 22, 8  # for the names of the axes, and for "high"
_LARGEST = 12  # a face
_PLACES = 3.6  # below a strip: where its faces lie
_TITLE, _LEGEND, _LINE = 6, 7, 3.1
_ARROW = 0.6  # share of the places' height


class _Strip(NamedTuple):
    """An axis along which faces are shown."""

    space: str
    name: str
    #: What the numbers say of it.
    where: dict[str, object]
    #: Shape (n,); None where `missing` says why.
    values: np.ndarray | None
    missing: str = ""


def draw_fig6(
    networks: Mapping[str, Mapping],
    stimuli: str | os.PathLike,
    *,
    dataset: str,
    predictions: str | os.PathLike | None = None,
    reference_label: str = "",
    absent: Mapping[str, str] | None = None,
    no_reference: str = "",
    count: int = 21,
) -> tuple[Figure, pd.DataFrame, str]:
    """Draw faces at equal steps along PC2 and PC1 of each network, and along the reference.

    The steps are equal along the axis; each position shows the nearest face that no other shows
    (`figures.faces.equally_spaced`). Below each strip the faces shown stand at their
    own places, so that it is seen where pictures are missing.

    Parameters
    ----------
    networks : mapping of str to mapping
        See `figures.fig5.draw_fig5`.
    stimuli : path-like
        The face set; of its pictures only those shown are read.
    dataset : str
        Its name in figures.
    predictions, reference_label, absent, no_reference
        See `figures.fig5.draw_fig5`.
    count : int
        Faces of a strip, as in the paper.

    Returns
    -------
    figure : matplotlib.figure.Figure
    numbers : pandas.DataFrame
        A row a face shown: ``space`` (PC1, PC2, valence, arousal), ``position`` from 1 (low),
        ``wanted`` (the place of the equal step), ``stimulus_id`` and its own ``value``.
    caption : str

    Raises
    ------
    FacestagesError
        If there is no axis to show faces along.
    """
    networks, absent = drawable_networks(networks, absent)
    labels, _, known = read_labels(stimuli)
    reference = read_reference(stimuli, predictions)
    blocks = {
        entry["label"]: _network_strips(entry, reference, str(known["stimuli_digest"]))
        for entry in networks.values()
    }
    blocks |= {label: [_Strip("", "", {}, None, line)] for label, line in absent.items()}
    source = describe_source(reference.source, reference_label) or "reference"
    blocks[source[0].upper() + source[1:]] = _reference_strips(reference, no_reference)
    strips = [strip for block in blocks.values() for strip in block]
    if all(strip.values is None for strip in strips):
        lines = "; ".join(dict.fromkeys(strip.missing for strip in strips))
        raise FacestagesError(f"Figure 6 has no axis to show faces along ({lines})")
    chosen = [_choose(strip, labels, count) for strip in strips]
    caption = _caption(known, dataset, len(labels), reference, blocks, count)
    caption += f" LEFT OUT: {no_reference}." if no_reference else ""
    style.use_style()
    figure = _draw(blocks, chosen, stimuli, caption, count)
    common = {"dataset": known["dataset"], "rendered": int(known.get("rendered", 0))}
    letters = [
        letter for letter, block in zip(_LETTERS, blocks.values(), strict=False) for _ in block
    ]
    tables = [
        table.assign(**{"panel": letter, "space": strip.space, **common, **strip.where})
        for letter, strip, table in zip(letters, strips, chosen, strict=True)
    ]
    numbers = pd.concat(tables, ignore_index=True).reindex(columns=_COLUMNS)
    return figure, numbers.astype({"seed": "Int64", "position": "Int64"}), caption


# ---------------------------------------------------------------------------- what is shown


def _network_strips(entry: Mapping, reference: Reference, digest: str) -> list[_Strip]:
    """PC2 above PC1, as in the paper."""
    own = read_components(entry["geometry"], entry["layer"], reference, digest)
    where = {"network": own.network, "seed": own.seed, "stage": entry["stage"], "layer": own.layer}
    strips = []
    for number in (2, 1):
        space = f"PC{number}"
        try:
            values = component_scores(own, number)
        except FacestagesError as error:
            strips.append(_Strip(space, space, where, None, str(error)))
            continue
        name = f"{space} ({100 * own.variance_ratio[number - 1]:.0f} %)"
        strips.append(_Strip(space, name, where, values))
    return strips


def _reference_strips(reference: Reference, missing: str) -> list[_Strip]:
    if missing and not reference.source:
        return [_Strip("", "", {}, None, missing)]
    where = {"label_source": reference.source}
    strips = []
    for label in AFFECT:
        try:
            values, missing = affect_of(reference, label), ""
        except FacestagesError as error:
            values, missing = None, str(error)
        strips.append(_Strip(label, label.capitalize(), where, values, missing))
    return strips


def _choose(strip: _Strip, labels: pd.DataFrame, count: int) -> pd.DataFrame:
    """The faces of a strip, low to high; one empty row with a note where there is no such axis."""
    if strip.values is None:
        return pd.DataFrame({"note": [strip.missing]})
    rows = faces.equally_spaced(strip.values, count)
    shown = labels.iloc[rows]
    few = f"{len(rows)} faces only" if len(rows) < count else ""
    return pd.DataFrame(
        {
            "row": rows,
            "position": np.arange(1, len(rows) + 1),
            "wanted": np.linspace(np.nanmin(strip.values), np.nanmax(strip.values), len(rows)),
            "value": strip.values[rows],
            "stimulus_id": shown["stimulus_id"].to_numpy(),
            "expression": shown["expression"].to_numpy() if "expression" in shown else "",
            "note": few,
        }
    )


# ------------------------------------------------------------------------------- the drawing


def _draw(
    blocks: Mapping[str, list[_Strip]],
    chosen: Sequence[pd.DataFrame],
    stimuli: str | os.PathLike,
    caption: str,
    count: int,
) -> Figure:
    """Blocks below one another, all sizes in millimetres, so that faces are as large in each."""
    face = min((_WIDTH - _LEFT - _RIGHT) / count, _LARGEST)
    looks = expression_looks(np.concatenate([table.get("expression", [""]) for table in chosen]))
    legend = _LEGEND if any(looks) else 0
    below = _LINE * (len(textwrap.wrap(caption, _CAPTION)) + 1)
    height = legend + _TITLE * len(blocks) + (face + _PLACES) * len(chosen) + below
    figure = plt.figure(figsize=(style.PAGE_WIDTH, height * style.MILLIMETRE))

    def add_axes(top: float, high: float) -> Axes:
        left, width = _LEFT / _WIDTH, face * count / _WIDTH
        return figure.add_axes((left, 1 - (top + high) / height, width, high / height))

    add_expression_legend(figure, looks, "upper center")
    top, tables = legend, iter(chosen)
    for letter, (title, strips) in zip(_LETTERS, blocks.items(), strict=False):
        top += _TITLE
        figure.text(0.01, 1 - (top - 1.5) / height, f"{letter}  {title}", fontsize=9)
        for strip in strips:
            table, axis = next(tables), add_axes(top, face)
            _name(axis, strip.name, table["note"].iloc[0] if "row" in table else "")
            if "row" in table:
                faces.draw_strip(axis, _read_pictures(stimuli, table["row"]), columns=count)
                _draw_places(add_axes(top + face, _PLACES), table, looks, count)
            else:
                style.say_missing(axis, strip.missing, columns=90)
            top += face + _PLACES
    style.add_caption(figure, caption, _CAPTION)
    return figure


def _read_pictures(stimuli: str | os.PathLike, rows: pd.Series) -> list[np.ndarray]:
    with h5py.File(stimuli, "r") as file:
        return [file["images"][row] for row in rows]


def _name(axis: Axes, name: str, note: str) -> None:
    words = f"{name}\n{note}" if note else name
    place = {"xytext": (-4, 0), "textcoords": "offset points", "ha": "right", "va": "center"}
    axis.annotate(words, (0, 0.5), xycoords="axes fraction", **place)


def _draw_places(axis: Axes, table: pd.DataFrame, looks: Mapping[str, dict], count: int) -> None:
    """An arrow from low to high, and on it the faces shown, each at its own value."""
    wanted, end = table["wanted"].to_numpy(), len(table)
    step = np.ptp(wanted) / max(end - 1, 1)
    places = (table["value"].to_numpy() - wanted[0]) / (step or 1) + 0.5
    axis.set(xlim=(0, count), ylim=(0, 1))
    axis.set_axis_off()
    arrow = {"arrowstyle": "-|>", "color": "#808080", "linewidth": 0.8, "shrinkA": 0, "shrinkB": 0}
    axis.annotate("", (end, _ARROW), (0, _ARROW), arrowprops=arrow)
    small = {"va": "center", "fontsize": 7, "color": "#404040"}
    axis.text(-0.2, _ARROW, "low", ha="right", **small)
    axis.text(end + 0.2, _ARROW, "high", ha="left", **small)
    for value, look in looks.items():
        own = places[table["expression"] == value]
        look = {**look, "linestyle": "", "markersize": 3.5, "alpha": 0.8}
        axis.plot(own, np.full(len(own), _ARROW), **look)


def _caption(known, dataset: str, n: int, reference: Reference, blocks, count: int) -> str:
    shown = {title: strips[0].where for title, strips in blocks.items()}
    layers = {
        title: f"{title}: {where['layer']}, seed {where['seed']}"
        for title, where in shown.items()
        if "layer" in where
    }
    parts = [
        f"{count} positions at equal steps from the lowest to the highest value along each axis; "
        "each shows the nearest face that no other shows, and below the strip the faces stand at "
        "their own values, by expression."
    ]
    if layers:
        stages = " and ".join(dict.fromkeys(shown[title]["stage"] for title in layers))
        listed = "; ".join(layers.values())
        parts.append(f"PCs (share of variance) of the {stages} layer ({listed}).")
    parts.append(f"{dataset}: {pictures_in_words(n, known)}.")
    if known.get("rendered", 0):
        parts.append("All faces are RENDERED, not photographs.")
    if reference.source:
        parts.append(f"Valence and arousal ({reference.source}). {SIGN_RULE}.")
    else:
        parts.append("No valence or arousal, so the signs of components are arbitrary.")
    return " ".join(parts)

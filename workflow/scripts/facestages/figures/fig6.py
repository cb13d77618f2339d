"""Figure 6: faces at equal steps along PC1, PC2, valence and arousal."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from facestages.analysis.components import AFFECT, Reference, affect_of, component_scores
from facestages.errors import FacestagesError
from facestages.figures import layout, page, style
from facestages.figures.categories import categories_in_words
from facestages.figures.components import Shown, read_study
from facestages.figures.expressions import add_expression_legend, expression_looks
from facestages.figures.face_set import FaceSet, read_face_set
from facestages.figures.faces import draw_strip, equally_spaced
from facestages.stimuli.sample import pictures_in_words

_COLUMNS = [
    *("panel", "dataset", "rendered", "network", "seed", "stage", "layer", "label_source"),
    *("space", "position", "wanted", "value", "stimulus_id", "expression", "note"),
]

# Millimetres.
_LEFT, _RIGHT = 22, 8  # for the names of the axes, and for "high"
_LARGEST = 14  # a face
_PLACES = 3.6  # below a strip: where its faces lie
_TITLE, _LEGEND = 6, 7
_ARROW = 0.6  # share of the places' height


class _Strip(NamedTuple):
    """An axis along which faces are shown."""

    space: str
    name: str
    #: Columns of the table of numbers.
    columns: dict[str, object]
    #: Shape (n,); None where `missing` tells why.
    values: np.ndarray | None
    missing: str = ""


def draw(
    networks: Mapping[str, Mapping],
    stimuli: str | os.PathLike,
    labels: str | os.PathLike | None = None,
    *,
    dataset: str,
    predictions: str | os.PathLike | None = None,
    reference_label: str = "",
    absent: Mapping[str, str] | None = None,
    no_reference: str = "",
    count: int = 11,
    may_show: str | Sequence[str] = "none",
) -> page.Drawing:
    """Draw faces at equal steps along PC2 and PC1 of each network, and along the reference.

    Each position shows the nearest face that no other shows (`figures.faces.equally_spaced`). Marks
    below a strip show the value of each face, and where there are no pictures. `networks`,
    `predictions`, `reference_label` and `absent` are those of `figures.components.read_study`.

    Parameters
    ----------
    stimuli, labels, dataset : path-like, path-like, str
        The files of the face set, and its name in figures.
    no_reference : str
        Why the reference that the config names cannot be shown.
    count : int
        Faces of a strip; 21 in the paper.
    may_show : str or sequence of str
        Whose faces are shown; see `figures.face_set.read_face_set`.

    Returns
    -------
    figures.page.Drawing
        Numbers, a row a face shown: ``space`` (PC1, PC2, valence, arousal), ``position`` from 1
        (low), ``wanted`` (the place of the equal step), ``stimulus_id`` and its ``value``.

    Raises
    ------
    FacestagesError
        If there is no axis to show faces along.
    """
    faces = read_face_set(stimuli, labels, may_show=may_show)
    study = read_study(networks, faces, predictions, reference_label, absent)
    shown = study.networks.values()
    blocks = {network.label: _network_strips(network) for network in shown}
    blocks |= {label: [_Strip("", "", {}, None, why)] for label, why in study.absent.items()}
    source = study.source or "reference"
    blocks[source[0].upper() + source[1:]] = _reference_strips(study.reference, no_reference)
    lettered = list(zip(page.letters(), blocks.items(), strict=False))
    strips = [(letter, strip) for letter, (_, block) in lettered for strip in block]
    if all(strip.values is None for _, strip in strips):
        reasons = "; ".join(dict.fromkeys(strip.missing for _, strip in strips))
        raise page.nothing_to_draw("Figure 6", reasons)
    tables = [
        _choose(strip, faces, count).assign(
            panel=letter, space=strip.space, **{**faces.columns, **strip.columns}
        )
        for letter, strip in strips
    ]
    sentences = [
        f"{count} positions at equal steps from the lowest to the highest value along each axis; "
        "each shows the nearest face that no other shows, and below the strip the faces stand at "
        "their own values, by expression.",
        *([f"PCs (share of variance) of {study.name_layers()}."] if shown else []),
        f"{dataset}: {pictures_in_words(len(faces.labels), faces.attributes)}.",
        *page.rendered(faces.rendered),
        *page.hidden(faces.is_shown),
        study.describe_signs(),
        *categories_in_words(study),
        *page.left_out([no_reference] if no_reference else []),
    ]
    figure = _draw_blocks(lettered, tables, faces, count)
    numbers = pd.concat(tables, ignore_index=True).reindex(columns=_COLUMNS)
    numbers = numbers.astype({"seed": "Int64", "position": "Int64"})
    spaces = list(dict.fromkeys(strip.name for _, strip in strips if strip.values is not None))
    spaces = list(dict.fromkeys(name.partition(" (")[0] for name in spaces))
    title = f"Faces from low to high along {', '.join(spaces)}"
    return page.finish(figure, numbers, title, sentences)


def _network_strips(network: Shown) -> list[_Strip]:
    """PC2 above PC1, as in the paper."""
    strips = []
    for number in (2, 1):
        space = f"PC{number}"
        try:
            values = component_scores(network.components, number)
        except FacestagesError as error:
            strips.append(_Strip(space, space, network.columns, None, str(error)))
            continue
        name = f"{space} ({100 * network.components.variance_ratio[number - 1]:.0f} %)"
        strips.append(_Strip(space, name, network.columns, values))
    return strips


def _reference_strips(reference: Reference, missing: str) -> list[_Strip]:
    if missing and not reference.source:
        return [_Strip("", "", {}, None, missing)]
    strips = []
    for label in AFFECT:
        try:
            values, missing = affect_of(reference, label), ""
        except FacestagesError as error:
            values, missing = None, str(error)
        columns = {"label_source": reference.source}
        strips.append(_Strip(label, label.capitalize(), columns, values, missing))
    return strips


def _choose(strip: _Strip, faces: FaceSet, count: int) -> pd.DataFrame:
    """The faces of a strip, low to high; where there is no such axis, a row with a note alone."""
    if strip.values is None:
        return pd.DataFrame({"note": [strip.missing]})
    rows = equally_spaced(strip.values, count)
    return pd.DataFrame(
        {
            "row": rows,
            "position": np.arange(1, len(rows) + 1),
            "wanted": np.linspace(np.nanmin(strip.values), np.nanmax(strip.values), len(rows)),
            "value": strip.values[rows],
            "stimulus_id": faces.labels["stimulus_id"].to_numpy()[rows],
            "expression": faces.expressions[rows],
            "note": f"{len(rows)} faces only" if len(rows) < count else "",
        }
    )


def _draw_blocks(
    lettered: Sequence[tuple[str, tuple[str, list[_Strip]]]],
    tables: Sequence[pd.DataFrame],
    faces: FaceSet,
    count: int,
) -> Figure:
    """Draw the blocks below one another, with faces of the same size."""
    face = min((layout.WIDTH - _LEFT - _RIGHT) / count, _LARGEST)
    looks = expression_looks(np.concatenate([table.get("expression", [""]) for table in tables]))
    top = _LEGEND if any(looks) else 0
    height = top + _TITLE * len(lettered) + (face + _PLACES) * len(tables)
    figure = layout.new_page(height)
    whole = figure.get_figheight() / style.MILLIMETRE
    add_expression_legend(figure, looks, "upper center")
    remaining = iter(tables)
    for letter, (title, strips) in lettered:
        top += _TITLE
        figure.text(0.01, 1 - (top - 1.5) / whole, f"{letter}  {title}", fontsize=8)
        for strip in strips:
            table = next(remaining)
            axis = layout.add_axes(figure, _LEFT, top, face * count, face)
            if strip.values is None:
                _name(axis, strip.name)
                style.say_missing(axis, strip.missing, columns=90)
            else:
                _name(axis, "\n".join(filter(None, [strip.name, table["note"].iloc[0]])))
                draw_strip(axis, faces.pictures(table["row"]), columns=count)
                places = layout.add_axes(figure, _LEFT, top + face, face * count, _PLACES)
                _draw_places(places, table, looks, count)
            top += face + _PLACES
    return figure


def _name(axis: Axes, name: str) -> None:
    place = {"xytext": (-4, 0), "textcoords": "offset points", "ha": "right", "va": "center"}
    axis.annotate(name, (0, 0.5), xycoords="axes fraction", **place)


def _draw_places(axis: Axes, table: pd.DataFrame, looks: Mapping[str, dict], count: int) -> None:
    """An arrow from low to high, and on it a mark for each face at its value."""
    wanted, end = table["wanted"].to_numpy(), len(table)
    step = np.ptp(wanted) / max(end - 1, 1)
    places = (table["value"].to_numpy() - wanted[0]) / (step or 1) + 0.5
    axis.set(xlim=(0, count), ylim=(0, 1))
    axis.set_axis_off()
    arrow = {"arrowstyle": "-|>", "color": style.GREY, "linewidth": 0.8, "shrinkA": 0, "shrinkB": 0}
    axis.annotate("", (end, _ARROW), (0, _ARROW), arrowprops=arrow)
    small = {"va": "center", "fontsize": 7, "color": style.INK}
    axis.text(-0.2, _ARROW, "low", ha="right", **small)
    axis.text(end + 0.2, _ARROW, "high", ha="left", **small)
    for value, look in looks.items():
        of_value = places[table["expression"] == value]
        look = {**look, "linestyle": "", "markersize": 4, "zorder": 3}
        axis.plot(of_value, np.full(len(of_value), _ARROW), **look)

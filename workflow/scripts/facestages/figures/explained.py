"""Grad-CAM of single faces, as Figure 2 shows it: which face, its maps, and how they are drawn."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Normalize
from matplotlib.figure import Figure
from PIL import Image

from facestages import store
from facestages.figures import layout, maps, style
from facestages.figures.face_set import FaceSet
from facestages.figures.faces import thumbnail
from facestages.stimuli.regions import enlarge
from facestages.text import abbreviate

# Millimetres: title, a picture, its name, and the colour bar with its numbers.
_TITLE, _TILE, _NAME, _BAR = 6, 20, 5, 12

#: Height of the panels, millimetres.
HEIGHT = _TITLE + _TILE + _NAME

# Opacity of a map over its face.
_OPACITY = 0.5
_COLOURS = "viridis"


class Explained(NamedTuple):
    """A face of an expression with its maps; or, in `missing`, why there are none."""

    letter: str
    expression: str
    #: Rows of the table of numbers.
    numbers: list[dict]
    missing: str = ""
    layers: Sequence[str] = ()
    #: A map for each of the layers that the file has.
    maps: Mapping[str, np.ndarray] | None = None
    #: The picture's row in the face set.
    row: int = -1
    answer: str = ""
    probability: float = np.nan
    #: How the picture was chosen, and where its label comes from.
    rule: str = ""
    source: str = ""


def read_explained(
    letter: str,
    expression: str,
    attribution: str | os.PathLike | None,
    layers: Sequence[str],
    faces: FaceSet,
) -> Explained:
    """Read the face that shows an expression best, with its maps of at most four `layers`.

    `attribution` is a file of `recording.attribution.explain_gradcam`. If no layers are named, the
    first ones of the file are shown.
    """

    def missing(why: str) -> Explained:
        return Explained(letter, expression, [{"label": expression, "note": why}], why)

    if attribution is None:
        return missing("no Grad-CAM of this network")
    with store.open_read(attribution, "attribution", stimuli_digest=faces.digest) as file:
        layers = list(layers or file)[:4]
        present = [layer for layer in layers if layer in file]
        if not present:
            names = ", ".join(layers)
            return missing(f"no Grad-CAM of {names}: the network has no such layer here")
        group = file[present[0]]
        columns = ("stimulus_id", "answer", "probability")
        table = pd.DataFrame({column: store.read_column(group[column]) for column in columns})
        table = table.merge(faces.labels, on="stimulus_id", validate="one_to_one")
        chosen, rule = choose_face(table, expression)
        if chosen is None:
            return missing(rule)
        heat = {layer: file[layer]["map"][chosen].astype(np.float32) for layer in present}
        source, network = faces.sources["expression"], file.attrs["network"]
    stimulus, answer, probability = (
        table[name][chosen] for name in ("stimulus_id", "answer", "probability")
    )
    row = int(np.flatnonzero(faces.labels["stimulus_id"] == stimulus)[0])
    common = {"label": answer, "label_source": f"network:{network}", "measure": "probability"}
    common |= {"value": probability, "n": 1}
    numbers = []
    for layer, values in heat.items():
        empty = "" if values.any() else "; nothing on the map is above zero"
        note = f"{stimulus}, labelled {expression}{empty}"
        numbers.append({"layer": layer, **common, "note": note})
    face = (layers, heat, row, answer, probability, rule, source)
    return Explained(letter, expression, numbers, "", *face)


def choose_face(table: pd.DataFrame, expression: str) -> tuple[int | None, str]:
    """The row of the picture that shows an expression best, and the rule that chose it, in words.

    Among those that the network names rightly, or among all if it names none rightly, it is the
    first with the highest ``intensity`` or, where the table has none, with the highest
    ``probability`` of the answer. Where no picture is labelled so, it is None, with the reason.
    """
    if "expression" not in table:
        return None, "the face set has no expression labels"
    labelled = table[table["expression"] == expression]
    if labelled.empty:
        return None, f"none of the explained pictures is labelled '{expression}'"
    right = labelled[labelled["answer"] == expression]
    labelled = right if len(right) else labelled
    if "intensity" in labelled and labelled["intensity"].notna().any():
        return int(labelled["intensity"].idxmax()), "highest intensity"
    return int(labelled["probability"].idxmax()), "most certain answer"


def overlay(picture: np.ndarray, heat: np.ndarray) -> np.ndarray:
    """A map (h, w) from 0 to 1 over a grey picture (rows, columns[, 3]) uint8, as RGB uint8.

    The map is enlarged as for the shares on regions.
    """
    grey = np.asarray(Image.fromarray(thumbnail(picture)).convert("L"), np.float64)
    large = enlarge(heat[None].astype(np.float64), grey.shape)[0]
    colour = mpl.colormaps[_COLOURS](np.clip(large, 0, 1))[..., :3] * 255
    return np.round((1 - _OPACITY) * grey[..., None] + _OPACITY * colour).astype(np.uint8)


def draw_explained(
    figure: Figure, explained: Sequence[Explained], faces: FaceSet, top: float
) -> None:
    """Draw faces and their maps side by side, `top` millimetres below the edge of the page."""
    top += _TITLE
    for number, panel in enumerate(explained):
        wide = (layout.WIDTH - 5 - _BAR) / len(explained)
        _draw_face(figure, panel, faces, 5 + number * wide, top, wide - 4)
    if any(not panel.missing for panel in explained):
        axis = layout.add_axes(figure, layout.WIDTH - _BAR, top, 2, _TILE)
        scale = ScalarMappable(Normalize(0, 1), _COLOURS)
        bar = figure.colorbar(scale, cax=axis, ticks=[0, 0.5, 1])
        bar.outline.set_linewidth(0.5)
        bar.ax.tick_params(labelsize=7, width=0.5, length=2, pad=1.5)


def _draw_face(
    figure: Figure, panel: Explained, faces: FaceSet, left: float, top: float, width: float
) -> None:
    title = f"{panel.letter}  Labelled {panel.expression}"
    if panel.missing:
        axis = layout.add_axes(figure, left, top, width, _TILE)
        maps.add_title(axis, title)
        style.say_missing(axis, panel.missing, columns=50)
        return
    picture = faces.pictures([panel.row])[0]
    tiles: dict[str, np.ndarray | None] = {"picture": thumbnail(picture)}
    for layer in panel.layers:
        heat = panel.maps.get(layer)
        tiles[layer] = None if heat is None else overlay(picture, heat)
    step = min(width / len(tiles), _TILE + 0.8)
    side = step - 0.8
    for number, (name, tile) in enumerate(tiles.items()):
        axis = layout.add_axes(figure, left + number * step, top, side, side)
        if tile is None:
            style.say_missing(axis, "no such layer here", columns=12)
        else:
            axis.imshow(tile, interpolation="none")
        axis.set_axis_off()
        if number == 0:
            answer = f"answer: {panel.answer} ({panel.probability:.2f})"
            axis.set_title(f"{title}; {answer}", loc="left", pad=3)
        axis.text(0, -0.04, abbreviate(name, 14), transform=axis.transAxes, fontsize=7, va="top")
        if name in panel.maps and not panel.maps[name].any():
            white = {"color": "white", "fontsize": 7, "ha": "center", "va": "bottom"}
            axis.text(0.5, 0.03, "all zero", transform=axis.transAxes, **white)


def describe_explained(explained: Sequence[Explained]) -> list[str]:
    """The caption's sentences on Grad-CAM."""
    drawn = [panel for panel in explained if not panel.missing]
    if not drawn:
        return []
    letters = ", ".join(panel.letter for panel in drawn)
    rules = "; ".join(dict.fromkeys(panel.rule for panel in drawn))
    sources = "; ".join(sorted({panel.source for panel in drawn} - {""}))
    wrong = [panel for panel in drawn if panel.answer != panel.expression]
    return [
        f"{letters}: Grad-CAM of the network's answer (its probability in brackets), each map "
        f"scaled to its own maximum; each picture has the {rules} of those explained with that "
        f"label and named rightly.",
        *(
            f"{panel.letter}: no picture labelled {panel.expression} is named so; the one shown "
            f"has the {panel.rule} of all with that label."
            for panel in wrong
        ),
        *([f"Expression labels: {sources}."] if sources else []),
    ]

"""Figure 2: layers of one network as maps, strips of faces and Grad-CAM."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from facestages.figures import layout, maps, page, style
from facestages.figures.explained import (
    HEIGHT,
    describe_explained,
    draw_explained,
    read_explained,
)
from facestages.figures.face_set import FaceSet, read_face_set
from facestages.figures.faces import draw_strip, equally_spaced
from facestages.text import abbreviate

# Millimetres: maps, with what stands above and below them; strips of faces.
_MAP, _ABOVE, _BELOW = 54, 13, 7
_NAME, _TITLE, _STRIP_TITLE = 15, 6, 4.5
_FACE = 5.0
_AFFECT = ("valence", "arousal")


class _Strips(NamedTuple):
    """Faces along the axes of a map."""

    letter: str
    panel: maps.Panel
    #: Rows of the faces along each axis.
    rows: dict[int, np.ndarray]


def draw(
    embedding: str | os.PathLike,
    stimuli: str | os.PathLike,
    scores: pd.DataFrame,
    attribution: str | os.PathLike | None = None,
    labels: str | os.PathLike | None = None,
    labels_from: str | os.PathLike | None = None,
    *,
    network: str,
    dataset: str,
    layers: Mapping[str, str],
    stages: Sequence[str] = ("early", "middle", "penultimate"),
    gradcam: Sequence[str] = (),
    expressions: Sequence[str] = ("happy", "angry"),
    faces: int = 11,
    may_show: str | Sequence[str] = "none",
) -> page.Drawing:
    """Draw maps of some layers, faces along the axes of the last map, and Grad-CAM of two faces.

    Parameters
    ----------
    embedding, attribution : path-like
        Files of `analysis.embedding.embed_umap`, of the network's first seed, and of
        `recording.attribution.explain_gradcam`.
    stimuli, labels, dataset : path-like, path-like, str
        The files of the face set, and its name in figures.
    labels_from : path-like, optional
        Predictions that take the place of the face set's own expressions.
    scores : pandas.DataFrame
        Rows of `analysis.separability.score_separability` and of
        `analysis.embedding.embed_umap` of this network and face set.
    network : str
        Its name in figures.
    layers : mapping of str to str
        Layer of each stage of the network.
    stages : sequence of str
        Stages or layers that are mapped, four at most.
    gradcam : sequence of str
        Layers whose Grad-CAM is shown, four at most; the first ones of the file if none are named.
    expressions : sequence of str
        Grad-CAM of one picture of each is shown; see `figures.explained.choose_face`.
    faces : int
        Faces along an axis; 21 in the paper.

    Returns
    -------
    figures.page.Drawing
        Numbers: ``silhouette`` of identity and expression on the maps (``space``: umap) and in the
        layers' spaces (all); ``r_axis1``, ``r_axis2`` and ``r2_map`` with valence and arousal;
        ``position`` of each face of the strips; ``probability`` of the answers that Grad-CAM
        explains.

    Raises
    ------
    FacestagesError
        If none of the maps can be drawn, or a file is of other stimuli.
    """
    face_set = read_face_set(stimuli, labels, labels_from, may_show)
    letters = page.letters()
    panels = [_read_panel(next(letters), name, embedding, face_set, layers) for name in stages]
    drawn = [panel for panel in panels if not panel.map.missing]
    if not drawn:
        raise page.nothing_to_draw("Figure 2", panels[0].map.missing)
    panels = [_measure(panel, scores) for panel in panels]
    strips = _choose_strips(next(letters), panels[-1], faces)
    explained = [
        read_explained(next(letters), expression, attribution, gradcam, face_set)
        for expression in expressions
    ]
    # Without expressions the caption alone says why no answer is explained.
    shown = explained if face_set.expressions.any() else []
    first = drawn[0].map.attributes
    common = {name: first[name] for name in ("dataset", "network", "seed")}
    numbers = [
        {**common, **face_set.columns, "panel": letter, **row}
        for letter, rows in (
            *((panel.letter, panel.numbers) for panel in panels),
            (strips.letter, _strip_numbers(strips, face_set)),
            *((panel.letter, panel.numbers) for panel in explained),
        )
        for row in rows
    ]
    missing = {panel.letter: panel.map.missing for panel in panels}
    missing |= {strips.letter: strips.panel.map.missing}
    missing |= {panel.letter: panel.missing for panel in explained}
    drawn_panels = [panel for panel in panels if not panel.map.missing]
    sentences = [
        f"{network}, seed {first['seed']}, on {dataset}, {face_set.count()}.",
        *page.rendered(face_set.rendered),
        *page.hidden(face_set.is_shown),
        *_describe_maps(drawn_panels),
        *_describe_strips(strips),
        *describe_explained(explained),
        *page.left_out(f"{letter}: {why}" for letter, why in missing.items() if why),
    ]
    strips_top = _ABOVE + _map_size(len(panels)) + _BELOW
    explained_top = strips_top + _TITLE + 2 * (_strip_size(faces)[1] + _STRIP_TITLE) + 2
    height = explained_top + (HEIGHT if shown else 0)
    figure = layout.new_page(height)
    _draw_maps(figure, panels, face_set)
    _draw_strips(figure, strips, face_set, strips_top, faces)
    if shown:
        draw_explained(figure, shown, face_set, explained_top)
    table = pd.DataFrame(numbers, columns=maps.COLUMNS)
    return page.finish(figure, table, _title(network, drawn_panels), sentences)


def _title(network: str, drawn: Sequence[maps.Panel]) -> str:
    rows = [_pick(panel, "silhouette", "identity", "all") for panel in drawn]
    names = [f"the {panel.numbers[0]['stage']} layer".replace("  ", " ") for panel in drawn]
    if len(drawn) < 2 or not np.isfinite([row["value"] for row in rows]).all():
        return f"Faces in the layers of {network}"
    return f"{network}: {maps.changes_in_words(rows, names)}"


# ---------------------------------------------------------------------------------- the maps


def _read_panel(
    letter: str,
    name: str,
    embedding: str | os.PathLike,
    faces: FaceSet,
    layers: Mapping[str, str],
) -> maps.Panel:
    layer, stage = layers.get(name, name), name if name in layers else ""
    title = f"{layer} ({stage})" if stage else layer
    title = f"{letter}  {abbreviate(title if len(title) <= 26 else layer, 26)}"
    umap = maps.read_map(embedding, "embedding", layer, faces.digest)
    return maps.Panel(letter, title, layer, umap, [{"stage": stage, "layer": layer}])


def _measure(panel: maps.Panel, scores: pd.DataFrame) -> maps.Panel:
    """Add silhouettes on the map and in the layer's space, and correlations of the axes."""
    where = panel.numbers[0]
    if panel.map.missing:
        return panel._replace(numbers=[{**where, "note": panel.map.missing}])
    wanted = [
        (space, "silhouette", label)
        for label in ("identity", "expression")
        for space in ("umap", "all")
    ]
    wanted += [
        ("umap", measure, label)
        for label in _AFFECT
        for measure in ("r_axis1", "r_axis2", "r2_map")
    ]
    rows = (maps.find_score(scores, panel.map.attributes, panel.layer, *key) for key in wanted)
    return panel._replace(numbers=[{**where, **row} for row in rows])


def _pick(panel: maps.Panel, measure: str, label: str, space: str = "umap") -> dict:
    wanted = {"measure": measure, "label": label, "space": space}
    return next(row for row in panel.numbers if wanted.items() <= row.items())


def _map_size(n_maps: int) -> float:
    return min(_MAP, (layout.WIDTH - 2) / n_maps - 6)


def _draw_maps(figure: Figure, panels: Sequence[maps.Panel], faces: FaceSet) -> None:
    size = _map_size(len(panels))
    for number, panel in enumerate(panels):
        left = 5 + number * (layout.WIDTH - 2) / max(3, len(panels))
        axis = layout.add_axes(figure, left, _ABOVE, size, size)
        lines = []
        if not panel.map.missing:
            on, off = (_pick(panel, "silhouette", "identity", space) for space in ("umap", "all"))
            lines = [f"identity silhouette {maps.spell(on)} on the map,"]
            lines.append(f"{maps.spell(off)} in the layer's space")
            if not np.isfinite(on["value"]):
                lines = maps.no_silhouette(on["note"], 40)
        maps.draw_map(axis, panel, faces, lines, ("UMAP 1", "UMAP 2"), _FACE, columns=30)


def _describe_maps(drawn: Sequence[maps.Panel]) -> list[str]:
    values = []
    for panel in drawn:
        on, off = (_pick(panel, "silhouette", "identity", space) for space in ("umap", "all"))
        layer = f"layer {maps.spell(off, with_interval=True)}"
        values.append(f"{panel.letter} map {maps.spell(on, with_interval=True)}, {layer}")
    return [
        maps.PEOPLE,
        f"Mean silhouette of identity [95 % interval over people] (chance: mean of permuted "
        f"labels): {'; '.join(values)}.",
        *maps.describe_umaps(drawn),
    ]


# -------------------------------------------------------------------------------- the strips


def _choose_strips(letter: str, panel: maps.Panel, count: int) -> _Strips:
    axes = () if panel.map.missing else (1, 2)
    rows = {axis: equally_spaced(panel.map.points[:, axis - 1], count) for axis in axes}
    return _Strips(letter, panel, rows)


def _strip_numbers(strips: _Strips, faces: FaceSet) -> list[dict]:
    if not strips.rows:
        return [{"note": strips.panel.map.missing}]
    panel, ids = strips.panel, faces.labels["stimulus_id"]
    where = {name: panel.numbers[0][name] for name in ("stage", "layer")}
    where |= {"measure": "position", "n": 1}
    return [
        {
            **where,
            "space": f"umap{axis}",
            "value": panel.map.points[row, axis - 1],
            "note": ids[row],
        }
        for axis, rows in strips.rows.items()
        for row in rows
    ]


def _strip_size(n_faces: int) -> tuple[float, float]:
    """Width and height of a strip; a few faces do not grow large."""
    height = (layout.WIDTH - _NAME - 2) / max(n_faces, 12)
    return height * n_faces, height


def _draw_strips(figure: Figure, strips: _Strips, faces: FaceSet, top: float, count: int) -> None:
    title = f"{strips.letter}  Faces at equal steps along the axes of {strips.panel.letter}"
    width, height = _strip_size(count)
    if not strips.rows:
        axis = layout.add_axes(figure, 5, top + _TITLE, layout.WIDTH - 10, 2 * height)
        maps.add_title(axis, title)
        style.say_missing(axis, strips.panel.map.missing, columns=100)
    for number, (coordinate, rows) in enumerate(strips.rows.items()):
        above = _TITLE + number * (height + _STRIP_TITLE) + _STRIP_TITLE
        axis = layout.add_axes(figure, _NAME, top + above, width, height)
        draw_strip(axis, faces.pictures(rows), count)
        axis.text(-0.15, 0.5, f"UMAP {coordinate}", ha="right", va="center")
        if number == 0:
            axis.set_title(title, loc="left", x=-(_NAME - 5) / width, pad=15)
        few = f" (the face set has {len(rows)})" if len(rows) < count else ""
        measured = np.isfinite(_pick(strips.panel, f"r_axis{coordinate}", _AFFECT[0])["value"])
        r = f"; {_spell_axis(strips.panel, coordinate)}" if measured else ""
        line = f"low to high{r}{few}"
        axis.text(0, 1.06, line, fontsize=7, va="bottom")


def _spell_axis(panel: maps.Panel, coordinate: int, with_interval: bool = False) -> str:
    """Correlations of an axis with valence and arousal."""
    rows = [_pick(panel, f"r_axis{coordinate}", label) for label in _AFFECT]
    measured = [row for row in rows if np.isfinite(row["value"])]
    if not measured:
        return f"valence and arousal: {rows[0]['note']}"
    names = ["declared " * ("declared" in row["label_source"]) + row["label"] for row in measured]
    values = (f"r = {maps.spell(row, with_interval)}" for row in measured)
    return ", ".join(f"{value} with {name}" for value, name in zip(values, names, strict=True))


def _describe_strips(strips: _Strips) -> list[str]:
    """The caption's sentences on the axes of the last map, and on how they were turned."""
    if not strips.rows:
        return []
    panel, attributes = strips.panel, strips.panel.map.attributes
    axes = "; ".join(f"UMAP {k} {_spell_axis(panel, k, with_interval=True)}" for k in (1, 2))
    turned = [f"UMAP {k} rises with {attributes[f'axis{k}']}" for k in (1, 2)]
    turned = " and ".join(turned).replace(
        "rises with farthest point", "is positive at its farthest point"
    )
    sources = {_pick(panel, "r_axis1", label).get("label_source", "") for label in _AFFECT} - {""}
    return [
        f"{strips.letter}: {axes}.",
        f"The axes of a UMAP have no sign; they are turned so that {turned}.",
        *([f"Valence and arousal: {'; '.join(sorted(sources))}."] if sources else []),
    ]

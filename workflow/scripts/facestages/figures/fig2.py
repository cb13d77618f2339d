"""Figure 2: what the layers of one network say, as maps, strips of faces and Grad-CAM."""

from __future__ import annotations

import os
import textwrap
from collections.abc import Mapping, Sequence

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Normalize
from matplotlib.figure import Figure
from PIL import Image

from facestages import store
from facestages.errors import FacestagesError
from facestages.figures import maps, style
from facestages.figures.faces import draw_strip, equally_spaced, thumbnail
from facestages.stimuli.regions import enlarge

#: Faces of a strip, as in the paper.
COUNT = 21

# Millimetres: maps, with what stands above and below them; strips of faces; Grad-CAM.
_MAP, _ABOVE, _BELOW = 54, 13, 7
_NAME, _STRIP_TITLE = 15, 4.5
_TITLE, _TILE, _TILE_NAME, _BAR = 6, 20, 5, 12
_FACE = 6.0
_WIDE = 180
# What a map of Grad-CAM covers of the face below it.
_OPACITY = 0.5
_COLOURS = "viridis"
_AFFECT = ("valence", "arousal")


def draw_fig2(
    embedding: str | os.PathLike,
    stimuli: str | os.PathLike,
    scores: pd.DataFrame,
    attribution: str | os.PathLike | None = None,
    *,
    network: str,
    dataset: str,
    layers: Mapping[str, str],
    stages: Sequence[str] = ("early", "middle", "penultimate"),
    gradcam: Sequence[str] = (),
    expressions: Sequence[str] = ("happy", "angry"),
    faces: int = COUNT,
) -> tuple[Figure, pd.DataFrame, str]:
    """Draw maps of some layers, faces along the axes of the last map, and Grad-CAM of two faces.

    Parameters
    ----------
    embedding : path-like
        HDF5 file of `analysis.embedding.embed_umap`, of the network's first seed.
    stimuli : path-like
        The face set; of its pictures only those shown are read.
    scores : pandas.DataFrame
        Rows of `analysis.separability.score_separability` and of
        `analysis.embedding.embed_umap` of this network and face set.
    attribution : path-like, optional
        HDF5 file of `recording.attribution.explain_gradcam`.
    network, dataset : str
        Their names in figures.
    layers : mapping of str to str
        Layer of each stage of the network.
    stages : sequence of str
        Stages or layers that are mapped, four at most.
    gradcam : sequence of str
        Layers whose Grad-CAM is shown, four at most; the first ones of the file if none are named.
    expressions : sequence of str
        Of each, the picture so labelled that has the highest intensity is shown; where
        intensities are not known, that whose answer has the highest probability.
    faces : int
        Faces along an axis.

    Returns
    -------
    figure : matplotlib.figure.Figure
    numbers : pandas.DataFrame
        ``silhouette`` of identity and expression on the maps (``space``: umap) and in the layers'
        spaces (all); ``r_axis1``, ``r_axis2`` and ``r2_map`` with valence and arousal;
        ``position`` of each face of the strips; ``probability`` of the answers that Grad-CAM
        explains.
    caption : str
        The text below the figure.

    Raises
    ------
    FacestagesError
        If none of the maps can be drawn, or a file is of other stimuli.
    """
    shown = maps.read_faces(stimuli)
    letters = list("abcdefghij")
    panels = [_read_panel(letters.pop(0), name, embedding, shown, layers) for name in stages]
    if not any(isinstance(panel["map"], maps.Map) for panel in panels):
        raise FacestagesError(f"Figure 2 has nothing to draw: {panels[0]['map']}")
    for panel in panels:
        panel["numbers"] = _measure(panel, scores)
    strips = _read_strips(letters.pop(0), panels[-1], faces)
    explained = [
        _read_gradcam(letters.pop(0), expression, attribution, gradcam, shown)
        for expression in expressions
    ]
    caption = _caption(panels, strips, explained, shown, network, dataset)

    figure, top = _new_page(len(panels), faces, len(explained), caption)
    _draw_maps(figure, panels, shown)
    _draw_strips(figure, strips, shown, top["strips"])
    _draw_gradcam(figure, explained, shown, top["gradcam"])
    return figure, _numbers([*panels, strips, *explained], panels, shown), caption


def _read_panel(
    letter: str,
    name: str,
    embedding: str | os.PathLike,
    shown: maps.Faces,
    layers: Mapping[str, str],
) -> dict:
    """A panel with its map, or with the line that says why there is none."""
    layer = layers.get(name, name)
    found = maps.read_map(embedding, "embedding", layer, shown.known["stimuli_digest"])
    stage = name if name in layers else ""
    return {"letter": letter, "stage": stage, "layer": layer, "map": found, "numbers": []}


def _measure(panel: Mapping, scores: pd.DataFrame) -> list[dict]:
    """Silhouettes on the map and in the layer's space, and what the axes go with."""
    if isinstance(panel["map"], str):
        return [{"note": panel["map"]}]
    where = (scores, panel["map"].known, panel["layer"])
    rows = [
        maps.find_score(*where, space, "silhouette", label)
        for label in ("identity", "expression")
        for space in ("umap", "all")
    ]
    for label in _AFFECT:
        for measure in ("r_axis1", "r_axis2", "r2_map"):
            rows.append(maps.find_score(*where, "umap", measure, label))
    return rows


def _pick(panel: Mapping, measure: str, label: str, space: str = "umap") -> dict:
    wanted = {"measure": measure, "label": label, "space": space}
    return next(row for row in panel["numbers"] if wanted.items() <= row.items())


def _read_strips(letter: str, panel: Mapping, count: int) -> dict:
    """The faces along both axes of a map, the second axis first, as in the paper."""
    strips = {"letter": letter, "of": panel, "rows": {}, "count": count, "numbers": []}
    strips["missing"] = panel["map"] if isinstance(panel["map"], str) else None
    if strips["missing"] is not None:
        strips["numbers"] = [{"note": strips["missing"]}]
        return strips
    for axis in (2, 1):
        positions = panel["map"].points[:, axis - 1]
        strips["rows"][axis] = equally_spaced(positions, count)
    return strips


def _read_gradcam(
    letter: str,
    expression: str,
    attribution: str | os.PathLike | None,
    wanted: Sequence[str],
    shown: maps.Faces,
) -> dict:
    """The face of an expression with its maps, or the line that says why there is none."""
    panel = {"letter": letter, "expression": expression, "missing": None}
    panel |= {"layers": list(wanted), "maps": {}, "numbers": []}
    if attribution is None:
        panel["missing"] = "no Grad-CAM of this network"
    else:
        digest = shown.known["stimuli_digest"]
        with store.open_read(attribution, "attribution", stimuli_digest=digest) as file:
            panel["layers"] = list(wanted or file)[:4]
            _read_face(panel, file, shown)
    if panel["missing"] is not None:
        panel["numbers"] = [{"label": expression, "note": panel["missing"]}]
    return panel


def _read_face(panel: dict, file, shown: maps.Faces) -> None:
    """Put the chosen face, its answer and its maps into `panel`."""
    there = [layer for layer in panel["layers"] if layer in file]
    if not there:
        names = ", ".join(panel["layers"])
        panel["missing"] = f"no Grad-CAM of {names}: the network has no such layer here"
        return
    group = file[there[0]]
    columns = ("stimulus_id", "expression", "intensity", "answer", "probability")
    table = pd.DataFrame({c: store.read_column(group[c]) for c in columns if c in group})
    row, panel["rule"] = choose_face(table, panel["expression"])
    if row is None:
        panel["missing"] = panel["rule"]
        return
    panel |= {name: table[name][row] for name in ("stimulus_id", "answer", "probability")}
    panel["row"] = int(np.flatnonzero(shown.labels["stimulus_id"] == panel["stimulus_id"])[0])
    panel["maps"] = {layer: file[layer]["map"][row].astype(np.float32) for layer in there}
    panel["source"] = group["expression"].attrs.get("source", "")
    panel["numbers"] = [
        {
            "layer": layer,
            "label": panel["answer"],
            "label_source": f"network:{file.attrs['network']}",
            "measure": "probability",
            "value": panel["probability"],
            "n": 1,
            "note": f"{panel['stimulus_id']}, labelled {panel['expression']}"
            + ("" if panel["maps"][layer].any() else "; nothing on the map is above zero"),
        }
        for layer in there
    ]


def choose_face(table: pd.DataFrame, expression: str) -> tuple[int | None, str]:
    """The picture that shows an expression best.

    Parameters
    ----------
    table : pandas.DataFrame
        Columns ``expression``, ``probability`` and, where known, ``intensity``.
    expression : str

    Returns
    -------
    row : int or None
        The first of those with the highest intensity, or, without intensities, with the highest
        probability of the network's answer; None where no picture is labelled so.
    rule : str
        In words; or why there is none.
    """
    if "expression" not in table:
        return None, "the face set has no expression labels"
    own = table[table["expression"] == expression]
    if own.empty:
        return None, f"none of the explained pictures is labelled '{expression}'"
    if "intensity" in own and own["intensity"].notna().any():
        return int(own["intensity"].idxmax()), "highest intensity"
    return int(own["probability"].idxmax()), "most certain answer"


def overlay(picture: np.ndarray, heat: np.ndarray) -> np.ndarray:
    """A map over a grey picture.

    Parameters
    ----------
    picture : numpy.ndarray of uint8, shape (rows, columns[, 3])
    heat : numpy.ndarray, shape (h, w)
        From 0 to 1; enlarged as for the shares on regions.

    Returns
    -------
    numpy.ndarray of uint8, shape (rows, columns, 3)
    """
    grey = np.asarray(Image.fromarray(thumbnail(picture)).convert("L"), np.float64)
    large = enlarge(heat[None].astype(np.float64), grey.shape)[0]
    colour = mpl.colormaps[_COLOURS](np.clip(large, 0, 1))[..., :3] * 255
    return np.round((1 - _OPACITY) * grey[..., None] + _OPACITY * colour).astype(np.uint8)


def _new_page(
    n_maps: int, n_faces: int, n_explained: int, caption: str
) -> tuple[Figure, dict[str, float]]:
    """The page, and where its blocks begin (millimetres from the top)."""
    strip = _strip_size(n_faces)[1]
    top = {"strips": _ABOVE + _map_size(n_maps) + _BELOW}
    top["gradcam"] = top["strips"] + _TITLE + 2 * (strip + _STRIP_TITLE) + 2
    height = top["gradcam"] + (_TITLE + _TILE + _TILE_NAME if n_explained else 0)
    return maps.new_page(height, caption), top


def _strip_size(n_faces: int) -> tuple[float, float]:
    """Width and height of a strip; a few faces do not grow large."""
    height = (_WIDE - _NAME - 2) / max(n_faces, 12)
    return height * n_faces, height


def _map_size(n_maps: int) -> float:
    return min(_MAP, (_WIDE - 2) / n_maps - 6)


def _draw_maps(figure: Figure, panels: Sequence[Mapping], shown: maps.Faces) -> None:
    size = _map_size(len(panels))
    for number, panel in enumerate(panels):
        left = 5 + number * (_WIDE - 2) / max(3, len(panels))
        axis = maps.add_axes(figure, left, _ABOVE, size, size)
        title = _map_title(panel)
        if isinstance(panel["map"], str):
            maps.add_title(axis, title, room=2)
            style.say_missing(axis, panel["map"], columns=30)
            continue
        on, off = (_pick(panel, "silhouette", "identity", space) for space in ("umap", "all"))
        if np.isfinite(on["value"]):
            rest = f"{maps.spell(off)} in the layer's space"
            maps.add_title(
                axis, title, f"identity silhouette {maps.spell(on)} on the map,", rest, room=2
            )
        else:
            words = textwrap.wrap(f"no identity silhouette: {on['note']}", 40)
            maps.add_title(axis, title, *words, room=2)
        maps.draw_people(axis, panel["map"].points, shown.people, ("UMAP 1", "UMAP 2"))
        maps.add_faces(axis, shown, panel["map"].points, _FACE)


def _map_title(panel: Mapping) -> str:
    layer = panel["layer"]
    named = f"{layer} ({panel['stage']})" if panel["stage"] else layer
    named = named if len(named) <= 26 else layer
    return f"{panel['letter']}  {maps.shorten(named, 26)}"


def _draw_strips(figure: Figure, strips: Mapping, shown: maps.Faces, top: float) -> None:
    title = f"{strips['letter']}  Faces at equal steps along the axes of {strips['of']['letter']}"
    width, height = _strip_size(strips["count"])
    if strips["missing"] is not None:
        axis = maps.add_axes(figure, 5, top + _TITLE, _WIDE - 10, 2 * height)
        maps.add_title(axis, title)
        style.say_missing(axis, strips["missing"], columns=100)
        return
    for number, (coordinate, rows) in enumerate(strips["rows"].items()):
        above = _TITLE + number * (height + _STRIP_TITLE) + _STRIP_TITLE
        axis = maps.add_axes(figure, _NAME, top + above, width, height)
        draw_strip(axis, shown.pictures(rows), strips["count"])
        axis.text(-0.15, 0.5, f"UMAP {coordinate}", ha="right", va="center")
        if number == 0:
            axis.set_title(title, loc="left", x=-(_NAME - 5) / width, pad=15)
        said = _spell_axis(strips["of"], coordinate)
        few = f" (the face set has {len(rows)})" if len(rows) < strips["count"] else ""
        axis.text(0, 1.06, f"low to high; {said}{few}", fontsize=7, va="bottom")


def _spell_axis(panel: Mapping, coordinate: int, with_interval: bool = False) -> str:
    """What an axis correlates with."""
    found = [_pick(panel, f"r_axis{coordinate}", label) for label in _AFFECT]
    known = [row for row in found if np.isfinite(row["value"])]
    if not known:
        return f"valence and arousal: {found[0]['note']}"
    names = ["declared " * ("declared" in row["label_source"]) + row["label"] for row in known]
    values = (f"r = {maps.spell(row, with_interval)}" for row in known)
    return ", ".join(f"{value} with {name}" for value, name in zip(values, names, strict=True))


def _draw_gradcam(
    figure: Figure, explained: Sequence[Mapping], shown: maps.Faces, top: float
) -> None:
    if not explained:
        return
    wide = (_WIDE - 5 - _BAR) / len(explained)
    for number, panel in enumerate(explained):
        left = 5 + number * wide
        _draw_explained(figure, panel, shown, left, top + _TITLE, wide - 4)
    if any(panel["missing"] is None for panel in explained):
        axis = maps.add_axes(figure, _WIDE - _BAR, top + _TITLE, 2, _TILE)
        scale = ScalarMappable(Normalize(0, 1), _COLOURS)
        bar = figure.colorbar(scale, cax=axis, ticks=[0, 0.5, 1])
        bar.outline.set_linewidth(0.5)
        bar.ax.tick_params(labelsize=7, width=0.5, length=2, pad=1.5)


def _draw_explained(
    figure: Figure,
    panel: Mapping,
    shown: maps.Faces,
    left: float,
    top: float,
    width: float,
) -> None:
    """A face and its maps side by side."""
    title = f"{panel['letter']}  Labelled {panel['expression']}"
    if panel["missing"] is not None:
        axis = maps.add_axes(figure, left, top, width, _TILE)
        maps.add_title(axis, title)
        style.say_missing(axis, panel["missing"], columns=50)
        return
    title += f"; answer: {panel['answer']} ({panel['probability']:.2f})"
    picture = shown.pictures([panel["row"]])[0]
    tiles: dict[str, np.ndarray | str] = {"picture": thumbnail(picture)}
    for layer in panel["layers"]:
        heat = panel["maps"].get(layer)
        tiles[layer] = "no such layer here" if heat is None else overlay(picture, heat)
    step = min(width / len(tiles), _TILE + 0.8)
    side = step - 0.8
    for number, (name, tile) in enumerate(tiles.items()):
        axis = maps.add_axes(figure, left + number * step, top, side, side)
        if isinstance(tile, str):
            style.say_missing(axis, tile, columns=12)
        else:
            axis.imshow(tile, interpolation="none")
        axis.set_axis_off()
        if number == 0:
            axis.set_title(title, loc="left", pad=3)
        axis.text(0, -0.04, maps.shorten(name, 14), transform=axis.transAxes, fontsize=7, va="top")
        if name in panel["maps"] and not panel["maps"][name].any():
            nothing = {"color": "white", "fontsize": 7, "ha": "center", "va": "bottom"}
            axis.text(0.5, 0.03, "all zero", transform=axis.transAxes, **nothing)


def _numbers(
    parts: Sequence[Mapping], panels: Sequence[Mapping], shown: maps.Faces
) -> pd.DataFrame:
    known = next(p["map"].known for p in panels if isinstance(p["map"], maps.Map))
    common = {name: known[name] for name in ("dataset", "network", "seed")}
    common["rendered"] = int(shown.known.get("rendered", 0))
    rows = []
    for part in parts:
        where = {**common, "panel": part["letter"]}
        where |= {name: part[name] for name in ("stage", "layer") if name in part}
        rows += [{**where, **row} for row in part["numbers"]]
        for coordinate, chosen in part.get("rows", {}).items():
            points = part["of"]["map"].points[:, coordinate - 1]
            ids = shown.labels["stimulus_id"]
            where |= {name: part["of"][name] for name in ("stage", "layer")}
            where |= {"measure": "position", "space": f"umap{coordinate}", "n": 1}
            rows += [{**where, "value": points[row], "note": ids[row]} for row in chosen]
    return pd.DataFrame(rows, columns=maps.COLUMNS)


def _caption(
    panels: Sequence[Mapping],
    strips: Mapping,
    explained: Sequence[Mapping],
    shown: maps.Faces,
    network: str,
    dataset: str,
) -> str:
    drawn = [panel for panel in panels if isinstance(panel["map"], maps.Map)]
    known = [panel["map"].known for panel in drawn]
    parts = [f"{network}, seed {known[0]['seed']}, on {shown.words(dataset)}"]
    parts.append(maps.PEOPLE_WORDS)
    parts.append("Mean silhouette of identity [95 % interval over people]:")
    said = []
    for panel in drawn:
        on, off = (_pick(panel, "silhouette", "identity", space) for space in ("umap", "all"))
        spelt = f"map {maps.spell(on, True)}, layer {maps.spell(off, True)}"
        said.append(f"{panel['letter']} {spelt}")
    parts.append("; ".join(said) + ".")
    parts.append(maps.umap_words(known))
    counts = (f"{panel['letter']} {panel['map'].known['graph_parts']}" for panel in drawn)
    parts.append(maps.PARTS_WORDS.format(", ".join(counts)))
    if strips["missing"] is None:
        parts.append(_strip_words(strips))
    parts += _gradcam_words(explained)
    missing = [(p["letter"], p["map"]) for p in panels if isinstance(p["map"], str)]
    missing += [(p["letter"], p["missing"]) for p in (strips, *explained) if p["missing"]]
    parts += [f"LEFT OUT: {letter}: {line.rstrip('.')}." for letter, line in missing]
    return " ".join(parts)


def _strip_words(strips: Mapping) -> str:
    """What the axes of the last map go with, and how they were turned."""
    panel, letter = strips["of"], strips["letter"]
    said = "; ".join(f"UMAP {k} {_spell_axis(panel, k, with_interval=True)}" for k in (1, 2))
    known = panel["map"].known
    turned = " and ".join(f"UMAP {k} rises with {known[f'axis{k}']}" for k in (1, 2))
    sources = {_pick(panel, "r_axis1", label).get("label_source", "") for label in _AFFECT} - {""}
    source = f" Valence and arousal: {'; '.join(sorted(sources))}." if sources else ""
    return (
        f"{letter}: {said}. The axes of a UMAP have no sign; turned so that {turned}.{source}"
    ).replace("rises with farthest point", "is positive at its farthest point")


def _gradcam_words(explained: Sequence[Mapping]) -> list[str]:
    there = [panel for panel in explained if panel["missing"] is None]
    if not there:
        return []
    letters = ", ".join(panel["letter"] for panel in there)
    chosen = "; ".join(dict.fromkeys(panel["rule"] for panel in there))
    sources = "; ".join(sorted({panel["source"] for panel in there} - {""}))
    labels = f" Expression labels: {sources}." if sources else ""
    return [
        f"{letters}: Grad-CAM of the network's answer (its probability in brackets), each map "
        f"scaled to its own maximum; of the explained pictures labelled so the one with the "
        f"{chosen}.{labels}"
    ]

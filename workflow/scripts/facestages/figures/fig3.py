"""Figure 3: people in pixels, in an untrained network and in one trained on objects."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from facestages.figures import layout, maps, page
from facestages.figures.face_set import FaceSet, read_face_set
from facestages.text import abbreviate

# Millimetres: a panel's width and height, what stands above it, and below it.
_WIDTH, _HEIGHT, _ABOVE, _BELOW = 81, 62, 13, 6
_FACE = 7.0
_LONGEST_TITLE = 52
# Spaces of the silhouettes of a map; the paper gives those of 2 and 10 principal components.
_SPACES = {"umap": ("umap", "all"), "pca": ("2", "10", "all")}
_SPACE_NAMES = {"umap": "map", "2": "2 components", "10": "10 components", "all": "full space"}


def draw(
    panels: Sequence[Mapping],
    stimuli: str | os.PathLike,
    scores: pd.DataFrame,
    labels: str | os.PathLike | None = None,
    *,
    dataset: str,
    absent: Mapping[str, str] | None = None,
) -> page.Drawing:
    """Draw maps of pixels and layers, with silhouettes of identity on the map and in the layer.

    Parameters
    ----------
    panels : sequence of mapping
        In order: ``network``, its ``title`` in figures, ``layer``, its ``stage``, ``space``
        and ``file``. The file
        is of the network's first seed: for ``umap`` that of `analysis.embedding.embed_umap`, for
        ``pca`` that of `analysis.geometry.measure_geometry`; None where there is none.
    stimuli, labels, dataset : path-like, path-like, str
        The files of the face set, and its name in figures.
    scores : pandas.DataFrame
        Rows of `analysis.separability.score_separability` and of
        `analysis.embedding.embed_umap`, of all seeds of the networks.
    absent : mapping of str to str
        Why a panel (by its letter) or a network is missing.

    Returns
    -------
    figures.page.Drawing
        Numbers: silhouettes of identity (``space``: umap, 2 or 10 components, all) of every seed,
        and ``variance_explained`` of PC1 and PC2.

    Raises
    ------
    FacestagesError
        If no panel can be drawn, or a file is of other stimuli.
    """
    faces = read_face_set(stimuli, labels)
    read = [
        _read_panel(letter, panel, faces, scores, absent or {})
        for letter, panel in zip(page.letters(), panels, strict=False)
    ]
    if all(panel.map.missing for panel in read):
        raise page.nothing_to_draw("Figure 3", read[0].map.missing)
    sentences = _caption(read, faces, dataset)

    lines = -(-len(panels) // 2)
    figure = layout.new_page((_ABOVE + _HEIGHT + _BELOW) * lines)
    for place, panel in enumerate(read):
        left = 6 + (place % 2) * (_WIDTH + 8)
        top = (place // 2) * (_ABOVE + _HEIGHT + _BELOW) + _ABOVE
        _draw_panel(layout.add_axes(figure, left, top, _WIDTH, _HEIGHT), panel, faces)
    rows = [row for panel in read for row in panel.numbers]
    numbers = pd.DataFrame(rows, columns=maps.COLUMNS)
    return page.finish(figure, numbers, _title(read), sentences)


def _read_panel(
    letter: str, panel: Mapping, faces: FaceSet, scores: pd.DataFrame, absent: Mapping[str, str]
) -> maps.Panel:
    network, layer = panel["network"], panel["layer"]
    missing = absent.get(letter) or absent.get(network)
    if missing is None and panel["file"] is None:
        missing = f"network {network}: not measured"
    if missing:
        read, rows = maps.Map(missing), [{"note": missing}]
    else:
        kind = "embedding" if panel["space"] == "umap" else "geometry"
        read = maps.read_map(panel["file"], kind, layer, faces.digest)
        rows = _measure(read, layer, panel["space"], scores)
    where = {"panel": letter, **faces.columns, "network": network, "layer": layer}
    where["stage"] = panel["stage"]
    title = f"{letter}  {panel['title']}"
    return maps.Panel(letter, title, layer, read, [{**where, **row} for row in rows])


def _measure(drawn: maps.Map, layer: str, space: str, scores: pd.DataFrame) -> list[dict]:
    """Silhouettes of identity of each seed, the map's seed first, and the axes' variances."""
    if drawn.missing:
        return [{"note": drawn.missing}]
    first = int(drawn.attributes["seed"])
    of_network = scores[scores["network"].astype(str).eq(str(drawn.attributes["network"]))]
    rows = []
    for seed in (first, *sorted(set(of_network["seed"].astype(int)) - {first})):
        where = {**drawn.attributes, "seed": seed}
        for name in _SPACES[space]:
            rows.append({**maps.find_score(of_network, where, layer, name), "seed": seed})
    if drawn.variance is not None:
        for number, share in enumerate(drawn.variance, start=1):
            row = {"measure": "variance_explained", "space": f"PC{number}", "value": share}
            rows.append({**row, "seed": first, "note": ""})
    return rows


def _silhouettes(panel: maps.Panel) -> dict[str, list[dict]]:
    """Rows of silhouettes by space, the drawn seed's first."""
    rows: dict[str, list[dict]] = {}
    for row in panel.numbers:
        if row["space"] in _SPACE_NAMES:
            rows.setdefault(row["space"], []).append(row)
    return rows


def _draw_panel(axis: Axes, panel: maps.Panel, faces: FaceSet) -> None:
    lines, names = [], ("UMAP 1", "UMAP 2")
    if not panel.map.missing:
        by_space = _silhouettes(panel)
        first = next(iter(by_space.values()))[0]
        values = {space: _with_range(rows) for space, rows in by_space.items()}
        if panel.map.variance is None:
            kind = "UMAP"
            on = f"on the map {values['umap']},"
            off = f"in the layer's space {values['all']}"
        else:
            kind, shares = "principal components", enumerate(panel.map.variance, start=1)
            names = tuple(f"PC{k} ({share:.1%} of variance)" for k, share in shares)
            on = f"in 2 components {values['2']},"
            off = f"in 10 components {values['10']}, in the full space {values['all']}"
        stage = panel.numbers[0]["stage"]
        if stage and not panel.title.lower().endswith(f"  {panel.layer.lower()}"):
            kind += f", {stage}"
        panel = panel._replace(title=abbreviate(f"{panel.title}: {kind}", _LONGEST_TITLE))
        lines = [f"identity silhouette {on}", off]
        if not np.isfinite(first["value"]):
            lines = maps.no_silhouette(first["note"], 60)
    maps.draw_map(axis, panel, faces, lines, names, _FACE, columns=48)


def _with_range(rows: Sequence[Mapping]) -> str:
    """The drawn seed's value, and the lowest and highest where there are several seeds."""
    values = [row["value"] for row in rows if np.isfinite(row["value"])]
    if len(values) < 2:
        return maps.spell(rows[0])
    ends = (maps.spell({"value": end}) for end in (min(values), max(values)))
    return f"{maps.spell(rows[0])} ({len(values)} seeds: {' to '.join(ends)})"


def _title(panels: Sequence[maps.Panel]) -> str:
    values = {}
    for panel in panels:
        if not panel.map.missing:
            row = _silhouettes(panel)["all"][0]
            values[panel.title.partition("  ")[2]] = maps.spell(row)
    listed = ", ".join(f"{name} {value}" for name, value in values.items())
    return f"How separate people are in the full space (mean silhouette): {listed}"


def _caption(panels: Sequence[maps.Panel], faces: FaceSet, dataset: str) -> list[str]:
    drawn = [panel for panel in panels if not panel.map.missing]
    values = "; ".join(f"{panel.letter} {_spell_all(panel)}" for panel in drawn)
    seeds = {
        panel.title.partition("  ")[2]: len({row["seed"] for row in panel.numbers})
        for panel in drawn
    }
    listed = ", ".join(f"{title} {count}" for title, count in seeds.items())
    layers = ", ".join(f"{panel.letter} {panel.layer}" for panel in drawn)
    return [
        f"{dataset}, {faces.count()}. Layers: {layers}.",
        *page.rendered(faces.rendered),
        maps.PEOPLE,
        f"Mean silhouette of identity, Euclidean distance [95 % interval over people] (chance: "
        f"mean of permuted labels): {values}.",
        *maps.describe_umaps([panel for panel in drawn if panel.map.variance is None]),
        f"Seeds: {listed}; the maps show the first.",
        *page.left_out(f"{p.letter}: {p.map.missing}" for p in panels if p.map.missing),
    ]


def _spell_all(panel: maps.Panel) -> str:
    by_space = _silhouettes(panel)
    return ", ".join(
        f"{name} {maps.spell(by_space[space][0], with_interval=True)}"
        for space, name in _SPACE_NAMES.items()
        if space in by_space
    )

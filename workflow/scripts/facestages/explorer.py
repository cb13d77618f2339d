"""The explorer: one HTML page on which faces are points that move from layer to layer.

The page holds all that it needs: maps, neighbours and scores of every layer, labels, and small
pictures. Its program and style are in ``workflow/report/explorer``; it asks for nothing outside.
"""

from __future__ import annotations

import base64
import io
import json
import math
import os
from collections.abc import Mapping, Sequence
from pathlib import Path

import h5py
import numpy as np
import pandas as pd
from PIL import Image

from facestages import __version__, store, tables
from facestages.errors import FacestagesError
from facestages.figures.face_set import FaceSet, read_face_set, thumbnail
from facestages.files import atomic_path
from facestages.progress import progress
from facestages.text import escape_html

#: Rows and columns of a small picture, and how many stand side by side on a page of them.
THUMBNAIL, PAGE_COLUMNS = 48, 32

# Labels that points can be coloured by, first those of the paper.
_CATEGORIES = ("expression", "identity", "sex", "session", "angle", "split")
_NUMBERS = ("valence", "arousal", "intensity")

# Scripts of the page, in the order in which they need each other.
_SCRIPTS = ("data.js", "looks.js", "pane.js", "panels.js", "main.js")

# Coordinates are kept as whole numbers of 16 bits.
_LARGEST = 32767
# The type of a neighbour's number.
_MOST_FACES = 1 << 16
_ROWS_AT_ONCE = 512


def write_explorer(
    path: str | os.PathLike,
    face_sets: Sequence[Mapping[str, object]],
    components: int | str,
    neighbours: int,
    folder: str | os.PathLike,
) -> None:
    """Write the explorer of a run. The same run gives the same bytes.

    Parameters
    ----------
    path : path-like
    face_sets, components, neighbours
        As `plan.explorer.plan_explorer` gives them.
    folder : path-like
        Template, style and scripts of the page.

    Raises
    ------
    FacestagesError
        If a face set has more than 65,536 faces, or its files are not of the same faces.
    """
    data = {
        "version": __version__,
        "components": components,
        "sets": [
            describe_face_set(components=components, neighbours=neighbours, **one)
            for one in progress(list(face_sets), "face sets")
        ],
    }
    write_page(path, data, Path(folder))


def write_page(path: str | os.PathLike, data: Mapping[str, object], folder: Path) -> None:
    """Write a page of what `describe_face_set` gives of each face set, and of two numbers."""
    text = json.dumps(data, separators=(",", ":"), allow_nan=False)
    page = (folder / "explorer.html").read_text(encoding="utf-8")
    parts = {
        "title": escape_html(", ".join(str(one["label"]) for one in data["sets"])),
        "style": (folder / "explorer.css").read_text(encoding="utf-8"),
        "script": "\n".join((folder / name).read_text(encoding="utf-8") for name in _SCRIPTS),
        # No label can end the script that holds it.
        "data": text.replace("<", r"\u003c"),
    }
    for name, part in parts.items():
        page = page.replace(f"<!--{name}-->", part, 1)
    with atomic_path(path) as partial:
        partial.write_text(page, encoding="utf-8")


def describe_face_set(
    name: str,
    label: str,
    stimuli: str | os.PathLike,
    labels: str | os.PathLike,
    labels_from: str | os.PathLike,
    may_show: str | Sequence[str],
    recordings: Sequence[Mapping[str, object]],
    components: int | str,
    neighbours: int,
) -> dict[str, object]:
    """What the page needs of a face set: labels, pictures, and each recording of it."""
    faces = read_face_set(stimuli, labels, labels_from or None, may_show)
    ids = faces.labels["stimulus_id"]
    if len(ids) > _MOST_FACES:
        raise FacestagesError(
            f"explore.datasets: {name} has {len(ids):,} faces, and the explorer shows at most "
            f"{_MOST_FACES:,}. Lower analysis.most_pictures, or name other face sets"
        )
    is_shown = faces.is_shown
    return {
        "name": name,
        "label": label,
        "rendered": faces.rendered,
        "count": faces.count(),
        "ids": list(ids),
        "labels": _labels(faces),
        "hidden": int((~is_shown).sum()),
        "thumbnails": draw_pages(faces),
        "recordings": [
            _recording(faces, one, components, min(neighbours, len(ids) - 1)) for one in recordings
        ],
    }


# ------------------------------------------------------------------------------ labels and faces


def _labels(faces: FaceSet) -> dict[str, dict[str, object]]:
    """Values of each label that has any, as codes or numbers, with its source."""
    table, described = faces.labels, {}
    for name in filter(table.columns.__contains__, _CATEGORIES):
        values = table[name].fillna("").astype(str)
        categories = sorted({*values} - {""})
        if categories:
            # 0 stands for a face without this label.
            codes = values.map({value: code for code, value in enumerate(["", *categories])})
            described[name] = {"categories": categories, "codes": _encode(codes, "<u2")}
    for name in filter(table.columns.__contains__, _NUMBERS):
        if table[name].notna().any():
            described[name] = {"numbers": _encode(table[name], "<f4")}
    for name, one in described.items():
        one["source"] = faces.sources.get(name, "")
    return described


def draw_pages(faces: FaceSet) -> list[str]:
    """Small pictures of all faces, 32 x 32 of them on a page, as addresses of JPEG data."""
    n, side = len(faces.labels), THUMBNAIL
    pages = []
    for start in range(0, n, PAGE_COLUMNS**2):
        rows = range(start, min(start + PAGE_COLUMNS**2, n))
        height = math.ceil(len(rows) / PAGE_COLUMNS)
        sheet = Image.new("RGB", (PAGE_COLUMNS * side, height * side), "white")
        for place, picture in enumerate(faces.pictures(rows)):
            small = Image.fromarray(thumbnail(picture, side))
            y, x = divmod(place, PAGE_COLUMNS)
            left, top = (side - small.width) // 2, (side - small.height) // 2
            sheet.paste(small, (x * side + left, y * side + top))
        data = io.BytesIO()
        # Without subsampling, the colours of a face stay within its 16 x 16 blocks.
        sheet.save(data, "JPEG", quality=75, subsampling=0)
        pages.append("data:image/jpeg;base64," + base64.b64encode(data.getvalue()).decode())
    return pages


# ------------------------------------------------------------------------------------ recordings


def _recording(
    faces: FaceSet, one: Mapping[str, object], components: int | str, neighbours: int
) -> dict[str, object]:
    """Maps, neighbours, scores and answers of one instance of a network."""
    with store.open_read(one["geometry"], "geometry") as file:
        store.require_attributes(one["geometry"], file, stimuli_digest=faces.digest)
        names = list(file)
        pca = align_maps([_first_two(file[name]["score"][:, :2]) for name in names])
        layers = [
            {
                "name": name,
                "stage": ", ".join(one["stages"].get(name, [])),
                "shape": " x ".join(map(str, np.atleast_1d(file[name].attrs["layer_shape"]))),
                "variance": [round(float(v), 4) for v in file[name]["variance_ratio"][:2]],
                "nearest": _encode(nearest_faces(file[name]["gram"], neighbours), "<u2"),
            }
            for name in names
        ]
    scores = _scores(one["separability"], "silhouette", "null_mean", components)
    decoded = _scores(one["decoding"], "balanced_accuracy", "chance", components)
    for layer in layers:
        layer["silhouette"] = scores.get(layer["name"], {})
        layer["decoding"] = decoded.get(layer["name"], {})
    return {
        "network": one["network"],
        "label": one["label"],
        "seed": one["seed"],
        "weights": one["weights"],
        "neighbours": neighbours,
        "layers": layers,
        "maps": {
            "pca": _encode_maps(names, dict(zip(names, pca, strict=True))),
            **_umap(one["embedding"], faces, names),
        },
        "circular": faces.sources.get("expression") == f"network:{one['network']}",
        **_answers(one["predictions"], faces, one["classes"]),
    }


def _first_two(scores: np.ndarray) -> np.ndarray:
    """Two components of a layer; a space of one has a second of zeros, one of none two."""
    return np.pad(scores, ((0, 0), (0, 2 - scores.shape[1])))


def align_maps(maps: Sequence[np.ndarray]) -> list[np.ndarray]:
    """Turn and mirror each map (n, 2) so that it lies as the one after it does; the last stays.

    ``R = argmin ||A R - B||`` over orthogonal R (Procrustes; Schönemann 1966,
    doi:10.1007/BF02289451), after each map was centred. Then each is moved and scaled so that its
    points, but for 1 % at each end of each axis, are between -1 and 1. Distances within a map keep
    their proportions.
    """
    aligned: list[np.ndarray] = []
    for points in reversed(maps):
        points = points - points.mean(axis=0)
        if aligned:
            left, _, right = np.linalg.svd(points.T @ aligned[-1])
            points = points @ (left @ right)
        aligned.append(points)
    return [_fill_view(points) for points in reversed(aligned)]


def _fill_view(points: np.ndarray) -> np.ndarray:
    ends = np.quantile(points, [0.01, 0.99], axis=0)
    size = np.ptp(ends, axis=0).max() / 2
    return (points - ends.mean(axis=0)) / (size if size > 0 else 1)


def nearest_faces(gram: h5py.Dataset | np.ndarray, k: int) -> np.ndarray:
    """The k nearest other faces of each, in the layer's full space, the nearest first.

    ``d_ij^2 = g_ii + g_jj - 2 g_ij``. The matrix (n, n) is read in parts; the result is (n, k).
    """
    n = len(gram)
    squares = np.empty(n)
    for start in range(0, n, _ROWS_AT_ONCE):
        block = gram[start : start + _ROWS_AT_ONCE]
        rows = np.arange(len(block))
        squares[start + rows] = block[rows, start + rows]
    nearest = np.empty((n, k), dtype=np.int64)
    for start in range(0, n, _ROWS_AT_ONCE):
        block = squares - 2.0 * gram[start : start + _ROWS_AT_ONCE]
        rows = np.arange(len(block))
        block[rows, start + rows] = np.inf
        chosen = np.argpartition(block, min(k, n - 1), axis=1)[:, :k]
        order = np.argsort(np.take_along_axis(block, chosen, axis=1), axis=1, kind="stable")
        nearest[start + rows] = np.take_along_axis(chosen, order, axis=1)
    return nearest


def _scores(
    path: str | os.PathLike, measure: str, chance: str, components: int | str
) -> dict[str, dict[str, list[float | str | None]]]:
    """By layer and label: value, ends of its interval, chance, and why there is none of these."""
    if not path:
        return {}
    table = tables.read_tables([path])
    table = table[
        (table["measure"] == measure)
        & table["layer"].notna()
        & (table["components"].astype(str) == str(components))
    ].drop_duplicates(["layer", "label"])
    scores: dict[str, dict[str, list[float | str | None]]] = {}
    for row in table.to_dict("records"):
        values = [row["value"], row["ci_low"], row["ci_high"], row[chance]]
        kept = [None if pd.isna(value) else round(float(value), 4) for value in values]
        if pd.isna(row["value"]):
            kept.append(row["note"])
        scores.setdefault(row["layer"], {})[row["label"]] = kept
    return scores


def _umap(path: str | os.PathLike, faces: FaceSet, names: Sequence[str]) -> dict[str, object]:
    """Maps of those layers that UMAP was made of, each lying as the one after it does."""
    if not path:
        return {}
    with store.open_read(path, "embedding") as file:
        store.require_attributes(path, file, stimuli_digest=faces.digest)
        mapped = [name for name in names if name in file]
        points = align_maps([file[name]["umap"][:] for name in mapped])
    return {"umap": _encode_maps(names, dict(zip(mapped, points, strict=True)))}


def _answers(
    path: str | os.PathLike, faces: FaceSet, classes: Sequence[str]
) -> dict[str, dict[str, object]]:
    if not path:
        return {}
    table = tables.read_tables([path])
    if list(table["stimulus_id"]) != list(faces.labels["stimulus_id"]):
        raise FacestagesError(
            f"{path}: was made from other stimuli than {faces.path}. Delete it and run the same "
            f"command again"
        )
    codes = table["expression"].map({value: code + 1 for code, value in enumerate(classes)})
    answers = {"categories": list(classes), "codes": _encode(codes.fillna(0), "<u2")}
    return {"answers": answers}


def _encode_maps(names: Sequence[str], maps: Mapping[str, np.ndarray]) -> dict[str, object]:
    """Points of each layer as whole numbers, and how many of them are 1."""
    largest = max((np.abs(points).max() for points in maps.values()), default=0) or 1
    unit = _LARGEST / largest
    layers = [_encode((maps[n] * unit).round(), "<i2") if n in maps else None for n in names]
    return {"unit": float(unit), "layers": layers}


def _encode(values: np.ndarray | pd.Series, kind: str) -> str:
    return base64.b64encode(np.asarray(values).astype(kind).tobytes()).decode()

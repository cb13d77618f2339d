"""References as HDF5 files: one format for people's judgements and for recordings."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import NamedTuple

import h5py
import numpy as np

from facestages import store
from facestages.references.contents import Confusions, Pairs, Ratings, Triplets

Content = Pairs | Ratings | Triplets | Confusions


class Reference(NamedTuple):
    """A reference as it was prepared; what its kind does not have is None, or an empty list.

    Attributes
    ----------
    name, dataset : str
        Names of the reference and of its face set in the config.
    kind : str
        ``pairs``, ``ratings``, ``triplets`` or ``confusions``.
    label, cite : str
        What figures call it, and its source.
    simulated : bool
        It was simulated; no person has judged.
    stimuli_digest : str
        Digest of the pictures of the face set.
    raters : list of str
        People who judged, or whose brains were recorded.
    times : list of float
        In ms; ``[0.0]`` where there is no time.
    has_time : bool
    first, second : list of str
        ``stimulus_id`` of the two pictures of each pair, or names of its two conditions.
    conditions : dict of str to list of str
        ``stimulus_id`` of the pictures of each condition, if conditions have several.
    dissimilarity : numpy.ndarray of float32, shape (raters, times, pairs)
        Of kind ``pairs``; NaN where not judged.
    stimuli, scales : list of str
        The rated pictures and the scales.
    rating : numpy.ndarray of float32, shape (raters, stimuli, scales)
        Of kind ``ratings``; NaN where not rated.
    sd, n : numpy.ndarray of float32, shape (stimuli, scales)
        Standard deviation and number of ratings, where only means are known; the one rater is
        ``mean`` then.
    triplet : list of tuple of str
        Of kind ``triplets``: three ``stimulus_id``, the odd one out last.
    trial_rater : list of str
        Who judged each triplet.
    expressions, answers : list of str
    count : numpy.ndarray of float64, shape (expressions, answers)
        Of kind ``confusions``.
    rater_count : numpy.ndarray of float64, shape (raters, expressions, answers)
        None where raters are not told apart.
    """

    name: str
    dataset: str
    kind: str
    label: str
    cite: str
    simulated: bool
    stimuli_digest: str
    raters: list[str]
    times: list[float] = []
    has_time: bool = False
    first: list[str] = []
    second: list[str] = []
    conditions: Mapping[str, list[str]] = {}
    dissimilarity: np.ndarray | None = None
    stimuli: list[str] = []
    scales: list[str] = []
    rating: np.ndarray | None = None
    sd: np.ndarray | None = None
    n: np.ndarray | None = None
    triplet: list[tuple[str, str, str]] = []
    trial_rater: list[str] = []
    expressions: list[str] = []
    answers: list[str] = []
    count: np.ndarray | None = None
    rater_count: np.ndarray | None = None


def write_reference(
    path: str | os.PathLike, content: Content, ids: np.ndarray, attributes: Mapping[str, object]
) -> None:
    """Write what a reader found.

    Parameters
    ----------
    path : path-like
    content : Pairs, Ratings, Triplets or Confusions
    ids : numpy.ndarray, shape (n,)
        ``stimulus_id`` of each picture of the face set.
    attributes : mapping
        ``reference``, ``dataset``, ``label``, ``cite``, ``simulated`` and ``stimuli_digest``.
    """
    attributes = {**attributes, "content": content.kind}
    with store.create(path, "reference", **attributes) as file:
        _WRITERS[content.kind](file, content, np.asarray(ids, dtype=object))


def _write_pairs(file: h5py.File, content: Pairs, ids: np.ndarray) -> None:
    times = np.zeros(1) if content.times is None else np.asarray(content.times, float)
    file.attrs["has_time"] = int(content.times is not None)
    store.add_dimension(file, "rater", np.array(content.raters, dtype=object))
    store.add_dimension(file, "time", times)
    store.add_dimension(file, "pair", np.arange(len(content.first)))
    names = ids
    if content.conditions is not None:
        names, pictures = np.array(content.conditions.names, object), content.conditions.pictures
        store.add_dimension(file, "member", np.arange(sum(map(len, pictures))))
        store.add_array(file, "condition", ("member",), names.repeat([*map(len, pictures)]))
        store.add_array(file, "stimulus_id", ("member",), ids[np.concatenate(pictures)])
    store.add_array(file, "first", ("pair",), names[content.first])
    store.add_array(file, "second", ("pair",), names[content.second])
    whole = (1, len(times), len(content.first))
    values = store.add_array(
        file, "dissimilarity", ("rater", "time", "pair"), dtype=np.float32, chunks=whole
    )
    for rater, block in enumerate(content.dissimilarities):
        values[rater] = block


def _write_ratings(file: h5py.File, content: Ratings, ids: np.ndarray) -> None:
    store.add_dimension(file, "rater", np.array(content.raters, dtype=object))
    store.add_dimension(file, "stimulus_id", ids[content.pictures])
    store.add_dimension(file, "scale", np.array(content.scales, dtype=object))
    axes = ("rater", "stimulus_id", "scale")
    store.add_array(file, "rating", axes, content.rating.astype(np.float32))
    for name, values in (("sd", content.sd), ("n", content.n)):
        if values is not None:
            store.add_array(file, name, axes[1:], values.astype(np.float32))


def _write_triplets(file: h5py.File, content: Triplets, ids: np.ndarray) -> None:
    store.add_dimension(file, "trial", np.arange(len(content.triplet)))
    store.add_dimension(file, "place", np.array(["first", "second", "odd"], dtype=object))
    store.add_array(file, "triplet", ("trial", "place"), ids[content.triplet])
    store.add_array(file, "rater", ("trial",), content.rater.astype(object))


def _write_confusions(file: h5py.File, content: Confusions, ids: np.ndarray) -> None:
    store.add_dimension(file, "expression", np.array(content.expressions, dtype=object))
    store.add_dimension(file, "answer", np.array(content.answers, dtype=object))
    store.add_array(file, "count", ("expression", "answer"), content.count)
    if content.rater_count is not None:
        store.add_dimension(file, "rater", np.array(content.raters, dtype=object))
        axes = ("rater", "expression", "answer")
        store.add_array(file, "rater_count", axes, content.rater_count)


_WRITERS = {
    "pairs": _write_pairs,
    "ratings": _write_ratings,
    "triplets": _write_triplets,
    "confusions": _write_confusions,
}


def read_reference(path: str | os.PathLike) -> Reference:
    """Read a reference that `prepare_reference` wrote.

    Returns
    -------
    Reference
        All of it in memory: arrays, and labels as lists.

    Raises
    ------
    FacestagesError
        If the file is missing or damaged or something else.
    """
    with store.open_read(path, "reference") as file:
        kind = str(file.attrs["content"])
        facts = {name: str(file.attrs[name]) for name in ("dataset", "label", "cite")}
        return Reference(
            name=str(file.attrs["reference"]),
            kind=kind,
            simulated=bool(file.attrs["simulated"]),
            stimuli_digest=str(file.attrs["stimuli_digest"]),
            **facts,
            **_READERS[kind](file),
        )


def _read_pairs(file: h5py.File) -> dict[str, object]:
    conditions: dict[str, list[str]] = {}
    if "condition" in file:
        members = zip(_texts(file["condition"]), _texts(file["stimulus_id"]), strict=True)
        for name, picture in members:
            conditions.setdefault(name, []).append(picture)
    return {
        "conditions": conditions,
        "raters": _texts(file["rater"]),
        "times": file["time"][:].tolist(),
        "has_time": bool(file.attrs["has_time"]),
        "first": _texts(file["first"]),
        "second": _texts(file["second"]),
        "dissimilarity": file["dissimilarity"][:],
    }


def _read_ratings(file: h5py.File) -> dict[str, object]:
    axes = {"raters": "rater", "stimuli": "stimulus_id", "scales": "scale"}
    arrays = {name: file[name][:] for name in ("rating", "sd", "n") if name in file}
    return {key: _texts(file[name]) for key, name in axes.items()} | arrays


def _read_triplets(file: h5py.File) -> dict[str, object]:
    rater = _texts(file["rater"])
    return {
        "raters": sorted(set(rater)),
        "triplet": [tuple(row) for row in file["triplet"].asstr()[:].tolist()],
        "trial_rater": rater,
    }


def _read_confusions(file: h5py.File) -> dict[str, object]:
    found = {"expressions": _texts(file["expression"]), "answers": _texts(file["answer"])}
    found |= {"count": file["count"][:], "raters": _texts(file["rater"]) if "rater" in file else []}
    return found | ({"rater_count": file["rater_count"][:]} if "rater_count" in file else {})


def _texts(dataset: h5py.Dataset) -> list[str]:
    return store.read_column(dataset).tolist()


_READERS = {
    "pairs": _read_pairs,
    "ratings": _read_ratings,
    "triplets": _read_triplets,
    "confusions": _read_confusions,
}

"""Stacks of dissimilarity matrices in files: NumPy, MATLAB, rsatoolbox. Nothing in them is run."""

from __future__ import annotations

import contextlib
import logging
import warnings
import zipfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import h5py
import numpy as np
import scipy.io

from facestages.bounds import require_fit
from facestages.errors import FacestagesError, did_you_mean, name_error, shorten
from facestages.references.judgements import ALSO_CALLED
from facestages.stimuli.picture_names import plain_name

logger = logging.getLogger(__name__)

# Descriptors of rsatoolbox that name conditions, and subjects, by priority.
_CONDITIONS = (*ALSO_CALLED["picture"], "condition", "conds", "stim")
_SUBJECTS = (*ALSO_CALLED["rater"], "sub")
_TIME = "time"


class Stack(NamedTuple):
    """Dissimilarities of subjects, read one after the other."""

    raters: list[str]
    #: None where there is no axis of time.
    n_times: int | None
    #: Times as the file has them; None if it does not say.
    times: list[float] | None
    #: Picture of each condition.
    names: list[str]
    #: From a subject's number to ([T,] n, n), or to ([T,] pairs) in the order of `squareform`.
    read: Callable[[int], np.ndarray]


class _Array(NamedTuple):
    """An array of numbers in a file."""

    shape: tuple[int, ...]
    #: From an index, such as ``(0, ...)``, to that part of the array.
    part: Callable[[tuple], np.ndarray]


def open_stack(
    path: str,
    variable: str | None,
    names: Sequence[str] | None,
    n_times: int | None,
    n_rows: int = 0,
) -> Stack:
    """Open a stack of dissimilarity matrices.

    The axes are subject, time, condition, condition, or the reverse, as of arrays ``RDMs(:, :, k)``
    of MATLAB. In place of the last two there may be one of pairs, in the order of `squareform`. Of
    five axes, the second are sessions, over which the mean is taken (Cichy, Pantazis and Oliva
    2014, ``MEG_decoding_RDMs.mat``). Of three axes, the first are subjects, or times where
    `n_times` is given; a single matrix is that of one subject.

    Parameters
    ----------
    path : str
        ``.npy`` of NumPy, ``.mat`` of MATLAB, or HDF5 of rsatoolbox
        (``RDMs.save(file, file_type="hdf5")``).
    variable : str, optional
        Name of the array in a file of MATLAB; if not given, the only one.
    names : sequence of str, optional
        Picture or name of each condition. rsatoolbox's file may have them itself, in a pattern
        descriptor; if these are the same, they are in its order.
    n_times : int, optional
        Number of times, where the config gives them.
    n_rows : int
        Rows of the table of conditions, more than there are `names` if it groups pictures.

    Raises
    ------
    FacestagesError
        If the file is missing or none of these, or its shape does not fit the conditions.
    """
    if not Path(path).is_file():
        raise FacestagesError(f"{path}: no such file. Correct the path in the config")
    if h5py.is_hdf5(path):
        with _open_hdf5(path) as file:
            if "dissimilarities" in file and "pattern_descriptors" in file:
                return _open_rsatoolbox(path, file, names, n_rows)
    if names is None:
        raise FacestagesError(
            f"{path}: does not name its conditions. Give 'conditions', a CSV with the column "
            f"picture and a row for each, in the order of the array"
        )
    with _explained(path):
        return _fit(path, _open_array(path, variable), list(names), n_times, n_rows)


@contextlib.contextmanager
def _explained(path: str) -> Iterator[None]:
    """Turn whatever a library raises at a damaged file into one line."""
    try:
        yield
    except FacestagesError:
        raise
    except Exception as error:
        raise FacestagesError(
            f"{path}: cannot be read as an array of numbers ({name_error(error)}). Save it again, "
            f"as .npy, .mat or with rsatoolbox"
        ) from error


@contextlib.contextmanager
def _open_hdf5(path: str) -> Iterator[h5py.File]:
    with _explained(path), h5py.File(path, "r") as file:
        yield file


# --------------------------------------------------------------------------------- NumPy, MATLAB


def _open_array(path: str, variable: str | None) -> _Array:
    if h5py.is_hdf5(path):
        return _open_matlab_73(path, variable)
    if path.lower().endswith(".mat"):
        shapes = {name: shape for name, shape, kind in scipy.io.whosmat(path) if _is_number(kind)}
        name = _choose_variable(path, variable, shapes)
        require_fit(path, name, 8.0 * np.prod(shapes[name], dtype=float))
        values = scipy.io.loadmat(path, variable_names=[name])[name]
        return _Array(values.shape, values.__getitem__)

    if zipfile.is_zipfile(path):
        raise FacestagesError(f"{path}: is an archive (.npz). Save the array alone, as .npy")

    def whole() -> np.ndarray:
        # Opened anew for each subject, so that no page of another stays in memory.
        return np.load(path, mmap_mode="r", allow_pickle=False)

    kind = whole().dtype
    if kind.kind not in "iuf":
        raise FacestagesError(f"{path}: holds {kind}, not real numbers. Save these")
    return _Array(whole().shape, lambda index: np.array(whole()[index]))


def _is_number(kind: str) -> bool:
    return kind in ("double", "single") or kind.removeprefix("u").startswith("int")


def _open_matlab_73(path: str, variable: str | None) -> _Array:
    """An array in MATLAB's newer files, which are HDF5 with all axes reversed."""
    with _open_hdf5(path) as file:
        arrays = {
            name: file[name].shape[::-1]
            for name in file
            if isinstance(file.get(name, getlink=True), h5py.HardLink)
            and isinstance(file[name], h5py.Dataset)
            and file[name].dtype.kind in "iuf"
        }
        name = _choose_variable(path, variable, arrays)
        _require_own_values(path, file[name])

    def part(index: tuple) -> np.ndarray:
        with _open_hdf5(path) as file:
            return file[name][index[::-1]].T

    return _Array(arrays[name], part)


def _require_own_values(path: str, dataset: h5py.Dataset) -> None:
    if dataset.is_virtual or dataset.external:
        raise FacestagesError(
            f"{path}: '{dataset.name}' takes its values from another file. Save them in this one"
        )
    require_fit(path, dataset.name, dataset.nbytes)


def _choose_variable(path: str, variable: str | None, shapes: Mapping[str, tuple]) -> str:
    if variable is not None and variable not in shapes:
        hint = did_you_mean(variable, shapes)
        raise FacestagesError(f"{path}: has no array of numbers '{variable}'; {hint}")
    large = [name for name, shape in shapes.items() if np.prod(shape, dtype=float) > 1]
    if variable is None and len(large) != 1:
        found = f" ({shorten(', '.join(large))})" if large else ""
        raise FacestagesError(
            f"{path}: has {len(large)} arrays of numbers{found}. Name the one ('variable')"
        )
    return variable or large[0]


def _axes_above(shape: tuple[int, ...], n: int) -> tuple[int, ...] | None:
    """Axes before those of n conditions, or of their pairs; None if these are not the last."""
    ends = ((n, n), (n * (n - 1) // 2,))
    return next((shape[: -len(end)] for end in ends if shape[-len(end) :] == end), None)


def _require_no_groups(path: str, shape: tuple[int, ...], n: int, n_rows: int) -> None:
    """Refuse a table whose column of conditions makes groups of what are conditions here."""
    fits = any(_axes_above(axes, n_rows) is not None for axes in (shape, shape[::-1]))
    if n_rows > n and fits and shape[-2:] != (n, n):
        raise FacestagesError(
            f"{path}: its shape {shape} fits {n_rows} conditions, and the column 'condition' of "
            f"'conditions' makes {n} of {n_rows} rows. Remove that column, or call it otherwise"
        )


def _fit(path: str, array: _Array, names: list[str], n_times: int | None, n_rows: int) -> Stack:
    """Find out what the axes are, by the number of conditions."""
    n, shape = len(names), tuple(array.shape)
    _require_no_groups(path, shape, n, n_rows)
    above = _axes_above(shape, n)
    is_reversed = above is None
    if is_reversed:
        above = _axes_above(shape[::-1], n)
    if above is None or len(above) > 3:
        raise FacestagesError(
            f"{path}: its shape {shape} does not fit {n} conditions. It must end with {n} x {n}, "
            f"or {n * (n - 1) // 2} pairs; 'conditions' has a row for each condition"
        )
    if is_reversed:
        logger.info("%s: conditions are its first axes, so all axes are reversed", path)
    has_subjects = len(above) > 1 or (len(above) == 1 and n_times is None)
    has_sessions = len(above) == 3
    has_times = len(above) > 1 or (len(above) == 1 and not has_subjects)
    if has_sessions:
        logger.info("%s: the mean of %d sessions is taken", path, above[1])

    def read(subject: int) -> np.ndarray:
        index = (subject, ...)[:: -1 if is_reversed else 1] if has_subjects else (...,)
        with _explained(path):
            part = array.part(index)
            part = part.T if is_reversed else part
            return _mean_over_sessions(part) if has_sessions else part

    raters = [str(number) for number in range(1, above[0] + 1)] if has_subjects else ["1"]
    return Stack(raters, above[-1] if has_times else None, None, names, read)


def _mean_over_sessions(values: np.ndarray) -> np.ndarray:
    with warnings.catch_warnings():
        # The diagonal may be NaN in all sessions.
        warnings.simplefilter("ignore", RuntimeWarning)
        return np.nanmean(values, axis=0)


# ------------------------------------------------------------------------------------ rsatoolbox


def _open_rsatoolbox(path: str, file: h5py.File, names: Sequence[str] | None, n_rows: int) -> Stack:
    """RDMs of rsatoolbox: ``dissimilarities`` (rdms, pairs), and descriptors of both."""
    values = file["dissimilarities"]
    _require_own_values(path, values)
    if values.ndim != 2:
        raise FacestagesError(
            f"{path}: dissimilarities has the shape {values.shape}, not 2 axes. Save it with "
            f"rsatoolbox again"
        )
    patterns, rdms = (_descriptors(file, name) for name in ("pattern", "rdm"))
    if names is None:
        named = next((name for name in _CONDITIONS if name in patterns), None)
        if named is None:
            raise FacestagesError(
                f"{path}: no pattern descriptor names the pictures (it has: "
                f"{shorten(', '.join(patterns)) or 'none'}). Name one 'picture', or give "
                f"'conditions'"
            )
        names = patterns[named]
    else:
        _require_no_groups(path, values.shape, len(names), n_rows)
        names = _in_order(path, names, patterns)
    if values.shape[1] != len(names) * (len(names) - 1) // 2:
        raise FacestagesError(
            f"{path}: has {values.shape[1]} pairs, which does not fit {len(names)} conditions. "
            f"'conditions' has a row for each condition"
        )
    subject = next((rdms[name] for name in _SUBJECTS if name in rdms), None)
    moments = [float(time) for time in rdms[_TIME]] if _TIME in rdms else None
    if subject is None:
        # One subject a matrix, or one subject at many times.
        subject = ["1"] * len(values) if moments else [str(k + 1) for k in range(len(values))]
    times = sorted(set(moments)) if moments else None
    places: dict[tuple[str, float], int] = {}
    for row, key in enumerate(zip(subject, moments or [0.0] * len(values), strict=True)):
        if places.setdefault(key, row) != row:
            raise FacestagesError(
                f"{path}: matrices {places[key] + 1} and {row + 1} are of the same subject "
                f"'{shorten(key[0])}'{' and time' if moments else ''}. Keep one of them"
            )
    raters = list(dict.fromkeys(subject))

    def read(number: int) -> np.ndarray:
        rows = [places.get((raters[number], time)) for time in times or [0.0]]
        with _open_hdf5(path) as again:
            whole = again["dissimilarities"]
            missing = np.full(whole.shape[1], np.nan)
            block = np.array([missing if row is None else whole[row] for row in rows], float)
        return block if times else block[0]

    return Stack(raters, len(times) if times else None, times, list(names), read)


def _in_order(path: str, names: Sequence[str], patterns: Mapping[str, list[str]]) -> Sequence[str]:
    """Names of a table in the order of a file whose descriptor has the same names."""
    by_plain = {plain_name(name): name for name in names}
    for descriptor in filter(patterns.__contains__, _CONDITIONS):
        own = [plain_name(name) for name in patterns[descriptor]]
        if len(by_plain) == len(names) and set(own) == set(by_plain):
            return [by_plain[name] for name in own]
        if set(own) & set(by_plain):
            odd = next(iter(set(by_plain) - set(own)), own[0])
            raise FacestagesError(
                f"{path}: its pattern descriptor '{descriptor}' and 'conditions' have some names "
                f"in common, and not '{shorten(odd)}'. Give both the same names"
            )
    logger.warning(
        "%s: has none of the names in 'conditions'. The order of that table is taken", path
    )
    return names


def _descriptors(file: h5py.File, kind: str) -> dict[str, list[str]]:
    """Descriptors of conditions or matrices, as text."""
    found = {}
    group = file.get(f"{kind}_descriptors", {})
    for name in group:
        item = group[name]
        if isinstance(item, h5py.Dataset) and item.ndim == 1:
            is_text = h5py.check_string_dtype(item.dtype) is not None
            found[name] = [str(value) for value in (item.asstr() if is_text else item)[:].tolist()]
    return found

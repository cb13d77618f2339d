"""HDF5 files for reading, as h5py gives them, but with nothing from elsewhere and nothing made up.

HDF5 follows links to other files, takes values from other files, and fills what was never written
with zeros, however much that is. The classes here refuse these when a member or its values are
asked for. That the bytes of a file are those that were written, `notes.require_intact` has checked
before.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

import h5py
import numpy as np

from facestages import notes
from facestages.errors import FacestagesError

REMEDY = "delete it and run the same command again"

_LARGEST_ATTRIBUTE = 1 << 20


class _Attributes(h5py.AttributeManager):
    """Attributes of a bounded size."""

    def __init__(self, parent: Group | Dataset) -> None:
        super().__init__(parent)
        self._parent = parent

    def __getitem__(self, name: str) -> object:
        with _one_line(self._parent, name, OSError, RuntimeError, ValueError):
            if self.get_id(name).get_storage_size() > _LARGEST_ATTRIBUTE:
                raise ValueError("too large for an attribute")
            return super().__getitem__(name)


class _Checked:
    """What files, groups and arrays have in common."""

    @property
    def attrs(self) -> _Attributes:
        return _Attributes(self)


class Dataset(_Checked, h5py.Dataset):
    """An array whose values are numbers or text, and lie in its file or in files beside it."""

    _is_checked = False

    def __getitem__(self, rows: object, new_dtype: object = None) -> np.ndarray:
        # A wrong index raises errors of other types.
        with _one_line(self, self.name, OSError, RuntimeError):
            if not self._is_checked:
                _require_shape(self)
                _require_values(self)
                self._is_checked = True
            return super().__getitem__(rows, new_dtype)


class _Members(_Checked):
    """What files and groups have in common."""

    def __getitem__(self, name: str) -> Group | Dataset:
        first, _, rest = name.strip("/").partition("/")
        if rest:
            return self[first][rest]
        with _one_line(self, name, OSError, RuntimeError, ValueError, KeyError):
            if not isinstance(self.get(name, getlink=True), h5py.HardLink):
                raise ValueError("a link")
            item = super().__getitem__(name)
            if isinstance(item, h5py.Group):
                return Group(item.id)
            return Dataset(item.id)


class Group(_Members, h5py.Group):
    """A group that gives checked members."""


class File(_Members, h5py.File):
    """A file that gives checked members."""


@contextlib.contextmanager
def _one_line(item: Group | Dataset, what: str, *errors: type[Exception]) -> Iterator[None]:
    """Turn what h5py raises into one line that names the file and the part."""
    try:
        yield
    except errors as error:
        path = h5py.h5f.get_name(item.id).decode("utf-8", "surrogateescape")
        reason = " ".join(str(error).strip("'\"").split())
        raise FacestagesError(f"{path}: '{what}' cannot be read ({reason}): {REMEDY}") from error


def _require_shape(dataset: h5py.Dataset) -> None:
    """Refuse an array whose axes are not as long as their dimensions."""
    if dataset.is_scale:
        return
    lengths = [[scale.shape[0] for scale in axis.values()] for axis in dataset.dims]
    if lengths and not lengths[0] and "stimulus_id" in dataset.parent:
        lengths[0] = [dataset.parent["stimulus_id"].shape[0]]
    if any({size} != {size, *known} for size, known in zip(dataset.shape, lengths, strict=True)):
        raise OSError(f"the shape {dataset.shape} does not fit")


def _require_values(dataset: h5py.Dataset) -> None:
    """Refuse values that are no numbers and no text, or that are not where they should be."""
    is_text = h5py.check_string_dtype(dataset.dtype) is not None
    if dataset.dtype.kind not in "iuf" and not is_text:
        raise OSError(f"neither numbers nor text, but {dataset.dtype}")
    if dataset.is_virtual:
        for source in dataset.virtual_sources():
            _require_source(dataset, source)
    elif dataset.external or dataset.id.get_storage_size() < dataset.nbytes:
        raise OSError("its values are not in this file")


def _require_source(dataset: h5py.Dataset, source: h5py.VDSmap) -> None:
    """Refuse to take values from a file that is not below this one's folder, or is damaged."""
    folder = Path(dataset.file.filename).resolve().parent
    place = (folder / source.file_name).resolve()
    if not place.is_relative_to(folder) or not place.is_file():
        raise OSError(f"there is no {source.file_name} below {folder}")
    notes.require_intact(place)
    with File(place, "r") as file:
        part = file[source.dset_name]
        if part.is_virtual or part.shape[1:] != dataset.shape[1:]:
            raise OSError(f"{place} does not fit")
        _require_values(part)

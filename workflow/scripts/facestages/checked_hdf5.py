"""HDF5 files as h5py gives them, but checked: what is damaged, or lies elsewhere, is refused.

HDF5 follows links to other files, fills what was never written with zeros, and keeps text of any
length where it has no checksum, so that one wrong bit may keep it busy for ever. The classes here
refuse these when a member, an attribute or an array is asked for. Text of attributes has a fixed
length in the file, and is ``str`` here.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

import h5py
import numpy as np

from facestages.errors import FacestagesError

REMEDY = "delete it and run the same command again"

#: Attribute of an array that names the dimension of each axis. An array that has none has one axis,
#: which is the first of `_ROWS` in its group.
DIMENSIONS = "dimensions"
_ROWS = ("stimulus_id", "irregular", "example")

# HDF5 keeps no checksum of larger attributes.
_LONGEST_ATTRIBUTE = 4000


class _Attributes(h5py.AttributeManager):
    """Attributes that write and read ``str`` as text of fixed length."""

    def __init__(self, parent: Group | Dataset) -> None:
        super().__init__(parent)
        self._path = _path(parent)

    def __getitem__(self, name: str) -> object:
        if name not in self:
            raise KeyError(name)
        with _refuse_damage(self._path, f"attribute '{name}'", Exception):
            stored = self.get_id(name)
            if stored.get_storage_size() > _LONGEST_ATTRIBUTE or len(stored.shape) > 1:
                raise ValueError("too large for an attribute")
            value = super().__getitem__(name)
            return value.decode("utf-8", "surrogateescape") if isinstance(value, bytes) else value

    def __setitem__(self, name: str, value: object) -> None:
        stored = fixed_text(value) if isinstance(value, str) else np.asarray(value)
        if stored.nbytes > _LONGEST_ATTRIBUTE:
            raise ValueError(f"attribute '{name}' is too long: make it an array")
        super().__setitem__(name, stored)


class _Checked:
    """What files, groups and arrays have in common."""

    @property
    def attrs(self) -> _Attributes:
        return _Attributes(self)

    @property
    def file(self) -> File:
        return File(h5py.h5i.get_file_id(self.id))


class Dataset(_Checked, h5py.Dataset):
    """An array, whose checksums HDF5 compares when it is read."""

    _has_values = False

    def __getitem__(self, rows: object, new_dtype: object = None) -> np.ndarray:
        if not self._has_values and _is_read_only(self):
            _require_values(_path(self), self)
            self._has_values = True
        # A wrong index raises errors of other types.
        with _refuse_damage(_path(self), f"array '{self.name}'", OSError, RuntimeError):
            return super().__getitem__(rows, new_dtype)


class _Members(_Checked):
    """What files and groups have in common."""

    def __iter__(self) -> Iterator[str]:
        with _refuse_damage(_path(self), f"group '{self.name}'", Exception):
            return iter(list(super().__iter__()))

    def __getitem__(self, name: str) -> Group | Dataset:
        first, _, rest = name.strip("/").partition("/")
        if rest:
            return self[first][rest]
        path = _path(self)
        with _refuse_damage(path, f"'{name}'", Exception):
            if is_read_only := _is_read_only(self):
                _require_member(path, self, name)
            item = super().__getitem__(name)
            if isinstance(item, h5py.Group):
                return Group(item.id)
            if is_read_only:
                _require_shape(path, self, item)
        return Dataset(item.id)

    def create_group(self, name: str, track_order: bool | None = None) -> Group:
        return Group(super().create_group(name, track_order=track_order).id)


class Group(_Members, h5py.Group):
    """A group that gives checked members."""


class File(_Members, h5py.File):
    """A file that gives checked members."""


def fixed_text(values: object) -> np.ndarray:
    """Text as UTF-8 of a fixed length, whose bytes lie in the array itself."""
    text = np.asarray(values, dtype=object)
    encoded = [value.encode("utf-8", "surrogateescape") for value in text.ravel()]
    # xarray takes texts of one byte for letters, and joins them.
    dtype = h5py.string_dtype("utf-8", max([2, *map(len, encoded)]))
    return np.array(encoded, dtype).reshape(text.shape)


@contextlib.contextmanager
def _refuse_damage(path: str, what: str, *errors: type[Exception]) -> Iterator[None]:
    """Turn what h5py raises into one line that names the file and the part."""
    try:
        yield
    except FacestagesError:
        raise
    except errors as error:
        raise FacestagesError(f"{path}: {what} is damaged: {REMEDY}") from error


def _path(item: Group | Dataset) -> str:
    return h5py.h5f.get_name(item.id).decode("utf-8", "surrogateescape")


def _is_read_only(item: Group | Dataset) -> bool:
    return h5py.h5i.get_file_id(item.id).get_intent() == h5py.h5f.ACC_RDONLY


def _require_member(path: str, group: _Members, name: str) -> None:
    """Refuse a member that is not there, or that a link to another place stands for."""
    if name not in group:
        raise FacestagesError(f"{path}: lacks '{name}': {REMEDY}")
    if name != "/" and not isinstance(group.get(name, getlink=True), h5py.HardLink):
        raise FacestagesError(f"{path}: '{name}' is a link to another place: {REMEDY}")


def _require_shape(path: str, group: h5py.Group, dataset: h5py.Dataset) -> None:
    """Refuse an array whose axes are not as long as its dimensions."""
    rows = [name for name in _ROWS if name in group][:1]
    if h5py.h5ds.is_scale(dataset.id):
        fits = dataset.ndim == 1
    else:
        names = _Attributes(dataset).get(DIMENSIONS, " ".join(rows)).split(" ")
        fits = dataset.shape == tuple(h5py.h5d.open(group.id, n.encode()).shape[0] for n in names)
    if not fits:
        raise FacestagesError(f"{path}: the shape of '{dataset.name}' does not fit: {REMEDY}")


def _require_values(path: str, dataset: h5py.Dataset) -> None:
    """Refuse an array whose values are not in this file, or no numbers or text."""
    if dataset.dtype.kind not in "iufS":
        raise FacestagesError(f"{path}: '{dataset.name}' is neither numbers nor text: {REMEDY}")
    if dataset.is_virtual:
        for source in dataset.virtual_sources():
            _require_source(path, dataset, source)
    elif dataset.external or dataset.id.get_storage_size() < dataset.nbytes:
        raise FacestagesError(f"{path}: '{dataset.name}' has no values in this file: {REMEDY}")


def _require_source(path: str, dataset: h5py.Dataset, source: h5py.VDSmap) -> None:
    """Refuse a virtual array whose values are not in this file's folder, or are damaged."""
    folder = Path(path).resolve().parent
    place = folder / source.file_name
    if not place.resolve().is_relative_to(folder) or not place.is_file():
        raise FacestagesError(
            f"{path}: '{dataset.name}' takes values from {source.file_name}, which is not a file "
            f"below {folder}: {REMEDY}"
        )
    with _refuse_damage(str(place), "the file", OSError, RuntimeError), File(place, "r") as file:
        part = file[source.dset_name]
        if part.is_virtual or part.shape[1:] != dataset.shape[1:]:
            raise FacestagesError(f"{place}: the shape of '{part.name}' does not fit: {REMEDY}")

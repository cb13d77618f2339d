"""The one place that writes HDF5.

The files are netCDF-4: every array has named dimensions with coordinates, so that
``xarray.open_dataset(path, group=..., engine="h5netcdf")`` reads them as they are.
"""

from __future__ import annotations

import contextlib
import io
import os
import re
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from urllib.parse import unquote

import h5py
import numpy as np

from facestages import notes
from facestages.checked_hdf5 import REMEDY, File
from facestages.errors import FacestagesError
from facestages.files import atomic_path

SCHEMA_VERSION = 1

# What no name in HDF5 can hold, and the sign that stands for it here.
_NO_NAME = re.compile(r"[/\0%]|^\.{1,2}$")

# After so many bytes the system is asked to bring them to the disk.
_FLUSHED_AT_ONCE = 1 << 26

# How netCDF-4 marks a dimension that has no coordinate values.
_BARE_DIMENSION = "This is a netCDF dimension but not a netCDF variable. {:10d}"


@contextlib.contextmanager
def create(path: str | os.PathLike, kind: str, **attributes: object) -> Iterator[h5py.File]:
    """Open a new HDF5 file for writing; it appears under `path` only when it is complete.

    Parameters
    ----------
    path : path-like
        The final name.
    kind : str
        Kind of content: ``"stimuli"``, ``"activations"``, ``"geometry"``, ...
    **attributes
        Further attributes of the file.

    Raises
    ------
    FacestagesError
        At the end of the block, if the disk was full; no file is left then.
    """
    with atomic_path(path) as partial, _Disk(partial, "w+") as disk:
        # In the newer formats (``libver``), HDF5 1.14 loses an array of one chunk that its cache
        # cannot hold.
        with h5py.File(disk, "w", track_order=True, userblock_size=notes.USER_BLOCK) as file:
            file.attrs.update(kind=kind, schema_version=SCHEMA_VERSION, **attributes)
            yield file
        disk.wait()
        if disk.failure:
            raise disk.failure
        notes.write_user_block(partial)


class _Disk(io.FileIO):
    """A file that HDF5 can close although the disk is full.

    HDF5 keeps a file open that it cannot write to, and crashes when Python ends. This class hides
    a failed write from HDF5 and throws away all later ones.
    """

    #: The first failed write.
    failure: OSError | None = None

    _unflushed = 0
    _flushing: threading.Thread | None = None

    def write(self, data) -> int:
        # A nearly full disk takes one part and refuses the rest.
        rest = memoryview(data).cast("B")
        while len(rest) and self.failure is None:
            rest = rest[self._attempt(super().write, rest) :]
        self._unflushed += len(data)
        if self._unflushed > _FLUSHED_AT_ONCE:
            self._flush_beside()
        return len(data)

    def _flush_beside(self) -> None:
        """Start writing to the disk now, beside the computation, and not all of it at the end."""
        if self._flushing is None or not self._flushing.is_alive():
            self._unflushed = 0
            self._flushing = threading.Thread(target=self._attempt, args=(os.fsync, self.fileno()))
            self._flushing.start()

    def wait(self) -> None:
        """Wait until the system has written all, or `failure` is set."""
        if self._flushing is not None:
            self._flushing.join()

    def close(self) -> None:
        self.wait()
        super().close()

    def truncate(self, size: int | None = None) -> int:
        return self._attempt(super().truncate, size)

    def _attempt(self, change: Callable, value) -> int:
        try:
            return change(value)
        except OSError as error:
            self.failure = self.failure or error
            return 0


@contextlib.contextmanager
def open_read(
    path: str | os.PathLike, kind: str | tuple[str, ...], **expected: object
) -> Iterator[File]:
    """Open an HDF5 file of facestages for reading, and refuse the wrong one.

    Parameters
    ----------
    path : path-like
    kind : str or tuple of str
        The kind that the file must have, or the kinds that it may have.
    **expected
        Attributes that the file must have, with their values, e.g. ``stimuli_digest``.

    Raises
    ------
    FacestagesError
        If the file is missing, damaged, of another kind or schema, or made from something else; in
        the block, if what is asked for lies in another place or does not fit.
    """
    path = Path(path)
    if not path.exists():
        raise FacestagesError(f"{path}: no such file. Make it with: snakemake --cores all {path}")
    # HDF5 may hang or crash where one bit of its structures is wrong.
    notes.require_intact(path)
    try:
        file = File(path, "r")
    except OSError as error:
        raise FacestagesError(f"{path}: cannot be read as HDF5: {REMEDY}") from error
    with file:
        content = file.attrs.get("kind", "unknown content")
        kinds = (kind,) if isinstance(kind, str) else kind
        if content not in kinds:
            needed = " or ".join(kinds)
            raise FacestagesError(f"{path}: holds {content} where {needed} is needed: {REMEDY}")
        version = int(file.attrs.get("schema_version", 0))
        if version != SCHEMA_VERSION:
            raise FacestagesError(
                f"{path}: has file format {version}, this facestages reads {SCHEMA_VERSION}: "
                f"{REMEDY}"
            )
        require_attributes(path, file, **expected)
        yield file


def notes_of(file: h5py.File) -> dict[str, object]:
    """Attributes that a file made from this one keeps."""
    return {k: v for k, v in file.attrs.items() if k not in ("kind", "schema_version")}


def require_attributes(path: str | os.PathLike, file: h5py.File, **expected: object) -> None:
    """Refuse a file that lacks one of these attributes, or has another value for it."""
    for name, value in expected.items():
        if file.attrs.get(name) != value:
            raise FacestagesError(
                f"{path}: was made with another {name.replace('_', ' ')} "
                f"({_short(file.attrs.get(name))}, not {_short(value)}): {REMEDY}"
            )


def _short(value: object) -> str:
    text = str(value)
    return text if len(text) <= 16 else f"{text[:12]}..."


def add_dimension(group: h5py.Group, name: str, values: int | Sequence | np.ndarray) -> None:
    """Add a named dimension to a group; it is visible there and in the groups below.

    `values` is the length alone, or one coordinate value (number or text) for each index.
    """
    if isinstance(values, int | np.integer):
        scale = group.create_dataset(name, shape=(int(values),), dtype=">f4")
        scale.make_scale(_BARE_DIMENSION.format(int(values)))
        return
    dataset = group.create_dataset(name, data=_storable(values))
    dataset.make_scale(name)


def add_array(
    group: h5py.Group,
    name: str,
    dimensions: Sequence[str],
    data: np.ndarray | Sequence | None = None,
    *,
    dtype: object = None,
    chunks: tuple[int, ...] | None = None,
    attributes: Mapping[str, object] | None = None,
) -> h5py.Dataset:
    """Add an array whose axes are dimensions of `group` or of a group above it.

    Parameters
    ----------
    group : h5py.Group
    name : str
    dimensions : sequence of str
        One dimension for each axis, each made by `add_dimension`.
    data : array, optional
        The values. Without them the array is to be filled block by block.
    dtype : dtype, optional
        Type of the empty array.
    chunks : tuple of int, optional
        Chunk shape; contiguous storage if not given.
    attributes : mapping, optional
    """
    scales = [_find_dimension(group, dimension) for dimension in dimensions]
    shape = tuple(scale.shape[0] for scale in scales)
    if chunks is not None:
        chunks = tuple(max(1, min(c, s)) for c, s in zip(chunks, shape, strict=True))
    if data is None:
        # With zeros written first, everything would be written twice. No reader sees an unfilled
        # array, as a file gets its name when it is complete.
        dataset = group.create_dataset(
            name, shape=shape, dtype=dtype, chunks=chunks, fill_time="never" if chunks else "ifset"
        )
    else:
        dataset = group.create_dataset(name, data=_storable(data), chunks=chunks)
    attach_dimensions(dataset, dimensions)
    dataset.attrs.update(attributes or {})
    return dataset


def add_label(group: h5py.Group, name: str, values: np.ndarray, source: str) -> None:
    """Add a label of each stimulus, and its source, to a group that has ``stimulus_id``.

    A label may have any name. What HDF5 takes in no name is written as in a web address: ``%2F``.
    """
    dataset = group.create_dataset(_link(name), data=_storable(values))
    dataset.dims[0].attach_scale(group["stimulus_id"])
    dataset.attrs["source"] = source


def label_sources(group: h5py.Group) -> dict[str, str]:
    """Source of each label in a group, in the order of the labels."""
    sources = {unquote(name): item.attrs.get("source") for name, item in group.items()}
    return {name: source for name, source in sources.items() if source is not None}


def read_label(group: h5py.Group, name: str) -> np.ndarray:
    """Read a label of `add_label`, as `read_column` does."""
    return read_column(group[_link(name)])


def _link(label: str) -> str:
    return _NO_NAME.sub(lambda found: "".join(f"%{ord(sign):02X}" for sign in found[0]), label)


def add_virtual(
    group: h5py.Group, name: str, dimensions: Sequence[str], layout: h5py.VirtualLayout
) -> h5py.Dataset:
    """Add an array that points to arrays of other files; its axes are as in `add_array`."""
    # A missing file reads as NaN, never as zero.
    dataset = group.create_virtual_dataset(name, layout, fillvalue=np.nan)
    attach_dimensions(dataset, dimensions)
    return dataset


def add_growing(
    group: h5py.Group, name: str, shape: tuple[int, ...], dtype: object, rows_a_chunk: int
) -> h5py.Dataset:
    """Add an array without rows, which `append` fills; `shape` is that of a row.

    When it is complete, `attach_dimensions` names its axes.
    """
    return group.create_dataset(
        name,
        shape=(0, *shape),
        maxshape=(None, *shape),
        dtype=dtype,
        chunks=(rows_a_chunk, *shape),
    )


def append(dataset: h5py.Dataset, rows: np.ndarray) -> None:
    """Append rows to an array made by `add_growing`."""
    start = len(dataset)
    dataset.resize(start + len(rows), axis=0)
    dataset[start:] = rows


def attach_dimensions(dataset: h5py.Dataset, dimensions: Sequence[str]) -> None:
    """Name the axes of an array; each dimension was made by `add_dimension`."""
    for axis, dimension in enumerate(dimensions):
        dataset.dims[axis].attach_scale(_find_dimension(dataset.parent, dimension))


def _find_dimension(group: h5py.Group, name: str) -> h5py.Dataset:
    while name not in group:
        if group.name == "/":
            raise KeyError(f"no dimension '{name}'")
        group = group.parent
    return group[name]


def _storable(values: Sequence | np.ndarray) -> np.ndarray:
    """Turn text into variable-length UTF-8 and truth values into small integers."""
    array = np.asarray(values)
    if array.dtype.kind in "OUST":
        text = ["" if _is_missing(value) else str(value) for value in array.ravel()]
        return np.array(text, dtype=h5py.string_dtype()).reshape(array.shape)
    return array.astype(np.int8) if array.dtype.kind == "b" else array


def _is_missing(value: object) -> bool:
    return value is None or (isinstance(value, float) and np.isnan(value))


def read_column(dataset: h5py.Dataset) -> np.ndarray:
    """Read a one-dimensional array; text comes back as ``str`` objects."""
    if h5py.check_string_dtype(dataset.dtype):
        return dataset.asstr()[:].astype(object)
    return dataset[:]

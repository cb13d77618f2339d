"""Files of Keras, read without running code of theirs and without filling the memory."""

from __future__ import annotations

import contextlib
import io
import math
import os
import zipfile
from collections.abc import Iterator

import h5py

from facestages.bounds import fits, require_fit
from facestages.errors import FacestagesError, shorten
from facestages.networks.quiet_keras import keras

_CONFIG, _WEIGHTS = "config.json", "model.weights.h5"
# The description of NASNet-Large, 1,041 layers, has 1.0 MB; one of 2 MB takes 20 s to build.
_LONGEST_CONFIG = 2_000_000
_BYTES = 4  # float32


def load_keras(path: str | os.PathLike) -> keras.Model:
    """Load a Keras file in safe mode, which runs no code from it.

    Raises
    ------
    FacestagesError
        If the file is missing or damaged, holds code, or declares much more than it holds.
    """
    _require_file(path)
    try:
        _check(path)
        with _weights_within(path):
            return keras.models.load_model(path, compile=False, safe_mode=True)
    except FacestagesError:
        raise
    except Exception as error:
        raise FacestagesError(
            f"{path}: Keras cannot load it in safe mode ({_reason(path, error)}). Save the model "
            f"again with model.save, or correct the path in the config"
        ) from error


def load_weights(model: keras.Model, path: str | os.PathLike) -> None:
    """Load a file of weights alone (``.weights.h5``, ``.h5``) into a model.

    Raises
    ------
    FacestagesError
        As `load_keras`, and if they are weights of another model.
    """
    _require_file(path)
    try:
        _check(path)
        model.load_weights(path)
    except FacestagesError:
        raise
    except Exception as error:
        raise FacestagesError(
            f"{path}: these are not the weights of {model.name}: {_reason(path, error)}. Correct "
            f"'weights', 'architecture' or 'classes' in the config"
        ) from error


def _require_file(path: str | os.PathLike) -> None:
    if not os.path.exists(path):
        raise FacestagesError(f"{path}: no such file; check the network's 'weights' in the config")


def _reason(path: str | os.PathLike, error: Exception) -> str:
    # Keras says "not found" of an existing file that is not of the kind of its suffix.
    if str(path).endswith(".keras") and not zipfile.is_zipfile(path):
        return "it is no zip file, or not all of one"
    return shorten(error, 200) or type(error).__name__


def _check(path: str | os.PathLike) -> None:
    """Refuse a file that declares much more than it holds, or data that lie elsewhere."""
    # A file may be both: a zip is found by its end, HDF5 by its start.
    if zipfile.is_zipfile(path):
        with zipfile.ZipFile(path) as archive:
            require_fit(path, "what it packs", sum(item.file_size for item in archive.infolist()))
            _require_short(path, archive.getinfo(_CONFIG).file_size)
            with h5py.File(io.BytesIO(archive.read(_WEIGHTS))) as file:
                _check_arrays(path, file)
    if h5py.is_hdf5(path):
        with h5py.File(path) as file:
            _require_short(path, len(file.attrs.get("model_config", "")))
            _check_arrays(path, file)


def _require_short(path: str | os.PathLike, length: int) -> None:
    if length > _LONGEST_CONFIG:
        raise FacestagesError(
            f"{path}: describes its layers in {length / 1e6:,.1f} MB, and at most "
            f"{_LONGEST_CONFIG / 1e6:.0f} MB are read. Save a smaller model"
        )


def _check_arrays(path: str | os.PathLike, file: h5py.File) -> None:
    declared = 0

    def lies_elsewhere(name: str, link: object) -> str | None:
        nonlocal declared
        item = file[name] if isinstance(link, h5py.HardLink) else link
        outside = isinstance(item, h5py.ExternalLink)
        if isinstance(item, h5py.Dataset):
            declared += math.prod(item.shape or ()) * item.dtype.itemsize
            outside = item.is_virtual or bool(item.external)
        return name if outside else None

    outside = file.visititems_links(lies_elsewhere)
    if outside:
        raise FacestagesError(
            f"{path}: '{shorten(outside)}' lies in another file, and only one file is read. Save "
            f"the model again with model.save"
        )
    require_fit(path, "its arrays", declared)


@contextlib.contextmanager
def _weights_within(path: str | os.PathLike) -> Iterator[None]:
    """Refuse a model with many more weights than its file can hold, before they are made."""
    add_weight, declared = keras.Layer.add_weight, 0
    stored = os.path.getsize(path)

    def count(layer: keras.Layer, shape: tuple | None = None, *args, **options):
        nonlocal declared
        declared += math.prod(shape or ()) * _BYTES
        if not fits(declared, stored):
            raise MemoryError
        return add_weight(layer, shape, *args, **options)

    keras.Layer.add_weight = count
    try:
        yield
    finally:
        keras.Layer.add_weight = add_weight
        # Keras makes errors of its own of the one above, or goes on without the layer.
        require_fit(path, "its weights", declared)

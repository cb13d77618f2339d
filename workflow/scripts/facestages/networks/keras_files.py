"""Files of Keras, read without running code of theirs and without filling the memory."""

from __future__ import annotations

import contextlib
import functools
import io
import json
import logging
import math
import os
import re
import shutil
import tempfile
import zipfile
from collections.abc import Iterator
from typing import Any

import h5py

from facestages.bounds import fits, require_fit
from facestages.errors import FacestagesError, shorten
from facestages.file_kinds import JSON, SAFETENSORS, TORCH, find_kind
from facestages.networks.keras_versions import adapt, problem
from facestages.networks.quiet_keras import keras

logger = logging.getLogger(__name__)

# Where files of Keras 3 have the weights of layers, apart from those of the optimiser.
_LAYERS = "layers"
_CONFIG, _METADATA, _WEIGHTS = "config.json", "metadata.json", "model.weights.h5"
_SAVE = "Save the whole model with model.save('net.keras')"
_BUILD = (
    "Build the model with a function of yours, 'keras: package.module:function', and name this "
    "file under 'weights'"
)
# The description of NASNet-Large, 1,041 layers, has 1.0 MB; one of 2 MB takes 20 s to build.
_LONGEST_CONFIG = 2_000_000
_BYTES = 4  # float32
# How Keras says that it does not know a class or a function.
_MISSING_CODE = re.compile(
    r"(?:Could not locate (?:class|function) |Cannot deserialize object of type |Unknown [\w ]+: "
    r"|Could not interpret \w+ identifier: {.*?'class_name': )[`'\"](?:\w+>)?(\w+)"
)


def load_keras(path: str | os.PathLike) -> keras.Model:
    """Load a model's file in safe mode, which runs no code from it.

    A file of another version of Keras, if it is not read as it is, is read as
    `keras_versions.adapt` puts it.

    Raises
    ------
    FacestagesError
        If the file is missing, damaged or of another kind, holds code, or declares much more than
        it holds.
    """
    _require_kind(path)
    try:
        _check(path)
        _require_layers(path)
        return _load(path)
    except FacestagesError:
        raise
    except Exception as error:
        raise FacestagesError(f"{path}: {_explain(path, error)}") from error


def load_weights(model: keras.Model, path: str | os.PathLike) -> None:
    """Load a file of weights alone (``.weights.h5``, ``.h5``) into a model.

    Raises
    ------
    FacestagesError
        As `load_keras`, and if they are weights of another model.
    """
    _require_kind(path)
    try:
        _check(path)
        with _named(path, _suffix_of_weights(path)) as readable:
            model.load_weights(readable)
        _require_all_used(path, model)
    except FacestagesError:
        raise
    except Exception as error:
        raise FacestagesError(
            f"{path}: these are not the weights of {model.name}: {_cause(error)}. Correct "
            f"'weights', 'architecture' or 'classes' in the config"
        ) from error


def _require_all_used(path: str | os.PathLike, model: keras.Model) -> None:
    """Refuse a file with more layers than the model, of which Keras takes the first ones."""
    source: Any = path
    if zipfile.is_zipfile(path):
        with zipfile.ZipFile(path) as archive:
            source = io.BytesIO(archive.read(_WEIGHTS))
    with h5py.File(source) as file:
        n_kept = sum(map(_has_weights, file.get(_LAYERS, {}).values()))
    n_layers = sum(bool(layer.weights) for layer in model.layers)
    if n_kept > n_layers:
        raise FacestagesError(
            f"{path}: these are not the weights of {model.name}: they are of {n_kept} layers, and "
            f"it has {n_layers} with weights. Correct 'weights' or the code of the model"
        )


def _has_weights(group: h5py.Group) -> bool:
    """Whether a layer's group in a file holds arrays, beside the seed of a random layer."""
    names: list[str] = []
    group.visititems(lambda name, item: names.append(name) if _is_array(item) else None)
    return any("seed_generator" not in name for name in names)


def _is_array(item: h5py.HLObject) -> bool:
    return isinstance(item, h5py.Dataset)


def _suffix_of_weights(path: str | os.PathLike) -> str:
    if zipfile.is_zipfile(path):
        return ".keras"
    with h5py.File(path) as file:
        is_old = "layer_names" in file.attrs or "model_weights" in file
    return ".h5" if is_old else ".weights.h5"


def _require_kind(path: str | os.PathLike) -> None:
    """Refuse what is no file of Keras's, and say what it is."""
    if not os.path.exists(path):
        raise FacestagesError(f"{path}: no such file; check the network's 'weights' in the config")
    if os.path.isdir(path):
        if os.path.exists(os.path.join(path, "saved_model.pb")):
            raise FacestagesError(
                f"{path}: is a SavedModel of TensorFlow, which Keras 3 cannot take apart into "
                f"layers. {_tf_keras_way(path)}"
            )
        raise FacestagesError(f"{path}: is a folder, not a file. {_SAVE}")
    is_zip = zipfile.is_zipfile(path)
    if is_zip:
        with zipfile.ZipFile(path) as archive:
            is_zip = _CONFIG in archive.namelist()
    if not is_zip and not h5py.is_hdf5(path):
        raise FacestagesError(f"{path}: is no file of Keras, but {_name_kind(path)}")
    try:
        if not is_zip:
            h5py.File(path).close()
    except OSError as error:
        if "truncated" in str(error):
            raise FacestagesError(f"{path}: is truncated. Fetch it again") from error


def _tf_keras_way(path: str | os.PathLike) -> str:
    if not os.path.exists(os.path.join(path, "keras_metadata.pb")):
        return f"It was exported, and its layers are lost. {_SAVE} where it was made"
    name = shorten(os.path.basename(path))
    return f"Save it as one file with Keras 2: tf_keras.models.load_model('{name}').save('net.h5')"


def _require_layers(path: str | os.PathLike) -> None:
    if zipfile.is_zipfile(path):
        return
    with h5py.File(path) as file:
        if "model_config" not in file.attrs:
            raise FacestagesError(f"{path}: holds weights and no layers. {_BUILD}")


def _name_kind(path: str | os.PathLike) -> str:
    kind = find_kind(path)
    if kind in (TORCH, SAFETENSORS):
        return f"{kind.words}: name its module under 'torch', and this file under 'weights'"
    if kind == JSON or not kind.remedy:
        return f"{kind.words}. {_SAVE}"
    return f"{kind.words}: {kind.remedy}"


def _explain(path: str | os.PathLike, error: Exception) -> str:
    """Why Keras cannot load a file, and the way out."""
    description, version = _read_description(path)
    why = ""
    # The description may be damaged.
    with contextlib.suppress(Exception):
        why = problem(adapt(description))
    if not why and (missing := _MISSING_CODE.search(str(error))):
        why = f"'{shorten(missing[1])}' is code of its author's, which is not in the file"
    by = ""
    if version not in ("", keras.__version__):
        by = f", written by Keras {shorten(version, 20)}"
    way = _BUILD if why else _SAVE
    return f"Keras {keras.__version__} cannot load it{by}: {why or _cause(error)}. {way}"


def _cause(error: Exception) -> str:
    """What Keras says last. Descriptions of layers, which it repeats before and after, are cut."""
    text = str(error).rpartition("Exception encountered: ")[2]
    text = re.split(r"(?:[Ff]ull object )?config\W{1,3}{", text)[0]
    missing = "a part is missing: " if isinstance(error, KeyError) else ""
    return missing + shorten(text, 200).rstrip(". ") or type(error).__name__


def _read_description(path: str | os.PathLike) -> tuple[Any, str]:
    """What a file says of its layers, and the version of Keras that wrote it; as far as it does."""
    description, version = None, ""
    with contextlib.suppress(Exception):
        if zipfile.is_zipfile(path):
            with zipfile.ZipFile(path) as archive:
                description = json.loads(archive.read(_CONFIG))
                version = json.loads(archive.read("metadata.json"))["keras_version"]
        else:
            with h5py.File(path) as file:
                description = json.loads(file.attrs["model_config"])
                version = file.attrs.get("keras_version", "")
    return description, version.decode() if isinstance(version, bytes) else str(version)


def _load(path: str | os.PathLike) -> keras.Model:
    is_zip = zipfile.is_zipfile(path)
    load = functools.partial(keras.models.load_model, compile=False, safe_mode=True)
    with _named(path, ".keras" if is_zip else ".h5") as readable, _weights_within(path):
        try:
            return load(readable)
        except Exception as error:
            adapted = _adapt(path)
            if adapted is None:
                raise
            logger.info("%s: read as another version of Keras wrote it (%s)", path, _cause(error))
    with _written_anew(path, adapted) as readable, _weights_within(path):
        return load(readable)


def _adapt(path: str | os.PathLike) -> str | None:
    """The description in a file as this version of Keras writes it; None if it is so already."""
    description, _ = _read_description(path)
    # A damaged description is Keras's to refuse.
    with contextlib.suppress(Exception):
        adapted = adapt(description)
        return json.dumps(adapted) if adapted != description else None


@contextlib.contextmanager
def _written_anew(path: str | os.PathLike, description: str) -> Iterator[str]:
    """A copy of a model's file with another description."""
    is_zip = zipfile.is_zipfile(path)
    with tempfile.TemporaryDirectory() as folder:
        copy = os.path.join(folder, "model.keras" if is_zip else "model.h5")
        if is_zip:
            with zipfile.ZipFile(path) as old, zipfile.ZipFile(copy, "w") as new:
                new.writestr(_CONFIG, description)
                for name in (_METADATA, _WEIGHTS):
                    new.writestr(name, old.read(name))
        else:
            shutil.copyfile(path, copy)
            with h5py.File(copy, "r+") as file:
                file.attrs["model_config"] = description
        yield copy


@contextlib.contextmanager
def _named(path: str | os.PathLike, suffix: str) -> Iterator[str]:
    """A file under a name with this suffix, by which Keras tells its format."""
    path = os.fspath(path)
    is_of_weights = path.endswith(".weights.h5")
    if path.endswith(suffix) and is_of_weights == (suffix == ".weights.h5"):
        yield path
        return
    with tempfile.TemporaryDirectory() as folder:
        link = os.path.join(folder, f"model{suffix}")
        os.symlink(os.path.abspath(path), link)
        yield link


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

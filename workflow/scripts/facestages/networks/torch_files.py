"""What files of PyTorch and of safetensors hold, read without running code of theirs."""

from __future__ import annotations

import os
import pickletools
import re
import zipfile
from typing import BinaryIO

import torch

from facestages.bounds import require_fit
from facestages.errors import FacestagesError, shorten
from facestages.file_kinds import SAFETENSORS, TORCH, find_kind
from facestages.networks.safetensors_files import read_safetensors

#: What the user can do about any file of weights.
ADVICE = "check the network's 'weights' in the config"
# What to do about a file of another kind, if it does not say so itself.
_SAVE = "save module.state_dict() with torch.save, or name a network of Keras under the key 'keras'"
# A tensor takes some forty operations, and PyTorch does one in a few microseconds and 64 bytes.
_MOST_OPERATIONS = 1_000_000
# Above it, PyTorch reads no weights alone.
_LAST_PROTOCOL = 3
# Pickles at the start of a file of the legacy format, before the numbers.
_LEGACY_PICKLES = 5


class Ignored:
    """In place of an object beside the weights, so that none is built from the file."""

    def __init__(self, *args: object) -> None:
        pass

    def __setstate__(self, state: object) -> None:
        pass

    def __setitem__(self, key: object, value: object) -> None:
        pass


# What training scripts keep beside the weights: numbers, options and places. It is not needed.
_IGNORED = re.compile(
    r"numpy\.(core|_core)\.multiarray\.(scalar|_reconstruct)|numpy\.(dtype|ndarray)|_codecs\.encode"
    r"|argparse\.Namespace|types\.SimpleNamespace|pathlib\.\w*Path|datetime\.\w+|typing\.Any"
    r"|easydict\.EasyDict|addict\.addict\.Dict|yacs\.config\.CfgNode|omegaconf\.[\w.]+"
    r"|(pytorch_lightning|lightning|lightning_fabric|mmengine|mmcv)\.[\w.]+"
)


def read_torch_file(path: str | os.PathLike) -> object:
    """Read what is in a file of PyTorch, of the present or the legacy format, or of safetensors.

    Objects that trainings keep beside the weights, such as options, become `Ignored`.

    Raises
    ------
    FacestagesError
        If the file is missing, damaged or of another kind, or holds objects of any other type.
    """
    if not os.path.exists(path):
        raise FacestagesError(f"{path}: no such file; {ADVICE}")
    if os.path.isdir(path):
        raise FacestagesError(f"{path}: is a folder; {ADVICE}: name the file of weights")
    objects, protocol = [], 0
    try:
        kind = find_kind(path)
        if kind == SAFETENSORS:
            return read_safetensors(path)
        if kind != TORCH:
            raise FacestagesError(
                f"{path}: cannot be read as a file of PyTorch: it is {kind.words}: "
                f"{kind.remedy or _SAVE}; {ADVICE}"
            )
        objects, protocol = _list_objects(path)
        ignored = [(Ignored, name) for name in set(objects) if _IGNORED.fullmatch(name)]
        # As a stream, since PyTorch goes by the name of a path.
        with torch.serialization.safe_globals(ignored), open(path, "rb") as stream:
            return torch.load(stream, map_location="cpu", weights_only=True)
    except FacestagesError:
        raise
    # A damaged file can raise any error. PyTorch's message is not passed on, since it advises to
    # trust the file.
    except Exception as error:
        refused = re.search(r"GLOBAL (\S+)", str(error))
        if refused:
            raise _refusal(path, refused[1], objects) from error
        if protocol > _LAST_PROTOCOL:
            raise _newer(path, protocol, objects) from error
        if "unexpected EOF" in str(error):
            raise _truncated(path) from error
        raise FacestagesError(
            f"{path}: cannot be read as a file of PyTorch ({type(error).__name__}): it is damaged. "
            f"Fetch it again, or {ADVICE}"
        ) from error


def _is_module(objects: list[str]) -> bool:
    return any(name.startswith("torch.nn.modules.") for name in objects)


def _newer(path: str | os.PathLike, protocol: int, objects: list[str]) -> FacestagesError:
    """The error of a pickle that PyTorch cannot read as weights only."""
    if _is_module(objects):
        return _refusal(path, objects[0], objects)
    return FacestagesError(
        f"{path}: is pickled by protocol {protocol}, and without running code it is read up to "
        f"protocol {_LAST_PROTOCOL}. Save it with torch.save without 'pickle_protocol', or {ADVICE}"
    )


def _refusal(path: str | os.PathLike, refused: str, objects: list[str]) -> FacestagesError:
    """The error of a file with objects other than tensors, or with nothing but a module."""
    whole = _is_module(objects)
    return FacestagesError(
        f"{path}: {'is a whole pickled module: it ' if whole else ''}holds Python objects "
        f"({shorten(refused)}), and they are never loaded, since that runs code of the file. Save "
        f"module.state_dict() with torch.save, or {ADVICE}"
    )


def _truncated(path: str | os.PathLike) -> FacestagesError:
    return FacestagesError(
        f"{path}: cannot be read as a file of PyTorch: it is truncated. Fetch it again, or {ADVICE}"
    )


def _list_objects(path: str | os.PathLike) -> tuple[list[str], int]:
    """Names of the functions and types in the pickles of a file, which are not unpickled, and the
    newest protocol among them.

    A file is refused that declares much more than it holds, or takes long to unpickle.
    """
    if not _is_zip(path):
        with open(path, "rb") as stream:
            return _scan(path, stream, _LEGACY_PICKLES)
    objects, protocol = [], 0
    with zipfile.ZipFile(path) as archive:
        require_fit(path, "what it packs", sum(item.file_size for item in archive.infolist()))
        for name in archive.namelist():
            if name.endswith(".pkl"):
                with archive.open(name) as stream:
                    found, used = _scan(path, stream, 1)
                objects, protocol = objects + found, max(protocol, used)
    return objects, protocol


def _is_zip(path: str | os.PathLike) -> bool:
    """Whether a file begins as a zip file, by which PyTorch tells its two formats apart."""
    with open(path, "rb") as stream:
        return stream.read(4) == b"PK\x03\x04"


def _scan(path: str | os.PathLike, stream: BinaryIO, n_pickles: int) -> tuple[list[str], int]:
    """As `_list_objects`, of so many pickles from here on."""
    objects: list[str] = []
    n_operations = protocol = 0
    texts = ["", ""]
    try:
        for _ in range(n_pickles):
            for operation, argument, _ in pickletools.genops(stream):
                n_operations += 1
                if operation.name == "PROTO":
                    protocol = max(protocol, argument)
                elif operation.name == "GLOBAL":
                    objects.append(argument.replace(" ", "."))
                elif operation.name == "STACK_GLOBAL":
                    objects.append(".".join(texts))
                elif isinstance(argument, str):
                    texts = [texts[1], argument]
                if n_operations > _MOST_OPERATIONS:
                    raise FacestagesError(
                        f"{path}: holds more than {_MOST_OPERATIONS:,} Python objects beside its "
                        f"weights. Save module.state_dict() alone with torch.save, or {ADVICE}"
                    )
    # PyTorch says what else is wrong with a pickle.
    except ValueError as error:
        if not stream.read(1):
            raise _truncated(path) from error
    return objects, protocol

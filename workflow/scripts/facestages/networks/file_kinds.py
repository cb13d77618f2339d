"""What a file is that should hold a network's weights, told from its first bytes and its name."""

from __future__ import annotations

import os
import re
import zipfile

from facestages.errors import shorten

TORCH, SAFETENSORS = "torch", "safetensors"

# A pickled number starts every file of torch.save before PyTorch 1.6.
_MAGIC = b"l\xfc\x9cF\xf9 j\xa8P\x19."
_LEGACY, _ZIP = b"\x80\x02\x8a\n" + _MAGIC, b"PK\x03\x04"
_HEAD = 512

_UNPACK = "unpack it, and name the file of weights in it"
_FETCH = "fetch the file itself"
_KERAS = "a network of Keras goes under the key 'keras'"
_NOT_TORCH = "give the weights as PyTorch saves them"
_TF = f"a TensorFlow checkpoint: {_NOT_TORCH}"

# Where it stands, what stands there, and what the file is then.
_SIGNS = (
    (0, b"version https://git-lfs", "a Git LFS pointer and not the file: run 'git lfs pull'"),
    (0, b"\x89HDF\r\n\x1a\n", f"an HDF5 file, as Keras saves them: {_KERAS}"),
    (0, b"\x1f\x8b", f"a gzip archive: {_UNPACK}"),
    (0, b"BZh", f"a bzip2 archive: {_UNPACK}"),
    (0, b"\xfd7zXZ\0", f"an xz archive: {_UNPACK}"),
    (0, b"(\xb5/\xfd", f"a zstd archive: {_UNPACK}"),
    (0, b"7z\xbc\xaf'\x1c", f"a 7z archive: {_UNPACK}"),
    (0, b"Rar!\x1a\x07", f"a RAR archive: {_UNPACK}"),
    (0, b"PK\x05\x06", "an empty zip archive"),
    (257, b"ustar", f"a tar archive: {_UNPACK}"),
    (0, b"\x93NUMPY", f"an array of NumPy (.npy): {_NOT_TORCH}"),
    (0, b"MATLAB 5", f"a MATLAB file: {_NOT_TORCH}"),
    (4, b"TFL3", f"a TensorFlow Lite model: {_NOT_TORCH}"),
    (0, b"model_checkpoint_path:", _TF),
    (0, b"\0\x05\x16\x07", f"a companion of a file that macOS makes (AppleDouble): {_FETCH}"),
    (0, b"\x89PNG", "a picture"),
    (0, b"\xff\xd8\xff", "a picture"),
    (0, b"%PDF", "a PDF document"),
)

# For formats whose first bytes say little; the name decides.
_NAMES = (
    (r"\.data-\d+-of-\d+$|\.ckpt(-\d+)?\.(index|meta)$", _TF),
    (r"\.onnx$", f"an ONNX model: {_NOT_TORCH}"),
    (r"\.pb$", f"a graph of TensorFlow: {_NOT_TORCH}"),
    (r"\.caffemodel$", f"a Caffe model: {_NOT_TORCH}"),
    (r"\.t7$", f"a file of Lua Torch: {_NOT_TORCH}"),
)
# The fields of ONNX's ModelProto: its version, then the producer's name, or an operator set.
_ONNX = re.compile(rb"\x08[\x01-\x1f](\x12[\x01-\x3f][\x20-\x7e]|\x42[\x01-\x3f]\x0a|\x3a)")
_TF_INDEX = b"\x57\xfb\x80\x8b\x24\x75\x47\xdb"


def name_kind(path: str | os.PathLike) -> str:
    """Say what a file is.

    Returns
    -------
    str
        `TORCH` or `SAFETENSORS`, for files that at least begin like these. Else words for a
        message, after "it is": the kind, and what to do about it.
    """
    with open(path, "rb") as stream:
        head = stream.read(_HEAD)
        stream.seek(max(0, os.path.getsize(path) - len(_TF_INDEX)))
        tail = stream.read()
    if not head:
        return f"empty: {_FETCH}"
    if head.startswith(_ZIP) or _ZIP.startswith(head):
        return _name_zip(path)
    if _MAGIC in head[:64] or _LEGACY.startswith(head):
        return TORCH
    # The length of a header, and a header in JSON.
    is_begun = len(head) < 9 and os.fspath(path).endswith(".safetensors")
    if head[5:9] == b"\0\0\0{" or is_begun:
        return SAFETENSORS
    for start, sign, words in _SIGNS:
        if head.startswith(sign, start):
            return words
    if tail == _TF_INDEX:
        return _TF
    for pattern, words in _NAMES:
        if re.search(pattern, os.fspath(path), re.IGNORECASE):
            return words
    if _ONNX.match(head):
        return f"an ONNX model: {_NOT_TORCH}"
    if re.match(rb"\x80[\x01-\x05]", head):
        return "a Python pickle that torch.save did not write: save module.state_dict() with it"
    return _name_text(head) or "of no known kind"


def is_zip(path: str | os.PathLike) -> bool:
    """Whether a file begins as a zip file, by which PyTorch tells its two formats apart."""
    with open(path, "rb") as stream:
        return stream.read(len(_ZIP)) == _ZIP


def _name_zip(path: str | os.PathLike) -> str:
    try:
        with zipfile.ZipFile(path) as archive:
            names = archive.namelist()
    except (zipfile.BadZipFile, ValueError, OSError, NotImplementedError):
        # The list of contents stands at the end.
        return f"a zip file without its end, as it is truncated: {_FETCH} again"
    inside = {name.rpartition("/")[2] for name in names}
    if "constants.pkl" in inside:
        return (
            "a TorchScript archive, which holds code. Save torch.jit.load(it).state_dict() with "
            "torch.save"
        )
    if inside & {"archive_format", "serialized_exported_program.json"}:
        return "a program of torch.export, which holds code. Save module.state_dict() instead"
    if "data.pkl" in inside:
        return TORCH
    if "model.weights.h5" in inside:
        return f"a Keras file: {_KERAS}"
    if names and all(name.endswith(".npy") for name in names):
        return f"an archive of NumPy arrays (.npz): {_NOT_TORCH}"
    return f"a zip archive of {_some(names)}: {_UNPACK}"


def _some(names: list[str]) -> str:
    first = ", ".join(shorten(name, 60) for name in names[:3]) or "nothing"
    return f"{first} and {len(names) - 3} more" if len(names) > 3 else first


def _name_text(head: bytes) -> str:
    """Words for a file of text; empty for any other."""
    # The last character may be cut.
    text = head.decode("utf-8-sig", errors="ignore").strip()
    if len(text.encode()) < len(head.strip()) - 6 or re.search("[\0-\x08\x0e-\x1f]", text):
        return ""
    if re.match(r"(<!--.*?-->\s*)*<(!doctype html|html)", text, re.IGNORECASE | re.DOTALL):
        return f"an HTML page, saved instead of a download: {_FETCH}"
    if text.startswith("<"):
        return f"a text in XML: {_FETCH}"
    if text.startswith(("{", "[")):
        return f"a text in JSON: {_FETCH}"
    first = shorten(text.partition("\n")[0], 40)
    return f"text, '{first}': {_FETCH}"

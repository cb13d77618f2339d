"""What a file is by its first bytes, for users who hand in another file than the one wanted.

Snakemake asks this at the start of a run, so nothing heavy is imported here.
"""

from __future__ import annotations

import os
import re
import zipfile
from typing import NamedTuple

from facestages.errors import shorten

_UNPACK, _FETCH = "unpack it first", "fetch the file itself"
#: What to do about weights in several files.
JOIN = "save them as one, e.g. with model.save_pretrained(folder, max_shard_size='99GB')"
_TABLE = "save the table as 'CSV UTF-8'"


class Kind(NamedTuple):
    """What a file is, and the way out if that is the same whatever file was wanted."""

    #: Words that follow "is" in a message.
    words: str
    #: What to do; empty where it is for the caller to say.
    remedy: str = ""


# Kinds that callers look for.
TORCH, SAFETENSORS = Kind("a file of PyTorch"), Kind("a file of safetensors")
JSON = Kind("a text in JSON, which has no weights", _FETCH)

_TF, _ONNX = Kind("a TensorFlow checkpoint"), Kind("an ONNX model")
_EXPORTED = Kind("a program of torch.export, which holds code")
_PAGE = Kind("an HTML page, saved instead of a download", _FETCH)
_CUT = Kind("a zip archive without its end, as it is truncated", "fetch it again")
_SAVE, _VIDEO = "save it as PNG or JPEG", Kind("a video", "save its frames as pictures")
_PICTURE = Kind("a picture")

_ZIP = b"PK\x03\x04"
# A pickled number starts every file of torch.save before PyTorch 1.6.
_LEGACY = b"\x80\x02\x8a\nl\xfc\x9cF\xf9 j\xa8P\x19."

# What the first bytes match, and what the file is then.
_SIGNS = (
    (rb".{,54}" + re.escape(_LEGACY[4:]), TORCH),
    # The length of a header, and a header in JSON.
    (rb".{5}\0\0\0\{", SAFETENSORS),
    (rb"\x80[\x01-\x05]", Kind("a plain Python pickle")),
    (rb"\x89HDF\r\n\x1a\n", Kind("an HDF5 file")),
    (rb"\x1f\x8b", Kind("a gzip archive", _UNPACK)),
    (rb"BZh[1-9]", Kind("a bzip2 archive", _UNPACK)),
    (rb"\xfd7zXZ\0", Kind("an xz archive", _UNPACK)),
    (rb"\(\xb5/\xfd", Kind("a zstd archive", _UNPACK)),
    (rb"7z\xbc\xaf'\x1c", Kind("a 7z archive", _UNPACK)),
    (rb"Rar!\x1a\x07", Kind("a RAR archive", _UNPACK)),
    (rb".{257}ustar", Kind("a tar archive", _UNPACK)),
    (rb"PK\x05\x06", Kind("an empty zip archive", _FETCH)),
    (rb"version https://git-lfs", Kind("a Git LFS pointer", f"{_FETCH} with 'git lfs pull'")),
    (rb"(?i)[\xef\xbb\xbf\s]*<(!doctype )?html", _PAGE),
    (rb"\0\x05\x16\x07", Kind("what macOS keeps beside a file (AppleDouble)", _FETCH)),
    (rb"\xd0\xcf\x11\xe0", Kind("an old Excel workbook (xls)")),
    (rb"\$FL[23]", Kind("a file of SPSS")),
    (rb"<stata", Kind("a file of Stata")),
    (rb"RDX\d\n", Kind("a file of R")),
    (rb"PAR1", Kind("a Parquet file")),
    (rb"SQLite format 3", Kind("an SQLite database")),
    (rb"\{\\rtf", Kind("a text document (rtf)")),
    (rb"%PDF", Kind("a PDF document")),
    (rb"\x89PNG|\xff\xd8\xff|GIF8", _PICTURE),
    (rb"\x93NUMPY", Kind("an array of NumPy (.npy)")),
    (rb"MATLAB 5\.0", Kind("a MATLAB file")),
    (rb".{4}ftyp(hei|hev|mif1|msf1)", Kind("a HEIC picture, as phones take them", _SAVE)),
    (rb".{4}ftypavi", Kind("an AVIF picture", _SAVE)),
    (rb".{4}(ftyp|moov|mdat)|RIFF.{4}AVI |\x1aE\xdf\xa3", _VIDEO),
    (rb"8BPS", Kind("a Photoshop file", _SAVE)),
    (rb"\0\0\0\x0cjP  ", Kind("a JPEG 2000 picture", _SAVE)),
    (rb"..\0\0TFL3", Kind("a TensorFlow Lite model")),
    (rb"model_checkpoint_path:", _TF),
    # Its version, then the producer's name, or an operator set.
    (rb"\x08[\x01-\x1f](\x12[\x01-\x3f][\x20-\x7e]|\x42[\x01-\x3f]\x0a|\x3a)", _ONNX),
)
# Files inside a zip archive that tell what the whole is, in any folder if none is named.
_ZIPPED = {
    "constants.pkl": Kind(
        "a TorchScript archive, which holds code",
        "save torch.jit.load(it).state_dict() with torch.save",
    ),
    "archive_format": _EXPORTED,
    "serialized_exported_program.json": _EXPORTED,
    "data.pkl": TORCH,
    "model.weights.h5": Kind("a zip archive with weights of Keras"),
    "xl/workbook.xml": Kind("an Excel workbook (xlsx)"),
    "xl/workbook.bin": Kind("an Excel workbook (xlsb)"),
    "META-INF/manifest.xml": Kind("an OpenDocument spreadsheet (ods)"),
    "Index/Document.iwa": Kind("a Numbers spreadsheet"),
}
_INDEX = Kind("a list of weights in several files", JOIN)
_TEXTS = {"{": JSON, "[": JSON, "<": Kind("a text in XML", _FETCH)}
# For formats whose first bytes say little; the name decides.
_NAMES = (
    (r"\.(index|meta|data-\d+-of-\d+)$", _TF),
    (r"\.onnx$", _ONNX),
    (r"\.pb$", Kind("a graph of TensorFlow")),
    (r"\.caffemodel$", Kind("a Caffe model")),
    (r"\.t7$", Kind("a file of Lua Torch")),
)


def not_a_table(path: str | os.PathLike) -> str:
    """What a file is that is no table, and what to do: ``"is a tar archive: unpack it first"``.

    Empty where the first bytes may begin a table.

    Raises
    ------
    OSError
        If the file cannot be read.
    """
    with open(path, "rb") as stream:
        kind = _find_signed(path, stream.read(512))
    return f"is {kind.words}: {kind.remedy or _TABLE}" if kind else ""


def not_a_picture(path: str | os.PathLike) -> str:
    """As `not_a_table`, of a file that should be a picture; empty if nothing is known of it."""
    with open(path, "rb") as stream:
        head = stream.read(512)
    if not head:
        return "it is empty: fetch it again"
    kind = _find_signed(path, head)
    if kind in (None, _PICTURE):
        return ""
    return f"it is {kind.words}{': ' * bool(kind.remedy)}{kind.remedy}"


def find_kind(path: str | os.PathLike) -> Kind:
    """What a file is that should hold a network's weights, by its bytes or its name.

    `TORCH` and `SAFETENSORS` are files that at least begin like these.

    Raises
    ------
    OSError
        If the file cannot be read.
    """
    with open(path, "rb") as stream:
        head = stream.read(512)
    if not head:
        return Kind("empty", _FETCH)
    # A file may be cut within its first bytes.
    if _ZIP.startswith(head):
        return _CUT
    if _LEGACY.startswith(head):
        return TORCH
    if len(head) < 9 and os.fspath(path).endswith(".safetensors"):
        return SAFETENSORS
    named = (kind for name, kind in _NAMES if re.search(name, os.fspath(path), re.IGNORECASE))
    return _find_signed(path, head) or _find_text(head) or next(named, Kind("of no known kind"))


def _find_signed(path: str | os.PathLike, head: bytes) -> Kind | None:
    if head.startswith(_ZIP):
        return _find_zipped(path)
    return next((kind for sign, kind in _SIGNS if re.match(sign, head, re.DOTALL)), None)


def _find_zipped(path: str | os.PathLike) -> Kind:
    try:
        with zipfile.ZipFile(path) as archive:
            names = archive.namelist()
    # The list of contents stands at the end.
    except (zipfile.BadZipFile, ValueError, OSError, NotImplementedError):
        return _CUT
    inside = {*names, *(name.rpartition("/")[2] for name in names)}
    for name, kind in _ZIPPED.items():
        if name in inside:
            return kind
    if names and all(name.endswith(".npy") for name in names):
        return Kind("an archive of NumPy arrays (.npz)")
    return Kind(f"a zip archive of {shorten(', '.join(names) or 'nothing')}", _UNPACK)


def _find_text(head: bytes) -> Kind | None:
    text = head.decode("utf-8-sig", errors="replace").strip()
    if re.search("[\0-\x08\x0e-\x1f]", text):
        return None
    if text.startswith("{") and ('"weight_map"' in text or '"total_size"' in text):
        return _INDEX
    first = shorten(text.partition("\n")[0], 40)
    return _TEXTS.get(text[:1], Kind(f"text, '{first}'", _FETCH))

"""What a file is by its first bytes, for users who hand in something else than a table.

Snakemake asks this at the start of a run, so nothing heavy is imported here.
"""

from __future__ import annotations

import contextlib
import os
import zipfile

_UNPACK = "unpack it first"
_SAVE = "open it in its program and save it as 'CSV UTF-8'"
_TABLE = "give the CSV table"

# First bytes of a file, what it is, and what to do.
_STARTS = (
    (b"\x1f\x8b", "a gzip archive", _UNPACK),
    (b"BZh", "a bzip2 archive", _UNPACK),
    (b"\xfd7zXZ\0", "an xz archive", _UNPACK),
    (b"7z\xbc\xaf\x27\x1c", "a 7z archive", _UNPACK),
    (b"Rar!", "a rar archive", _UNPACK),
    (b"\xd0\xcf\x11\xe0", "an old Excel workbook (xls)", _SAVE),
    (b"$FL2", "a file of SPSS", _SAVE),
    (b"<stata", "a file of Stata", _SAVE),
    (b"RDX", "a file of R", "save the table with write.csv"),
    (b"PAR1", "a Parquet file", "save the table as CSV"),
    (b"\x89HDF", "an HDF5 file", _TABLE),
    (b"SQLite format 3", "an SQLite database", "save the table as CSV"),
    (b"%PDF", "a PDF", _TABLE),
    (b"{\\rtf", "a text document (rtf)", "save it as plain text"),
    (b"\x89PNG", "a picture (PNG)", _TABLE),
    (b"\xff\xd8\xff", "a picture (JPEG)", _TABLE),
    (b"GIF8", "a picture (GIF)", _TABLE),
    (b"version https://git-lfs", "a pointer of Git LFS", "fetch the file itself: git lfs pull"),
    (b"<!doctype html", "a web page", "it was saved in place of the file: fetch that again"),
    (b"<html", "a web page", "it was saved in place of the file: fetch that again"),
)
# A file inside a zip archive that tells what the whole is.
_ZIPPED = {
    "xl/workbook.xml": "an Excel workbook (xlsx)",
    "xl/workbook.bin": "an Excel workbook (xlsb)",
    "content.xml": "an OpenDocument spreadsheet (ods)",
    "Index/Document.iwa": "a Numbers spreadsheet",
}
_TAR, _TAR_AT = b"ustar", 257


def not_a_table(path: str | os.PathLike, start: bytes | None = None) -> str:
    """What a file is that is no text, and what to do: ``"is a tar archive: unpack it first"``.

    Empty where the first 512 bytes, which may be given, may begin a table.

    Raises
    ------
    OSError
        If the file cannot be read.
    """
    if start is None:
        with open(path, "rb") as stream:
            start = stream.read(512)
    if start.startswith(b"PK\x03\x04"):
        return f"is {_zipped(path)}"
    if start[_TAR_AT:].startswith(_TAR):
        return f"is a tar archive: {_UNPACK}"
    text = start.lstrip(b"\xef\xbb\xbf \r\n\t").lower()
    for first, kind, remedy in _STARTS:
        if start.startswith(first) or (first.startswith(b"<") and text.startswith(first)):
            return f"is {kind}: {remedy}"
    return ""


def _zipped(path: str | os.PathLike) -> str:
    # A damaged archive is one all the same.
    with contextlib.suppress(Exception), zipfile.ZipFile(path) as archive:
        names = set(archive.namelist())
        for name, kind in _ZIPPED.items():
            if name in names:
                return f"{kind}: {_SAVE}"
    return f"a zip archive: {_UNPACK}"

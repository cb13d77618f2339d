"""Files that are no tables are named for what they are."""

import gzip
import io
import lzma
import tarfile
import zipfile

import pytest

from facestages.file_kinds import not_a_table


def zipped(*names):
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        for name in names:
            archive.writestr(name, "x")
    return stream.getvalue()


def tarred():
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w") as archive:
        archive.addfile(tarfile.TarInfo("fer2013/fer2013.csv"))
    return stream.getvalue()


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (tarred(), "is a tar archive: unpack it first"),
        (gzip.compress(tarred()), "is a gzip archive: unpack it first"),
        (lzma.compress(b"x"), "is an xz archive: unpack it first"),
        (zipped("fer2013.csv"), "is a zip archive: unpack it first"),
        (zipped("x")[:40], "is a zip archive: unpack it first"),
        (zipped("[Content_Types].xml", "xl/workbook.xml"), "is an Excel workbook (xlsx): open it"),
        (zipped("mimetype", "content.xml"), "is an OpenDocument spreadsheet (ods): open it"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "is an old Excel workbook (xls): open it"),
        (b"\n<!DOCTYPE html><title>Sign in", "is a web page: it was saved in place of the file"),
        (b"version https://git-lfs.github.com/spec/v1\n", "is a pointer of Git LFS"),
        (b"\x89PNG\r\n\x1a\n", "is a picture (PNG): give the CSV table"),
    ],
    ids=range(11),
)
def test_what_is_no_table(tmp_path, content, words):
    (tmp_path / "x.csv").write_bytes(content)
    assert not_a_table(tmp_path / "x.csv").startswith(words)


@pytest.mark.parametrize(
    "content", [b"", b"path\n", "path;é\n".encode("utf-16"), b"\xef\xbb\xbfpath\n", b"PK,path\n"]
)
def test_what_may_be_one(tmp_path, content):
    (tmp_path / "x.csv").write_bytes(content)
    assert not_a_table(tmp_path / "x.csv") == ""

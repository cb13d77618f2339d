"""Files that are not what was wanted are named for what they are."""

import bz2
import gzip
import io
import lzma
import pickle
import tarfile
import zipfile

import numpy as np
import pytest

from facestages.file_kinds import JSON, SAFETENSORS, TORCH, find_kind, not_a_picture, not_a_table


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


def array_file(save):
    stream = io.BytesIO()
    save(stream, np.ones(3))
    return stream.getvalue()


LFS = b"version https://git-lfs.github.com/spec/v1\noid sha256:1"
TFLITE = b"\x1c\0\0\0TFL3" + bytes(90)
PYTORCH = "net/data.pkl", "net/version", "net/data/0"
EXPORTED = "net/archive_format", "net/data/weights/0"
#: Files that are known by their first bytes, and the words for them. None is a table.
SIGNED = [
    (tarred(), "a tar archive: unpack it first"),
    (gzip.compress(tarred()), "a gzip archive: unpack it first"),
    (bz2.compress(b"x"), "a bzip2 archive: unpack it first"),
    (lzma.compress(b"x"), "an xz archive: unpack it first"),
    (b"\x28\xb5\x2f\xfd" + bytes(9), "a zstd archive: unpack it first"),
    (b"7z\xbc\xaf\x27\x1c" + bytes(9), "a 7z archive: unpack it first"),
    (b"Rar!\x1a\x07\x01\0", "a RAR archive: unpack it first"),
    (zipped("fer2013.csv", "LICENSE"), "a zip archive of fer2013.csv, LICENSE: unpack it first"),
    (zipped("x" * 99), f"a zip archive of {'x' * 60}...: unpack it first"),
    (zipped("x")[:40], "a zip archive without its end, as it is truncated: fetch it again"),
    (zipped(), "an empty zip archive: fetch the file itself"),
    (b"\n<!DOCTYPE html><title>Sign in", "an HTML page, saved instead of a download: fetch the"),
    (b"\xef\xbb\xbf<HTML>\n<head>Google Drive", "an HTML page, saved instead of a download"),
    (LFS, "a Git LFS pointer: fetch the file itself with 'git lfs pull'"),
    (b"\0\x05\x16\x07\0\2\0\0Mac OS X", "what macOS keeps beside a file (AppleDouble): fetch the"),
    (zipped("net/constants.pkl", *PYTORCH), "a TorchScript archive, which holds code: save torch"),
    (zipped("[Content_Types].xml", "xl/workbook.xml"), "an Excel workbook (xlsx)"),
    (zipped("mimetype", "META-INF/manifest.xml"), "an OpenDocument spreadsheet (ods)"),
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "an old Excel workbook (xls)"),
    (b"<stata_dta><header>", "a file of Stata"),
    (b"{\\rtf1", "a text document (rtf)"),
    (b"\x89PNG\r\n\x1a\n", "a picture"),
    (b"\x89HDF\r\n\x1a\n" + bytes(99), "an HDF5 file"),
    (zipped("config.json", "model.weights.h5"), "a zip archive with weights of Keras"),
    (zipped(*EXPORTED), "a program of torch.export, which holds code"),
    (array_file(np.savez), "an archive of NumPy arrays (.npz)"),
    (array_file(np.save), "an array of NumPy (.npy)"),
    (pickle.dumps({"0.weight": [1.0]}), "a plain Python pickle"),
    (TFLITE, "a TensorFlow Lite model"),
    (b'model_checkpoint_path: "net.ckpt-3"\n', "a TensorFlow checkpoint"),
    (b"\x08\x07\x12\x07pytorch\x1a\x03" + bytes(99), "an ONNX model"),
    (b"\0\0\0\x18ftypheic\0\0\0\0mif1heic", "a HEIC picture"),
    (b"\0\0\0\x18ftypavif\0\0\0\0", "an AVIF picture"),
    (b"\0\0\0\x20ftypisom\0\0\2\0", "a video"),
    (b"RIFF\0\0\1\0AVI LIST", "a video"),
]


@pytest.mark.parametrize(("content", "words"), SIGNED, ids=[words[:30] for _, words in SIGNED])
def test_first_bytes(tmp_path, content, words):
    path = tmp_path / "x"
    path.write_bytes(content)
    kind = find_kind(path)
    assert f"{kind.words}: {kind.remedy}".removesuffix(": ").startswith(words)
    remedy = kind.remedy or "save the table as 'CSV UTF-8'"
    assert not_a_table(path) == f"is {kind.words}: {remedy}"


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "it is empty: fetch it again"),
        (
            b"\0\0\0\x18ftypheic",
            "it is a HEIC picture, as phones take them: save it as PNG or JPEG",
        ),
        (b"%PDF-1.4", "it is a PDF document"),
        (b"\xff\xd8\xff", ""),
        (b"II*\0", ""),
    ],
    ids=range(5),
)
def test_what_is_no_picture(tmp_path, content, words):
    (tmp_path / "x.jpg").write_bytes(content)
    assert not_a_picture(tmp_path / "x.jpg") == words


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("net.pth", b"", "empty"),
        ("net.pth", b"<?xml version='1.0'?><Error>AccessDenied</Error>", "a text in XML"),
        ("net.pth", b'[{"message": "Not Found"}]', JSON.words),
        ("x.index.json", b'{"metadata": {"total_size": 1}}', "a list of weights in several files"),
        ("net.pth", "gewichte f\xfcr\nGesichter\n".encode(), "text, 'gewichte f\xfcr'"),
        ("net.pth", b"x" + "\xfc".encode() * 300, f"text, 'x{39 * chr(0xFC)}...'"),
        ("net.onnx", b"\x0a\x01" + bytes(9), "an ONNX model"),
        ("variables.index", bytes(90), "a TensorFlow checkpoint"),
        ("net.ckpt.data-00000-of-00001", bytes(90), "a TensorFlow checkpoint"),
        ("saved_model.pb", b"\x08\x01\x12\x99", "a graph of TensorFlow"),
        ("net.pth", np.random.RandomState(0).bytes(4096), "of no known kind"),
        ("net.pth", zipped(*PYTORCH), TORCH.words),
        ("net.pth", b"PK", "a zip archive without its end, as it is truncated"),
        ("net.pth", b"\x80\2\x8a\n", TORCH.words),
        ("net.pth", b"\x80\2\x8a\nl\xfc\x9cF\xf9 j\xa8P\x19.\x80\2M\xe9\3.", TORCH.words),
        ("net.pth", b"\x10\0\0\0\0\0\0\0{", SAFETENSORS.words),
        ("net.safetensors", b"\x80\1\0\0", SAFETENSORS.words),
    ],
    ids=range(17),
)
def test_weights(tmp_path, name, content, words):
    (tmp_path / name).write_bytes(content)
    assert find_kind(tmp_path / name).words == words


@pytest.mark.parametrize(
    "content",
    [b"", b"path\n", "path;\xe9\n".encode("utf-16"), b"\xef\xbb\xbfpath\n", b"PK,path\n", b"PK"]
    + [b"[path],[identity]\n", b"<path>,<identity>\n"],
)
def test_what_may_be_a_table(tmp_path, content):
    (tmp_path / "x.csv").write_bytes(content)
    assert not_a_table(tmp_path / "x.csv") == ""

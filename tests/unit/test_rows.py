"""CSV tables: what is no table is told, and nothing fills the memory."""

import csv

import pytest

import refusals
from facestages.rows import parse_number, read_rows


def refusal(path, content):
    path.write_bytes(content)
    return refusals.refusal(lambda: list(read_rows(path, ("path",))))


def test_rows(tmp_path):
    path = tmp_path / "t.csv"
    path.write_bytes('\ufeffpath , é\r\n a.png,"x, ""y"""\r\n\r\nb.png,\r'.encode())
    rows = list(read_rows(path, ("path",)))
    assert [row for _, row in rows] == [
        {"path": "a.png", "é": 'x, "y"'},
        {"path": "b.png", "é": ""},
    ]
    assert rows[1][0] == f"{path}: row 2 (line 4)"


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"path\na\0.png\n", "line 2 holds a NUL character, so it is no text in UTF-8"),
        ("path\na.png\n".encode("utf-16"), "is not a CSV table in UTF-8"),
        ("path\na.png\n".encode("utf-16-le"), "line 1 holds a NUL"),
        (b"path\na\xe4.png\n", "is not a CSV table in UTF-8"),
        (b"path\n" + b"x" * (1 << 20) + b"x", "line 2 has more than 1,048,576 characters"),
        (b'path\n"' + b"x\n" * (1 << 20), "field larger than field limit"),
        (b"path," + b"x," * 3000, "has 3,002 columns, and at most 2,000 are read"),
        (b"path\n" + b"x\n" * 250_001, "row 250001 (line 250002): a table has at most 250,000"),
        (b"x,path,x\n", "has two columns 'x'"),
    ],
    ids=range(9),
)
def test_what_is_no_table(tmp_path, content, words):
    assert words in refusal(tmp_path / "t.csv", content)


def test_a_long_cell_is_read(tmp_path):
    """Longer than csv reads by itself, 131,072 characters."""
    path = tmp_path / "t.csv"
    with open(path, "w", newline="") as stream:
        csv.writer(stream).writerows([["path"], ["x" * 200_000]])
    ((_, row),) = read_rows(path, ("path",))
    assert len(row["path"]) == 200_000


def test_a_message_quotes_little(tmp_path):
    message = refusal(tmp_path / "t.csv", b'"a\nb",' + b"y" * 100_000)
    assert "'path'" in message and len(message) < 400


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("1", 1),
        (" -2.5e3 ", -2500),
        (".5", 0.5),
        ("5.", 5),
        *((t, None) for t in ("", "1_000", "٣", "inf", "nan", "1e999", "0x1", "1,5", "--1")),
    ],
)
def test_numbers(text, number):
    assert parse_number(text) == number

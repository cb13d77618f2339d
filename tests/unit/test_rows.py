"""CSV tables: what is no table is told, and nothing fills the memory."""

import csv
import math

import pytest

import refusals
from facestages.rows import MISSING, parse_number, read_header, read_rows, require_number


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


ONE = {"path": "a.png", "identity": "José", "valence": "0.5"}
LINES = "path{0}identity{0}valence\na.png{0}José{0}0.5\n"


@pytest.mark.parametrize(
    "content",
    [
        LINES.format(",").encode(),
        LINES.format(";").replace("0.5", "0,5").encode("utf-8-sig"),
        LINES.format(";").replace("0.5", "0,5").replace("\n", "\r\n").encode(),
        LINES.format("\t").encode("utf-16"),
        LINES.format("\t").encode("utf-16-le"),
        LINES.format(",").encode("utf-16-be"),
        ("sep=;\r\n" + LINES.format(";")).encode(),
        # Row names as R and pandas write them; columns and rows that a spreadsheet left empty.
        b',path,identity,valence\n1,a.png,"Jos\xc3\xa9",0.5\n',
        "path,identity,valence,,\na.png,José,0.5,,\n,,,,\n ,,,,\n".encode(),
        # Decomposed letters, blanks of other kinds and of no width.
        LINES.format(",").replace("José", "\u00a0Jose\u0301\u200b ").encode(),
        LINES.format(",").replace("path", "\ufeffpath\u00a0").encode(),
        # Excel's line in capitals or quotes; decimal commas with tabs; empty lines above.
        ("SEP=;;;\r\n" + LINES.format(";")).encode(),
        ('"sep=,"\n' + LINES.format(",")).encode(),
        LINES.format("\t").replace("0.5", "0,5").encode("utf-16"),
        ("\r\n \n" + LINES.format(",")).encode(),
        # write.table of R names no column for its numbers of rows, and separates with blanks.
        LINES.format(",").replace("\na", "\n1,a").encode(),
        b'"path" "identity" "valence"\n"1" "a.png" "Jos\xc3\xa9" 0.5\n',
        LINES.format("|").encode(),
        LINES.format("   ").encode(),
        'path,identity,valence\na.png, "José",0.5\n'.encode(),
    ],
    ids=range(20),
)
def test_tables_as_programs_write_them(tmp_path, content):
    path = tmp_path / "t.csv"
    path.write_bytes(content)
    assert [row for _, row in read_rows(path, ("path",))] == [ONE]


@pytest.mark.parametrize("text", sorted(MISSING))
def test_missing_text_is_missing(tmp_path, text):
    path = tmp_path / "t.csv"
    path.write_text(f"path,identity\na.png, {text} \n")
    ((_, row),) = read_rows(path, ("path",))
    assert row["identity"] == "" and math.isnan(require_number("", "x", text))


@pytest.mark.parametrize("text", ["Nan", "Na", "none", "Nancy", "0", "-", "Jan Na"])
def test_words_and_names_are_not_missing(tmp_path, text):
    path = tmp_path / "t.csv"
    path.write_text(f"path,identity\na.png,{text}\n")
    assert [row["identity"] for _, row in read_rows(path, ())] == [text]


def test_a_comma_within_text_of_a_table_with_commas_stays(tmp_path):
    path = tmp_path / "t.csv"
    path.write_text('path,identity\na.png,"0,5"\n')
    assert [row["identity"] for _, row in read_rows(path, ())] == ["0,5"]


def test_signs_within_a_name_separate_nothing(tmp_path):
    path = tmp_path / "t.csv"
    path.write_text("path,mood (sad; happy; other),x\na.png,sad,1\n")
    ((_, row),) = read_rows(path, ("path",))
    assert list(row) == ["path", "mood (sad; happy; other)", "x"]


@pytest.mark.parametrize("sign", [",", ";", "\t"])
def test_the_header_alone(tmp_path, sign):
    path = tmp_path / "t.csv"
    path.write_text(",Path,sex,\n".replace(",", sign))
    assert read_header(path) == ["Path", "sex"]
    # Any separator is tried with the function that names columns.
    assert read_header(path, ["path"], lambda names: [n.lower() for n in names]) == ["path", "sex"]


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"path\na\0.png\n", "line 2 holds a NUL character, so it is no text"),
        (b"path\nJos\xe9.png\n", "is not UTF-8: line 2 has 'José.png' in another encoding"),
        ("path\na.png".encode("utf-16")[:-1], "is cut short. Save it as"),
        (b"img/a.png,x,happy\n", "seems to have no header (img/a.png, x, happy)"),
        (b'"path,identity"\n"a.png,x"\n', "its first line stands in quotes as a whole"),
        (b"path,,x\na.png,1,2\n", "row 1 (line 2): column 2 has a value and no name"),
        (b"path\n" + b"x" * (1 << 20) + b"x", "line 2 has more than 1,048,576 characters"),
        (b'path\n"' + b"x\n" * (1 << 20), "field larger than field limit"),
        (b"path," + b"x," * 3000, "has 3,002 columns, and at most 2,000 are read"),
        (b"path\n" + b"x\n" * 250_001, "row 250001 (line 250002): a table has at most 250,000"),
        (b"x,path,x\n", "has two columns 'x'"),
        (b"\xef\xbb\xbf\n \n", "t.csv: is empty"),
        ("path，x\na.png，1\n".encode(), "neither commas, semicolons nor tabs separate its first"),
        (b'path,x,y\na.png,"1,2\nb.png,2,3\n', "it seems that a quote is not closed"),
        (b"path,x\na.png,1,\n", "row 1 (line 2) has 3 values where the header has 2 columns"),
        (b"path,x\n1,a.png,1\n2,b.png\n", "row 2 (line 3) has 2 values"),
    ],
    ids=range(16),
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
        ("\u22120.5", -0.5),
        ("5.", 5),
        *((t, None) for t in ("", "1_000", "٣", "inf", "nan", "1e999", "0x1", "1,5", "--1")),
    ],
)
def test_numbers(text, number):
    assert parse_number(text) == number

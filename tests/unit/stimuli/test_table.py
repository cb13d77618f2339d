"""A user's face set: every format becomes uint8, and errors name the row."""

import numpy as np
import pytest
from PIL import Image

from own_tables import one, read_table, refusal, write_table


def test_line_ends_and_byte_order_mark(two):
    table = two / "faces.csv"
    table.write_bytes(b"\xef\xbb\xbfpath, identity\ra.png, x\r\rb.png, y\r")
    assert list(read_table(table).labels["identity"]) == ["x", "y"]


def test_resizing_keeps_proportions(tmp_path):
    wide = np.zeros((40, 80), np.uint8)
    wide[:, 20:60] = 200
    Image.fromarray(wide).save(tmp_path / "x.png")
    assert (one(tmp_path, "x.png", size=20) == 200).all()
    assert one(tmp_path, "x.png", size=20, color="rgb").shape == (20, 20, 3)


@pytest.mark.parametrize(
    ("header", "second", "words"),
    [
        (
            ["path"],
            ["c.png"],
            (
                "there is no picture",
                "c.png (1 of 2 are missing). Correct the",
            ),
        ),
        (["path", "sex"], ["NA", "f"], ("'path' is empty", "remove the row")),
        (["path"], ["./a.png"], ("path 'a.png' is already in row 1 (line 2)", "Remove one")),
        (["path"], ["../a.png"], ("leads out of the folder", "relative")),
        (["path"], ["x/../../a.png"], ("leads out of the folder", "relative")),
        (["path"], ["/etc/passwd"], ("leads out of the folder", "relative")),
        (["path"], ["faces.csv"], ("cannot be read as a picture", "Replace or remove it")),
        (["path", "valence"], ["b.png", "high"], ("valence is 'high', not a number", "Correct")),
        (["path", "au_1"], ["b.png", "inf"], ("au_1 is 'inf'", "leave it empty")),
        (["path", "sex"], ["b.png"], ("has 1 values where the header has 2 columns", "Mend")),
        (["path", "stimulus_id"], ["b.png", "1"], ("stimulus_id '1' is already in row 1",)),
        (
            ["path", "sex"],
            ["b.png", "f\x1b[2J"],
            (r"sex has the character \x1b after 'f'", "remove"),
        ),
        (["path", "sex"], ["b.png", "f\u2028m"], (r"sex has the character \u2028", "one line")),
    ],
)
def test_a_bad_row_is_named_with_the_remedy(two, header, second, words):
    table = write_table(two, header, ["a.png", *["1"] * (len(header) - 1)], second)
    message = refusal(table)
    assert f"{table}: row 2 (line 3)" in message
    assert all(part in message for part in words), message


def test_pictures_of_different_sizes_need_a_size(two):
    Image.new("L", (20, 10), 99).save(two / "b.png")
    table = write_table(two, ["path"], ["a.png"], ["b.png"])
    message = refusal(table)
    assert "own: b.png" in message and "is 20x10 pixels" in message and "Set 'size'" in message
    assert read_table(table, size=8).images.shape == (2, 8, 8)


def test_bad_tables(two):
    table = write_table(two, ["file", "identity"], ["a.png", "1"])
    message = refusal(table)
    assert str(table) in message and "has no column 'path' (it has: file, identity)" in message
    assert "If that is 'file', say so: columns: {path: file}" in message
    assert "no rows" in refusal(write_table(two, ["path"]))
    assert r"column 2 has the character \n after 'a'" in refusal(write_table(two, ["path", "a\nb"]))
    assert "two columns 'sex'" in refusal(write_table(two, ["path", "sex", "sex"]))
    message = refusal(two / "none.csv")
    assert str(two / "none.csv") in message and "no such file" in message


def test_bad_arguments(two):
    table = write_table(two, ["path", "identity"], ["a.png", "1"])
    assert "did you mean 'grey'?" in refusal(table, color="gray")
    assert "'size' must be" in refusal(table, size=0)
    assert "no such folder" in refusal(table, folder=two / "none")
    assert "did you mean 'identity'?" in refusal(table, sources={"identiy": "human"})

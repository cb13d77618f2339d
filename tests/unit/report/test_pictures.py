"""Captions and embedded pictures of the report."""

import base64
import io

import numpy as np
import pytest
from PIL import Image

from facestages.report import pictures
from facestages.report.pictures import Caption, read_caption
from facestages.text import escape_rst, unescape_rst


@pytest.mark.parametrize(
    "text",
    [
        "plain",
        "a_b |c| `d` *e* :f:`g` \\h @",
        ".. include:: config.yaml | {{ 7 * 7 }} $^$ #",
        "- a",
    ],
)
def test_a_caption_is_read_as_it_was_written(tmp_path, text):
    assert unescape_rst(escape_rst(text)) == text
    (tmp_path / "a.rst").write_text(escape_rst(text) + "\n")
    assert read_caption(tmp_path / "a.rst") == Caption("", [text])


def test_a_caption_may_have_a_title_and_paragraphs(tmp_path):
    words = f"**{escape_rst('Identity falls_')}.**\n\n{escape_rst('First.')}\nMore.\n\nSecond.\n"
    (tmp_path / "a.rst").write_text(words)
    assert read_caption(tmp_path / "a.rst") == Caption(
        "Identity falls_", ["First. More.", "Second."]
    )


def test_what_snakemake_fills_in_is_left_out(tmp_path):
    words = "Some words. Numbers: ``{{ snakemake.output.csv }}``.\n\n.. include:: {{ a }}\n\nFor\n"
    (tmp_path / "a.rst").write_text(words)
    assert read_caption(tmp_path / "a.rst") == Caption("", ["Some words."])


@pytest.mark.parametrize(
    "text, short",
    [
        ("One. Two. Three.", "One. Two."),
        (
            "Shares, e.g. Eyes. (a) Mouth [0.1, 0.2]. Rest.",
            "Shares, e.g. Eyes. (a) Mouth [0.1, 0.2].",
        ),
        ("Only one", "Only one"),
        (f"One. {'Long ' * 80}word. Three.", "One."),
        ("Set .. include here, 95 % intervals. Two.", "Set .. include here, 95 % intervals. Two."),
    ],
)
def test_the_short_caption(text, short):
    assert Caption("", [text]).short == short


def test_a_caption_without_words_is_short_too():
    assert Caption("", []).short == ""


def test_what_must_be_known_of_the_faces_is_not_folded_away():
    text = "One. Two. All are RENDERED. Valence: declared. CIRCULAR: x. LEFT OUT: y."
    assert Caption("", [text]).tags == [
        "rendered faces",
        "declared valence and arousal",
        "circular comparison",
        "something is left out",
    ]
    assert Caption("", ["Plain photographs."]).tags == []


def content(picture):
    kind, _, data = picture.source.partition(";base64,")
    return kind, base64.b64decode(data)


@pytest.fixture
def figure(tmp_path):
    """A figure whose SVG has so many bytes."""

    def make(name, svg_bytes, seed=0):
        noise = np.random.default_rng(seed).integers(0, 256, (300, 400, 4), dtype=np.uint8)
        Image.fromarray(noise, "RGBA").save(tmp_path / f"{name}.png")
        (tmp_path / f"{name}.svg").write_bytes(b"<svg/>".ljust(svg_bytes))
        return {kind: str(tmp_path / f"{name}.{kind}") for kind in ("svg", "png")}

    return make


def test_the_smaller_form_is_embedded(figure, tmp_path):
    small, large = pictures.embed_figures([figure("a", 100), figure("b", 10**6)])
    assert content(small) == ("data:image/svg+xml", (tmp_path / "a.svg").read_bytes())
    assert content(large) == ("data:image/png", (tmp_path / "b.png").read_bytes())
    assert (small.width, small.height) == (400, 300)


def test_the_largest_become_jpeg_where_all_are_too_large(figure, monkeypatch):
    files = [figure("a", 1000), figure("b", 10**6), figure("c", 5000)]
    monkeypatch.setattr(pictures, "_MOST_BYTES", 400_000)
    kinds = [content(one)[0] for one in pictures.embed_figures(files)]
    assert kinds == ["data:image/svg+xml", "data:image/jpeg", "data:image/svg+xml"]


def test_a_sheet_is_made_smaller_on_white(tmp_path):
    Image.new("RGBA", (1800, 600), (0, 0, 0, 0)).save(tmp_path / "sheet.png")
    sheet = pictures.embed_sheet(tmp_path / "sheet.png")
    kind, data = content(sheet)
    image = Image.open(io.BytesIO(data))
    assert kind == "data:image/jpeg" and image.size == (sheet.width, sheet.height) == (900, 300)
    assert image.getpixel((5, 5)) == (255, 255, 255)

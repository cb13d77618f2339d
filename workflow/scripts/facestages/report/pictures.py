"""Pictures of the report and their words: embedded images, captions, titles, alternative texts."""

from __future__ import annotations

import base64
import io
import os
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from PIL import Image

from facestages.text import unescape_rst

# All figures together may be so many bytes, so that the page with them in base64 stays below 15 MB.
_MOST_BYTES = 10_000_000
# Pixels across of a figure that would be too large otherwise, and of a contact sheet.
_FIGURE_WIDTH, _SHEET_WIDTH = 1800, 900

_TITLE = re.compile(r"\A\s*\*\*(.+?)\*\*\s*\n\s*\n", re.DOTALL)
# What only Snakemake's report fills in: a directive, and the names of files.
_OF_SNAKEMAKE = re.compile(r"(?m)^\.\. |(?:For print|Numbers): ``")
# A sentence ends before a blank and a capital, a digit or a bracket; "e.g." ends none.
_SENTENCE = re.compile(r"""(?<=[\w)\]%'"][.?!])(?<!e\.g\.)(?<!i\.e\.)\s+(?=[A-Z0-9(\[])""")
# What a caption says of the faces and of the comparison, and how it is shown beside a figure.
_TAGS = {
    "RENDERED": "rendered faces",
    "DECLARED|declared": "declared valence and arousal",
    "CIRCULAR": "circular comparison",
    "LEFT OUT": "something is left out",
}


class Caption(NamedTuple):
    """The words below a figure."""

    #: What the figure shows; empty where the caption has no title.
    title: str
    paragraphs: list[str]

    @property
    def short(self) -> str:
        """The first two sentences; the first, if they are long."""
        sentences = _SENTENCE.split(self.paragraphs[0]) if self.paragraphs else [""]
        two = " ".join(sentences[:2])
        return two if len(two) <= 320 else sentences[0]

    @property
    def tags(self) -> list[str]:
        """What must be known of the faces and of the comparison, in a few words each."""
        text = " ".join(self.paragraphs)
        return [words for pattern, words in _TAGS.items() if re.search(rf"\b({pattern})\b", text)]


def read_caption(path: str | os.PathLike) -> Caption:
    """Read a figure's caption.

    It is reStructuredText of plain paragraphs. It may begin with a title, a line ``**Title.**``
    and an empty one. What follows a directive is left out.
    """
    text = Path(path).read_text(encoding="utf-8")
    found = _TITLE.match(text)
    body = _OF_SNAKEMAKE.split(text[found.end() :] if found else text)[0]
    paragraphs = [unescape_rst(" ".join(part.split())) for part in re.split(r"\n\s*\n", body)]
    title = unescape_rst(" ".join(found[1].split())).rstrip(".") if found else ""
    return Caption(title, [part for part in paragraphs if part])


class Picture(NamedTuple):
    """An image within the page."""

    source: str
    width: int
    height: int


def embed_figures(files: Sequence[Mapping[str, str]]) -> list[Picture]:
    """Figures as images: of SVG and PNG (``svg``, ``png``) the smaller one.

    Where all are too large together, the largest become JPEG.
    """
    chosen = [min(one["svg"], one["png"], key=os.path.getsize) for one in files]
    contents = [(_KINDS[Path(path).suffix], Path(path).read_bytes()) for path in chosen]
    by_size = sorted(range(len(files)), key=lambda number: -len(contents[number][1]))
    for number in by_size:
        if sum(len(content) for _, content in contents) <= _MOST_BYTES:
            break
        contents[number] = "image/jpeg", _as_jpeg(files[number]["png"], _FIGURE_WIDTH, 88)
    return [
        Picture(_data_uri(*content), *_size(one["png"]))
        for content, one in zip(contents, files, strict=True)
    ]


def embed_sheet(path: str | os.PathLike) -> Picture:
    """A contact sheet, made smaller."""
    content = _as_jpeg(path, _SHEET_WIDTH, 80)
    return Picture(_data_uri("image/jpeg", content), *Image.open(io.BytesIO(content)).size)


_KINDS = {".svg": "image/svg+xml", ".png": "image/png"}


def _data_uri(kind: str, content: bytes) -> str:
    return f"data:{kind};base64,{base64.b64encode(content).decode()}"


def _size(path: str | os.PathLike) -> tuple[int, int]:
    with Image.open(path) as image:
        return image.size


def _as_jpeg(path: str | os.PathLike, width: int, quality: int) -> bytes:
    with Image.open(path) as image:
        image = image.convert("RGBA")
    white = Image.new("RGBA", image.size, "white")
    white.alpha_composite(image)
    white.thumbnail((width, image.height), Image.Resampling.LANCZOS)
    content = io.BytesIO()
    white.convert("RGB").save(content, "JPEG", quality=quality, subsampling=0)
    return content.getvalue()

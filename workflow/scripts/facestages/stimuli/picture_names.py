"""Names of pictures in tables of ratings and judgements beside those of a face set."""

from __future__ import annotations

import re

import pandas as pd

from facestages.errors import FacestagesError

#: Columns that may name the picture in such a table, by priority.
NAME_COLUMNS = ("picture", "stimulus_id", "file", "name")

# Only endings of picture files count: "subject01.happy" has no extension.
_EXTENSION = re.compile(r"\.(jpe?g|jpe|png|bmp|gif|tiff?|webp|p[gnp]m)$", re.IGNORECASE)


def refuse_ambiguous(written: pd.Series, names: pd.Series) -> None:
    """Refuse pictures of a face set that such a table cannot tell apart."""
    first: dict[str, str] = {}
    for text, name in zip(written, names, strict=True):
        if first.setdefault(name, text) != text:
            raise FacestagesError(
                f"the face set has the pictures '{first[name]}' and '{text}', which norms cannot "
                f"tell apart: case and extension do not count. Rename one"
            )


def plain_name(text: str) -> str:
    """Drop case and the extension of a picture, which may differ between table and face set."""
    return _EXTENSION.sub("", str(text)).lower()

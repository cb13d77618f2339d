"""Pictures that a face set has more than once."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator

import pandas as pd

from facestages import store
from facestages.errors import shorten

# Labels in which copies of one picture cannot differ.
_LABELS = ("identity", "expression")
_ROWS_AT_ONCE = 512


def describe_copies(stimuli: str | os.PathLike, labels: pd.DataFrame) -> Iterator[str]:
    """Lines on pictures that are there twice, pixel by pixel, and on those with two labels.

    `labels` has a row for each picture of the file `stimuli`, in its order.
    """
    with store.open_read(stimuli, "stimuli") as file:
        images = file["images"]
        content = [
            hashlib.sha256(picture.tobytes()).hexdigest()
            for start in range(0, len(images), _ROWS_AT_ONCE)
            for picture in images[start : start + _ROWS_AT_ONCE]
        ]
    table = labels.assign(content=content)
    copied = table[table.duplicated("content", keep=False)]
    groups = [rows for _, rows in copied.groupby("content", sort=False)]
    if groups:
        one, other = map(shorten, groups[0]["stimulus_id"].iloc[:2])
        yield (
            f"{len(copied) - len(groups):,} of the pictures are copies of another one: '{other}' "
            f"is '{one}'. Copies are nearest to each other in every layer: leave them out"
        )
    for label in filter(labels.__contains__, _LABELS):
        differ = [rows for rows in groups if rows[label].nunique() > 1]
        if differ:
            rows = differ[0].drop_duplicates(label)
            one, other = (
                f"'{shorten(name)}' is {shorten(value) or 'none'}"
                for name, value in zip(rows["stimulus_id"][:2], rows[label][:2], strict=True)
            )
            yield (
                f"{len(differ):,} of the copied pictures have two values of {label}: {one}, and "
                f"{other}. Mend the table"
            )

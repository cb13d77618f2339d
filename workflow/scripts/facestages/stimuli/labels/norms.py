"""Norms: human ratings of pictures, from a table of their own."""

from __future__ import annotations

import os

import pandas as pd

from facestages.stimuli.labels import Labels
from facestages.stimuli.ratings import join_norms


def add_norms(labels: Labels, facts: pd.DataFrame, norms: str | os.PathLike | None) -> Labels:
    """Add norms by picture name (`stimuli.ratings.join_norms`), if there is a table of them.

    `labels` are of the pictures in `facts`. ``report["norms"]`` says what was found.
    """
    if norms is None:
        return labels
    table = labels.table.reset_index(drop=True)
    found, joined = join_norms(pd.concat([facts[["stimulus_id"]], table], axis=1), norms)
    return Labels(
        pd.concat([table, found], axis=1),
        labels.sources | joined["sources"],
        {**labels.report, "norms": joined},
    )

"""The sources that a face set can come from, by the names that the config gives them."""

from __future__ import annotations

import os
from collections.abc import Mapping

from facestages.stimuli import StimulusSet


def prepare_stimuli(entry: Mapping, source: str | os.PathLike, threads: int = 1) -> StimulusSet:
    """Make a face set as the config says.

    Parameters
    ----------
    entry : mapping
        The face set's entry in the config, with all defaults filled in.
    source : path-like
        The head model's folder for rendered faces, else the user's file or folder.
    threads : int
        Number of threads, where the source can use them.

    Returns
    -------
    StimulusSet
    """
    entry = dict(entry)
    kind = entry.pop("source")
    if kind == "rendered":
        return _render(entry, source, threads)
    if kind == "fer2013":
        from facestages.stimuli.fer2013 import read_fer2013

        return read_fer2013(**entry)
    from facestages.stimuli.table import read_table

    return read_table(entry.pop("table"), **entry)


def _render(entry: dict, folder: str | os.PathLike, threads: int) -> StimulusSet:
    from facestages.stimuli import rendered
    from facestages.stimuli.headmodel import load_head

    head = load_head(folder)
    draw = {
        "wild": rendered.render_wild,
        "posed": rendered.render_posed,
        "video": rendered.render_video,
    }[entry.pop("design")]
    return draw(head, **entry, threads=threads)

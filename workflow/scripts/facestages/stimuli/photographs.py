"""From listed pictures to a face set's file: norms added, faces cropped, luminance equalised."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import replace

import h5py
import pandas as pd

from facestages.stimuli import write_stimuli
from facestages.stimuli.crop import crop_pictures
from facestages.stimuli.luminance import control_luminance
from facestages.stimuli.pictures import PictureSource
from facestages.stimuli.ratings import join_norms


def write_photographs(
    out: str | os.PathLike,
    name: str,
    source: PictureSource,
    entry: Mapping,
    detector: str | os.PathLike | None = None,
    threads: int = 1,
) -> None:
    """Make a face set of listed pictures, and write it.

    Parameters
    ----------
    out, name, detector, threads
        As for `stimuli.sources.prepare_stimuli`.
    source : PictureSource
    entry : mapping
        The face set's entry in the config: ``size``, ``color``, ``crop`` and perhaps ``norms``.

    Raises
    ------
    FacestagesError
        If a picture or the table of norms is not as described.
    """
    if entry.get("norms"):
        source = _add_norms(source, entry["norms"])
    cropping = {key: entry[key] for key in ("size", "color", "crop")}
    parts = crop_pictures(source, name=name, **cropping, detector=detector, threads=threads)
    write_stimuli(out, parts, name, finish(entry))


def finish(entry: Mapping) -> Callable[[h5py.Dataset], None] | None:
    """The change to all pictures of a face set that its entry asks for; see `write_stimuli`."""
    crop = entry["crop"]
    return crop and control_luminance(
        entry["size"], crop["histogram"], crop["mask"], crop["margin"]
    )


def _add_norms(source: PictureSource, norms: str | os.PathLike) -> PictureSource:
    """Add human ratings as labels, by picture name."""
    pictures = list(source.pictures)
    added, report = join_norms(pd.DataFrame([picture.labels for picture in pictures]), norms)
    rows = added.to_dict("records")
    return replace(
        source,
        pictures=[
            picture._replace(labels={**picture.labels, **row})
            for picture, row in zip(pictures, rows, strict=True)
        ],
        sources={**source.sources, **report["sources"]},
        report={**source.report, "norms": report},
    )

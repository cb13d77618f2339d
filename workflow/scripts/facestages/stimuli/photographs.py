"""From listed pictures to a file of stimuli: faces cropped, luminance equalised."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping

import h5py

from facestages.stimuli import write_pictures
from facestages.stimuli.crop import crop_pictures
from facestages.stimuli.luminance import control_luminance
from facestages.stimuli.pictures import PictureSource


def write_photographs(
    out: str | os.PathLike,
    name: str,
    source: PictureSource,
    entry: Mapping,
    detector: str | os.PathLike | None = None,
    threads: int = 1,
) -> None:
    """Make stimuli of listed pictures, and write them.

    Parameters
    ----------
    out, name, detector, threads
        As for `stimuli.sources.prepare_stimuli`.
    source : PictureSource
    entry : mapping
        The face set's entry in the config: ``size``, ``color`` and ``crop``.

    Raises
    ------
    FacestagesError
        If a picture is not as described.
    """
    cropping = {key: entry[key] for key in ("size", "color", "crop")}
    parts = crop_pictures(source, name=name, **cropping, detector=detector, threads=threads)
    write_pictures(out, parts, name, finish(entry))


def finish(entry: Mapping) -> Callable[[h5py.Dataset], None] | None:
    """The change to all pictures of a face set that its entry asks for; see `write_pictures`."""
    crop = entry["crop"]
    return crop and control_luminance(
        entry["size"], crop["histogram"], crop["mask"], crop["margin"]
    )

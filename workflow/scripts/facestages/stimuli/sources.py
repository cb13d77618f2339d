"""The reader of a face set, by the name of its source in the config."""

from __future__ import annotations

import importlib
import os
from collections.abc import Mapping


def prepare_stimuli(
    out: str | os.PathLike,
    name: str,
    entry: Mapping,
    source: str | os.PathLike | list[str],
    detector: str | os.PathLike | None = None,
    threads: int = 1,
) -> None:
    """Make a face set as the config says, and write it.

    The work is done by ``prepare`` in the module that has the source's name. No reader is imported
    here by name, so that a change of one reader remakes the face sets of its source alone.

    Parameters
    ----------
    out : path-like
        HDF5 file to write.
    name : str
        The face set's name in the config.
    entry : mapping
        Its entry there, with all defaults filled in.
    source : path-like or list of str
        The asset's folder for faces of an asset, the files of `extract_frames` for videos, and the
        user's files otherwise.
    detector : path-like, optional
        Folder of the face detector, where faces are cropped.
    threads : int

    Raises
    ------
    FacestagesError
        If the source, or a picture in it, is not as described.
    """
    reader = importlib.import_module(f"facestages.stimuli.{entry['source']}")
    reader.prepare(out, name, entry, source=source, detector=detector, threads=threads)

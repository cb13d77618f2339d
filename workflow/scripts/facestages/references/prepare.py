"""From a reference's source to its file."""

from __future__ import annotations

import importlib
import logging
import os
from collections.abc import Mapping

from facestages.references.files import write_reference
from facestages.references.pictures import Pictures
from facestages.stimuli import read_facts, read_labels

logger = logging.getLogger(__name__)


def prepare_reference(
    out: str | os.PathLike,
    name: str,
    entry: Mapping,
    stimuli: str | os.PathLike,
    labels: str | os.PathLike | None = None,
) -> None:
    """Read a reference, find its pictures in the face set, and write it.

    The module that has the source's name reads it: its ``read`` takes the entry and the pictures.

    Parameters
    ----------
    out : path-like
        HDF5 file to write.
    name : str
        Name of the reference in the config.
    entry : mapping
        Its entry there, with all defaults filled in.
    stimuli : path-like
        File of the face set.
    labels : path-like, optional
        File of its labels, where the source needs them.

    Raises
    ------
    FacestagesError
        Naming the file and the row or the entries that are wrong, or if the pictures are not those
        of the face set.
    """
    facts, _, attributes = read_labels(stimuli, labels) if labels else read_facts(stimuli)
    dataset = str(attributes["dataset"])
    reader = importlib.import_module(f"facestages.references.{entry['source']}")
    content = reader.read(entry, Pictures(dataset, facts))
    about = {
        "reference": name,
        "dataset": dataset,
        "label": entry["label"],
        "cite": entry["cite"],
        "simulated": int(entry["source"] == "simulated"),
        "stimuli_digest": attributes["stimuli_digest"],
    }
    write_reference(out, content, facts["stimulus_id"].to_numpy(), about)

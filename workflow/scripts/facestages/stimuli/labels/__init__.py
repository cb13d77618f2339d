"""Labels of prepared pictures, a reader for each source.

Labels are apart from pictures, so that a corrected label shows no picture to a network again.
"""

from __future__ import annotations

import importlib
import os
from collections.abc import Mapping
from types import ModuleType
from typing import NamedTuple

import numpy as np
import pandas as pd

from facestages.stimuli import CROP_LABELS, read_facts, write_labels


class Labels(NamedTuple):
    """Labels of some pictures."""

    #: A row a picture, in the order of the pictures, and a column a label.
    table: pd.DataFrame
    #: Source of each label.
    sources: dict[str, str]
    #: Further facts for the report, of JSON's types.
    report: dict[str, object] = {}


def prepare_labels(
    out: str | os.PathLike, name: str, entry: Mapping, stimuli: str | os.PathLike
) -> None:
    """Read the labels of prepared pictures, and write them.

    Parameters
    ----------
    out : path-like
        HDF5 file to write.
    name : str
        The face set's name in the config.
    entry : mapping
        The part of its entry there that decides its labels, with all defaults filled in.
    stimuli : path-like
        File of `stimuli.sources.prepare_stimuli`.

    Raises
    ------
    FacestagesError
        If the source is not as described, or lacks a picture.
    """
    facts, fact_sources, _ = read_facts(stimuli)
    labels, sources, report = label_pictures(entry, facts, fact_sources)
    write_labels(out, labels, sources, name, report)


def label_pictures(entry: Mapping, facts: pd.DataFrame, fact_sources: Mapping[str, str]) -> Labels:
    """Label pictures, of which these facts are known (`stimuli.read_facts`).

    ``list_labels`` in the module that has the source's name reads the labels. What cropping
    measured is added here, unless the source has a label of that name. The result has
    ``stimulus_id``. For `entry` and errors see `prepare_labels`.
    """
    found, sources, report = _reader(entry).list_labels(entry, facts)
    labels = pd.concat([facts[["stimulus_id"]], found.reset_index(drop=True)], axis=1)
    measured = [label for label in CROP_LABELS if label in facts and label not in labels]
    labels[measured] = facts[measured]
    return Labels(labels, sources | {label: fact_sources[label] for label in measured}, report)


def list_people(entry: Mapping, stimuli: str | os.PathLike) -> np.ndarray:
    """The person of each prepared picture, shape (n,), "" if unknown; no other label counts.

    Arguments and errors are those of `prepare_labels`.
    """
    return np.asarray(_reader(entry).list_people(entry, read_facts(stimuli)[0]), dtype=object)


def _reader(entry: Mapping) -> ModuleType:
    return importlib.import_module(f"facestages.stimuli.labels.{entry['source']}")

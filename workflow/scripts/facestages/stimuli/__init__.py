"""Face sets: pictures and their labels.

A face set of any source becomes one HDF5 file: the pictures as the networks will see them, one row
of labels a picture, and the source of every label.
"""

from facestages.expressions import EXPRESSIONS
from facestages.stimuli.files import (
    add_labels,
    add_regions,
    digest_pictures,
    read_examples,
    read_irregular,
    read_labels,
    read_parts,
    read_regions,
    read_report,
    read_stimuli,
    write_stimuli,
)
from facestages.stimuli.stimulus_set import (
    EDGES,
    REGIONS,
    Example,
    Irregularity,
    StimulusSet,
    join_stimuli,
)

__all__ = [
    "EDGES",
    "EXPRESSIONS",
    "REGIONS",
    "Example",
    "Irregularity",
    "StimulusSet",
    "add_labels",
    "add_regions",
    "digest_pictures",
    "join_stimuli",
    "read_examples",
    "read_irregular",
    "read_labels",
    "read_parts",
    "read_regions",
    "read_report",
    "read_stimuli",
    "write_stimuli",
]

"""Face sets: pictures and their labels.

A face set of any source becomes two HDF5 files: the pictures as the networks will see them, and one
row of labels a picture with the source of every label. A corrected label leaves the pictures, and
all that networks make of them, as they are.
"""

from facestages.expressions import EXPRESSIONS
from facestages.stimuli.files import (
    add_ids,
    add_regions,
    digest_pictures,
    read_examples,
    read_facts,
    read_irregular,
    read_label_file,
    read_labels,
    read_parts,
    read_regions,
    read_report,
    read_stimuli,
    take_rows,
    write_labels,
    write_pictures,
    write_stimuli,
)
from facestages.stimuli.stimulus_set import (
    CROP_LABELS,
    EDGES,
    REGIONS,
    Example,
    Irregularity,
    StimulusSet,
    join_stimuli,
)

__all__ = [
    "CROP_LABELS",
    "EDGES",
    "EXPRESSIONS",
    "REGIONS",
    "Example",
    "Irregularity",
    "StimulusSet",
    "add_ids",
    "add_regions",
    "digest_pictures",
    "join_stimuli",
    "read_examples",
    "read_facts",
    "read_irregular",
    "read_label_file",
    "read_labels",
    "read_parts",
    "read_regions",
    "read_report",
    "read_stimuli",
    "take_rows",
    "write_labels",
    "write_pictures",
    "write_stimuli",
]

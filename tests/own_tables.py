"""Tables of pictures as users bring them, and how tests read them."""

import csv
from dataclasses import replace

import numpy as np

import refusals
from facestages.stimuli import join_stimuli
from facestages.stimuli.crop import crop_pictures
from facestages.stimuli.labels import label_pictures
from facestages.stimuli.table import list_table

RAMP = np.tile(np.arange(0, 256, 16, dtype=np.uint8), (16, 1))


#: How a table is read where the config says nothing of it.
READING = {"columns": {}, "rename": {}}


def write_table(folder, header, *rows):
    path = folder / "faces.csv"
    with open(path, "w", newline="") as stream:
        csv.writer(stream).writerows([header, *rows])
    return path


def read_table(table, size=None, color="grey", folder=None, **options):
    """Read all pictures of a table, and their labels."""
    listed = list_table(table, folder=folder, columns=options.get("columns"))
    faces = join_stimuli(crop_pictures(listed, name="own", size=size, color=color))
    labels, sources, _ = label_table(table, faces.labels, **options)
    return replace(faces, labels=labels, sources=sources)


def label_table(table, facts, sources=None, **options):
    """Labels of pictures that a table lists."""
    entry = {"source": "table", "table": table, "sources": sources or {}, "norms": None}
    return label_pictures(entry | READING | options, facts, {})


def one(tmp_path, name, **options):
    """Read a table of one picture; return the picture."""
    return read_table(write_table(tmp_path, ["path"], [name]), **options).images[0]


def refusal(*args, **options):
    """Read what must be refused; return the message."""
    return refusals.refusal(read_table, *args, **options)

"""A small DISFA folder whose frames show their numbers, and how tests read it."""

import pandas as pd

from disfa_files import write_disfa
from facestages.action_units import RULES_V1
from facestages.stimuli.disfa import read_subject
from facestages.stimuli.labels.frames import list_labels

SIZE = (160, 120)


OPTIONS = {
    "camera": "left",
    "frames_per_person": 5,
    "select": "even",
    "min_distance": 1,
    "seed": 0,
}


def coded_number(subject, frame, unit):
    """Intensities from which the frame's number can be told."""
    return {12: frame % 6, 25: frame // 6 % 6, 1: frame // 36 % 6}.get(unit, 0)


def write(folder, subjects, **options):
    return write_disfa(folder, subjects, **{"size": SIZE, **options})


def read(folder, subject="SN001", **options):
    return read_subject(folder, subject, **{**OPTIONS, **options})


def decode_all(folder, subject="SN001", **options):
    return [picture.read() for picture in read(folder, subject, **options).pictures]


def frame_of(picture):
    """Number of the frame, from 1, that a picture's name gives."""
    return int(picture.stimulus_id.partition("/")[2])


def label_frames(folder, pictures, subject_list=None, threshold=2):
    """Labels of frames."""
    units = {"rules": RULES_V1, "version": "au-rule-v1", "threshold": threshold}
    entry = {"path": folder, "subject_list": subject_list, "action_units": units}
    ids = [picture.stimulus_id for picture in pictures]
    return list_labels(entry, pd.DataFrame({"stimulus_id": ids}))

"""A small DISFA folder whose frames show their numbers, and how tests read it."""

from disfa_files import write_disfa
from facestages.action_units import RULES_V1
from facestages.stimuli.disfa import read_subject

SIZE = (160, 120)


OPTIONS = {
    "camera": "left",
    "frames_per_person": 5,
    "select": "even",
    "min_distance": 1,
    "seed": 0,
    "rules": RULES_V1,
    "rules_version": "au-rule-v1",
    "threshold": 1,
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

"""Frames of videos: the stimuli of single people joined to one face set."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path

from facestages.disfa_files import missing_subjects
from facestages.stimuli import StimulusSet, read_parts, read_report, write_pictures
from facestages.stimuli.examples import thin_examples
from facestages.stimuli.photographs import finish


def prepare(out, name: str, entry: Mapping, *, source, detector, threads: int) -> None:
    """Make a face set for `stimuli.sources.prepare_stimuli`."""
    write_pictures(out, _join_subjects(sorted(source)), name, finish(entry))


def _join_subjects(paths: list[str]) -> Iterator[StimulusSet]:
    """Read the frames of all people, one person after the other."""
    subjects = {Path(path).stem: read_report(path) for path in paths}
    not_taken = missing_subjects(list(subjects))
    report = json.dumps({"subjects_not_taken": not_taken, "subjects": subjects})
    for path in paths:
        for part in read_parts(path):
            attributes = {**part.attributes, "report": report}
            examples = thin_examples(part.examples, len(paths))
            yield replace(part, attributes=attributes, examples=examples)

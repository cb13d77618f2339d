"""Labels of DISFA's frames: every line of the label files meets its own frame."""

import json

import pytest

from disfa_frames import label_frames, read, write
from facestages.action_units import DISFA_UNITS


def smile_late(subject, frame, unit):
    return 2 if frame > 20 and unit in (6, 12) else int(frame > 10 and unit == 12)


@pytest.fixture
def labelled(tmp_path):
    """Labels of the first 29 of 30 frames."""
    folder = write(tmp_path, {"SN001": 30}, intensities=smile_late)
    people = tmp_path / "people.csv"
    people.write_text("subject,sex\nSN001,f\n")
    pictures = list(read(folder, frames_per_person=29).pictures)
    return label_frames(folder, pictures, subject_list=people)


def test_labels_and_sources(labelled):
    table, sources, _ = labelled
    units = [f"au_{unit:02d}" for unit in DISFA_UNITS]
    assert list(table) == ["identity", "sex", "expression", "frame", *units]
    assert list(table["expression"]) == ["neutral"] * 10 + [""] * 10 + ["happy"] * 9
    assert set(zip(table["identity"], table["sex"], strict=True)) == {("SN001", "female")}
    assert table["frame"].dtype.kind == "i" and table["au_06"].dtype.kind == "f"
    assert sources == {
        "identity": "file",
        "sex": "file",
        "expression": "au-rule-v1",
        "frame": "file",
        **dict.fromkeys(units, "human"),
    }


def test_labels_are_counted_at_three_thresholds(labelled):
    report = json.loads(json.dumps(labelled.report))
    assert report == labelled.report, "plain values only"
    counts = report["subjects"]["SN001"]
    assert counts["counts_by_threshold"]["2"]["happy"] == 10
    assert counts["chosen_counts_by_threshold"]["2"]["happy"] == 9
    assert counts["counts_by_threshold"]["3"]["happy"] == 0


def test_people_come_in_any_order_and_have_no_sex_unless_told(tmp_path):
    folder = write(tmp_path, {"SN001": 30, "SN002": 30}, intensities=smile_late)
    pictures = [
        picture
        for subject in ("SN002", "SN001")
        for picture in read(folder, subject, frames_per_person=2).pictures
    ]
    table = label_frames(folder, [pictures[i] for i in (2, 0, 3, 1)]).table
    assert list(table["identity"]) == ["SN001", "SN002", "SN001", "SN002"]
    assert set(table["sex"]) == {""}

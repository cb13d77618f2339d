"""Facts of kinds of face sets: how many pictures there will be, before any is read."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest

from face_sets import ASSETS, write_fer2013_csv
from facestages.config import load_config
from facestages.config.face_sets import RenderedSet
from facestages.expressions import EXPRESSIONS
from facestages.fer2013_counts import OFFICIAL_COUNTS
from facestages.plan.sources import SOURCES
from facestages.stimuli.fer2013 import read_fer2013
from facestages.stimuli.kdef import list_kdef

ROOT = Path(__file__).parents[3]


def count(entry):
    return SOURCES[entry.source].count(entry)


def default_set(name):
    return load_config(ROOT / "config" / "config.yaml").datasets[name]


def entry_of(**section):
    """A face set's section, with all defaults filled in."""
    config = {"datasets": {"own": section}, "networks": {"p": PIXELS}, "figures": {"fig4": FIG4}}
    return load_config(config).datasets["own"]


PIXELS = {"label": "p", "architecture": "pixels", "stages": {"early": "pixels", "final": "pixels"}}


FIG4 = {"datasets": ["own"], "networks": ["p"], "stages": ["early", "final"]}


def test_foreseen_sizes_of_the_default_run():
    assert sum(count(default_set("posed"))) == 980
    assert count(default_set("video")) == [81] * 12


@pytest.mark.skipif(not (ASSETS / "headmodel").is_dir(), reason="no head model at hand")
def test_foreseen_sizes_of_rendered_sets():
    from facestages.stimuli.render import designs
    from facestages.stimuli.render import head_model as headmodel

    head = headmodel.load_head(ASSETS / "headmodel")
    for draw, section in (
        (designs.render_wild, {"design": "wild", "people": 4, "images": 10}),
        (designs.render_wild, {"design": "wild", "people": 3, "images": 9}),
        (designs.render_posed, {"design": "posed", "people": 2, "sessions": 1}),
        (designs.render_video, {"design": "video", "women": 1, "men": 2, "frames_per_person": 3}),
    ):
        entry = entry_of(source="rendered", size=16, **section)
        own = {name for name in type(entry).model_fields if name not in RenderedSet.model_fields}
        faces = draw(head, **entry.model_dump(include=own - {"source", "design"}))
        real = faces.labels["identity"].value_counts()
        assert sorted(count(entry)) == sorted(real)


def test_foreseen_size_of_orl():
    assert count(entry_of(source="orl")) == [10] * 40


def test_foreseen_size_of_kdef(tmp_path):
    codes = ("AF", "AN", "DI", "HA", "NE", "SA", "SU")
    people = [f"{sex}{number:02d}" for sex in "FM" for number in range(1, 36)]
    for stem in (f"B{person}{code}{angle}" for person in people for code in codes for angle in "S"):
        (tmp_path / f"{stem}.JPG").touch()
    entry = entry_of(source="kdef", path=str(tmp_path), sessions=["B"])
    listed = list_kdef(tmp_path, angles=entry.angles, sessions=entry.sessions)
    assert sum(count(entry)) == listed.n == 490
    every = entry_of(source="kdef", path="x", angles=["FL", "HL", "S", "HR", "FR"])
    assert sum(count(every)) == 4900


@pytest.mark.parametrize("splits", [None, ["Training"], ["test"], ["PublicTest", "test"]])
@pytest.mark.parametrize("classes", [None, ["happy", "sad", "neutral"]])
def test_foreseen_size_of_fer2013(tmp_path, splits, classes):
    # A hundredth of the official copy.
    usages, labels = [], []
    for split, numbers in OFFICIAL_COUNTS.items():
        for expression, n in zip(EXPRESSIONS, numbers, strict=True):
            usages += [split] * math.ceil(n / 100)
            labels += [expression] * math.ceil(n / 100)
    pictures = np.zeros((len(labels), 48, 48), np.uint8)
    write_fer2013_csv(tmp_path / "fer2013.csv", pictures, labels, usages)
    found = read_fer2013(tmp_path / "fer2013.csv", splits=splits, classes=classes)
    entry = entry_of(source="fer2013", path="x", splits=splits, classes=classes)
    (foreseen,) = count(entry)
    assert len(found) - 21 <= foreseen / 100 <= len(found)
    if splits == ["Training"]:
        assert foreseen == (17010 if classes else 28709)


def test_foreseen_size_of_disfa():
    section = {"source": "disfa", "path": "x", "frames_per_person": 4845, "min_distance": 1}
    assert count(entry_of(**section)) == [4845] * 27
    assert count(entry_of(**section, subjects=["SN001"])) == [4845]


def test_foreseen_size_of_a_table(tmp_path):
    table = tmp_path / "faces.csv"
    table.write_text('path, identity\n"a,1.png",F01\nb.png, F02 \n\nc.png,F01\nd.png,\n')
    entry = entry_of(source="table", label="x", table=str(table))
    assert count(entry) == [2, 1, 1]
    table.write_text("path\na.png\nb.png\n")
    assert count(entry) == [2]
    table.unlink()
    assert count(entry) == []


def test_every_kind_has_an_entry_with_the_files_that_its_model_names():
    sections = {
        "fer2013": {"path": "x"},
        "kdef": {"path": "x", "norms": "y"},
        "disfa": {"path": "x", "subject_list": "y"},
        "table": {"label": "x", "table": "x", "folder": "y", "norms": "z"},
        "orl": {},
        "rendered": {"design": "wild"},
    }
    assert set(sections) == set(SOURCES)
    for source, section in sections.items():
        entry = entry_of(source=source, **section)
        assert list(entry.given()) == list(SOURCES[source].given)

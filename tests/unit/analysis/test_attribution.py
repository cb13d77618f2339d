"""How much of a network's maps lies on which region of the face."""

import dataclasses

import h5py
import pytest

from facestages import tables
from facestages.analysis.attribution import summarise_maps
from facestages.errors import FacestagesError
from facestages.stimuli import read_labels, read_stimuli, write_labels, write_stimuli
from facestages.stimuli.regions import CENTRED
from looks import STAGES, explain, write_looks_faces


@pytest.fixture
def faces(tmp_path):
    return write_looks_faces(tmp_path / "faces.h5")


def measure(path, **options):
    return summarise_maps(explain(path, **options), path, options.get("stages", STAGES))


def values_of(table, expression="all", layer="conv"):
    rows = table[(table["expression"] == expression) & (table["layer"] == layer)]
    return rows.set_index("measure")["value"]


def test_a_map_that_is_the_same_everywhere_is_enriched_nowhere(faces):
    values = values_of(measure(faces))
    for region, area in (("eyes", 0.08), ("brows", 0.08), ("mouth", 0.08)):
        assert values[f"enrichment_{region}"] == pytest.approx(1, rel=1e-5)
        assert values[f"share_{region}"] == pytest.approx(area, rel=1e-5)
    assert values["share_elsewhere"] == pytest.approx(0.76, rel=1e-5)
    assert values["empty_maps"] == pytest.approx(2 / 24)
    # The shuffled network looks into a corner.
    assert values["randomised_share_elsewhere"] > 0.95
    assert values["randomised_empty_maps"] == 0


def test_the_table_says_what_it_was_made_from(faces):
    table = measure(faces, shuffles=2)
    assert set(table["expression"]) == {"all", "happy", "sad"}
    shares = table[table["measure"] == "share_eyes"].set_index("expression")
    assert shares["n"].to_dict() == {"all": 22, "happy": 7, "sad": 7}
    assert shares.loc["all", "note"] == (
        "rendered landmarks; 2 of 24 maps left out: empty or without the region"
    )
    assert shares["label_source"].to_dict() == {"all": "", "happy": "posed", "sad": "posed"}
    assert (table["rendered"] == 1).all() and (table["seed"] == 3).all()
    assert set(table["stage"]) == {"early"}
    shuffled = table[table["measure"] == "randomised_share_mouth"].iloc[0]
    assert shuffled["note"] == "rendered landmarks; 2 shuffles, 0.00 to 0.00"
    measured = table.dropna(subset=["value"])
    assert (measured["ci_low"] <= measured["value"] + 1e-9).all()
    assert (measured["ci_high"] >= measured["value"] - 1e-9).all()


def test_a_set_without_expressions_people_or_regions(faces):
    with h5py.File(faces, "r+") as file:
        for name in ("regions", "region", "edge"):
            del file[name]
    with h5py.File(faces.with_name("faces.labels.h5"), "r+") as file:
        for name in ("identity", "expression"):
            del file[name]
    table = measure(faces, faces=5, classes=None)
    assert set(table["expression"]) == {"all"}
    assert table["ci_low"].isna().all() and not table["value"].isna().all()
    note = table.set_index("measure").loc["share_eyes", "note"]
    assert note.startswith(CENTRED)


def test_a_network_without_maps_gives_an_empty_table(faces, tmp_path):
    table = measure(faces, stages={"final": "answer"})
    tables.write_table(tmp_path / "t.csv", table)
    again = tables.read_tables([tmp_path / "t.csv"])
    assert len(again) == 0 and list(again) == list(table)


def test_a_corrected_label_moves_a_picture_and_needs_no_new_map(faces):
    maps = explain(faces)
    before = summarise_maps(maps, faces, STAGES)
    labels, sources, _ = read_labels(faces)
    labels.loc[labels["stimulus_id"] == "s03", "expression"] = "sad"
    write_labels(faces.with_name("other.h5"), labels, sources, "faces")
    after = summarise_maps(maps, faces, STAGES, faces.with_name("other.h5"))
    counts = [
        table[table["measure"] == "share_eyes"].set_index("expression")["n"].to_dict()
        for table in (before, after)
    ]
    assert counts[0] == {"all": 22, "happy": 7, "sad": 7}
    assert counts[1] == {"all": 22, "happy": 6, "sad": 8}


def test_maps_of_other_pictures_are_refused(faces, tmp_path):
    maps = explain(faces)
    stimuli = read_stimuli(faces)
    changed = dataclasses.replace(stimuli, images=255 - stimuli.images)
    write_stimuli(tmp_path / "faces.h5", changed, "faces")
    with pytest.raises(FacestagesError, match="made with another stimuli digest"):
        summarise_maps(maps, tmp_path / "faces.h5", STAGES)

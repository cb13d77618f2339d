"""What a face set is made from, how many pictures are measured, and what counts as a change."""

import json
import os
from pathlib import Path

import pytest

from disfa_files import label_path, video_path
from facestages import notes
from facestages.action_units import DISFA_UNITS
from facestages.config import load_config
from facestages.errors import FacestagesError

STAGES = {"early": "pixels", "final": "pixels"}
PIXELS = {"label": "p", "architecture": "pixels", "stages": STAGES}
FIG4 = {"datasets": ["mine"], "networks": ["p"], "stages": ["early", "final"]}


@pytest.fixture(autouse=True)
def empty_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def config_of(most=20_000, **face_set):
    return load_config(
        {
            "datasets": {"mine": {"label": "Mine", **face_set}},
            "networks": {"p": PIXELS},
            "analysis": {"most_pictures": most},
            "figures": {"fig4": FIG4},
        }
    )


def write(path, text=""):
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    Path(path).write_text(text)


def write_note(path, *given):
    digests = {notes.digest_key(kind, arguments): digest for kind, arguments, digest in given}
    write(path, json.dumps({"made": "", "given": digests}))


def write_videos(*subjects):
    for subject in subjects:
        write(video_path(Path("D"), subject))
        for unit in DISFA_UNITS:
            write(label_path(Path("D"), subject, unit))


def test_a_set_is_made_from_an_asset_or_from_the_users_files(default, plan):
    face_sets = plan(default).face_sets
    assert face_sets.source("posed") == "resources/assets/headmodel"
    assert face_sets.detector("posed") == [] and face_sets.given("posed") == []
    write("faces/t.csv", "path,identity\na.png,x\n")
    config = config_of(source="table", table="faces/t.csv", folder="faces", crop={}, size=8)
    face_sets = plan(config).face_sets
    assert face_sets.source("mine") == []
    assert [one[:2] for one in face_sets.given("mine")] == [
        ["pictures of a table", ["faces/t.csv", "faces"]],
    ]
    assert face_sets.detector("mine") == "resources/assets/face_detector"
    assert face_sets.crop_margin("mine") == 0.0


def test_a_missing_table_is_named_unless_the_face_sets_note_has_its_digest(plan):
    config = config_of(source="table", table="t.csv")
    write("t.csv", "path,identity\na.png,x\n")
    before = plan(config).face_sets.given("mine")
    Path("t.csv").unlink()
    write_note("results/stimuli/mine.h5")
    with pytest.raises(FacestagesError, match="datasets.mine.table = 't.csv': no such file"):
        plan(config).face_sets.given("mine")
    write_note("results/stimuli/mine.h5", *before)
    assert plan(config).face_sets.given("mine") == before
    other = config_of(source="table", table="u.csv")
    with pytest.raises(FacestagesError, match="datasets.mine.table = 'u.csv': no such file"):
        plan(other).face_sets.given("mine")


def test_a_large_set_is_sampled(plan):
    rows = "".join(f"{n}.png,{n % 3}\n" for n in range(30))
    write("t.csv", "path,identity\n" + rows)
    face_sets = plan(config_of(10, source="table", table="t.csv")).face_sets
    assert face_sets.sampling_step("mine") == 4 and face_sets.n_measured("mine") == 9
    assert face_sets.measured("mine") == "results/stimuli/mine.sample.h5"
    assert face_sets.described("mine") == face_sets.measured("mine")
    whole = plan(config_of(30, source="table", table="t.csv")).face_sets
    assert whole.measured("mine") == "results/stimuli/mine.h5"


def test_a_table_is_counted_once_a_run(plan, monkeypatch):
    write("t.csv", "path,identity\na.png,x\nb.png,x\n")
    planned = plan(config_of(source="table", table="t.csv"))
    opened = []
    read = open
    monkeypatch.setattr("builtins.open", lambda *a, **k: opened.append(a[0]) or read(*a, **k))
    counts = []
    for _ in range(3):
        planned.resources.prediction_minutes("mine")
        planned.face_sets.measured("mine")
        counts.append(list(map(str, opened)).count("t.csv"))
    # Each time, its first bytes are looked at before its text.
    assert 1 <= counts[0] <= 7 and len(set(counts)) == 1


def test_a_sample_of_one_picture_each_is_refused(plan):
    write("t.csv", "path,identity\n" + "".join(f"{n}.png,{n % 9}\n" for n in range(90)))
    with pytest.raises(FacestagesError, match="config: datasets.mine: a sample of 10 pictures"):
        plan(config_of(10, source="table", table="t.csv")).face_sets.sampling_step("mine")


def test_where_the_disk_is_gone_the_last_look_counts(plan):
    config = config_of(10, source="table", table="disk/t.csv")
    write_note(
        "results/stimuli/mine.sample.h5",
        ["step", ["disk/t.csv", 10], "4"],
        ["people of a table", ["disk/t.csv"], "x"],
    )
    assert plan(config).face_sets.sampling_step("mine") == 4
    # With another limit, nobody knows the step.
    with pytest.raises(FacestagesError, match="datasets.mine.table = 'disk/t.csv': no such file"):
        plan(config_of(11, source="table", table="disk/t.csv")).face_sets.sampling_step("mine")


def test_a_changed_picture_changes_the_digest(plan):
    write("t.csv", "path,identity\na.png,x\n")
    write("a.png", "one")
    config = config_of(source="table", table="t.csv")
    before = plan(config).face_sets.given("mine")
    write("b.png", "not in the table")
    os.utime("a.png", (0, 0))
    assert plan(config).face_sets.given("mine") == before
    write("a.png", "two")
    assert plan(config).face_sets.given("mine") != before


TABLE = "path,identity,valence\na.png,x,0.5\nb.png,y,1\n"


@pytest.mark.parametrize(
    ("table", "changes"),
    [
        (TABLE.replace("0.5", "0.25"), {"labels_given"}),
        (TABLE.replace("path,", "path,age,").replace(".png,", ".png,9,"), {"labels_given"}),
        (TABLE.replace(",x,", ",y,"), {"labels_given", "sample_given"}),
        (TABLE.replace("b.png", "c.png"), {"given", "labels_given", "sample_given"}),
        (
            TABLE.replace("path,identity", "stimulus_id,path"),
            {"given", "labels_given", "sample_given"},
        ),
    ],
)
def test_labels_count_apart_from_pictures(plan, table, changes):
    for name in ("a.png", "b.png", "c.png"):
        write(name, name)

    def digests(text):
        write("t.csv", text)
        face_sets = plan(config_of(source="table", table="t.csv")).face_sets
        return {
            name: getattr(face_sets, name)("mine")
            for name in ("given", "labels_given", "sample_given")
        }

    before, after = digests(TABLE), digests(table)
    assert {name for name in before if before[name] != after[name]} == changes


def test_keys_of_labels_are_no_keys_of_pictures(plan):
    write("t.csv", "path,valence\na.png,1\n")
    write("n.csv", "picture,arousal\na,1\n")
    labels = {"norms": "n.csv", "sources": {"valence": "human"}}
    face_sets = plan(config_of(source="table", table="t.csv", **labels)).face_sets
    assert not labels.keys() & face_sets.entry("mine").keys()
    assert face_sets.label_entry("mine") == {
        **{"source": "table", "table": "t.csv", "columns": {}, "rename": {}},
        **labels,
    }
    disfa = plan(config_of(source="disfa", path="D", subject_list="s.csv")).face_sets
    assert disfa.label_entry("mine").keys() == {"source", "path", "subject_list", "action_units"}
    assert not {"subject_list", "action_units"} & disfa.frames_entry("mine").keys()


def test_a_sex_counts_as_a_label_and_action_units_as_both(plan):
    write_videos("SN001", "SN003")
    write("s.csv", "subject,sex\nSN001,f\nSN003,f\n")
    config = config_of(source="disfa", path="D", subject_list="s.csv")

    def digests():
        face_sets = plan(config).face_sets
        persons = [face_sets.frames_given("mine", f"SN00{n}")[0][-1] for n in (1, 3)]
        return [*persons, *(one[-1] for one in face_sets.labels_given("mine"))]

    first = digests()
    write("s.csv", "subject,sex\nSN001,m\nSN003,f\n")
    second = digests()
    assert [a == b for a, b in zip(first, second, strict=True)] == [True, True, False, True]
    write(label_path(Path("D"), "SN003", DISFA_UNITS[0]), "1,3")
    third = digests()
    assert [a == b for a, b in zip(second, third, strict=True)] == [True, False, True, False]


def test_people_are_those_with_videos(plan):
    write_videos("SN001", "SN003")
    config = config_of(source="disfa", path="D", frames_per_person=20)
    face_sets = plan(config).face_sets
    assert face_sets.subjects("mine") == ["SN001", "SN003"]
    assert face_sets.foreseen("mine") == [20, 20]
    assert face_sets.source("mine") == [f"results/frames/mine/SN00{n}.h5" for n in (1, 3)]
    assert face_sets.entry("mine")["source"] == "frames"
    assert "subjects" not in face_sets.frames_entry("mine")
    write("results/frames/mine/SN001.h5")
    assert face_sets.waiting_videos("mine") == ["SN003"]


def test_who_was_chosen_stays_where_the_disk_is_gone(plan):
    config = config_of(source="disfa", path="D")
    write_note("results/stimuli/mine.h5", ["people", ["D", "left", "all", None], "SN001 SN002"])
    assert plan(config).face_sets.subjects("mine") == ["SN001", "SN002"]
    other = config_of(source="disfa", path="D", subjects=["SN001"])
    with pytest.raises(FacestagesError, match="datasets.mine.path = 'D': no such file"):
        plan(other).face_sets.subjects("mine")


def test_without_videos_the_official_number_is_foreseen(plan):
    config = config_of(source="disfa", path="D", frames_per_person=20)
    face_sets = plan(config, {"datasets.mine": "gone"}).face_sets
    assert face_sets.foreseen("mine") == [20] * 27


def test_labels_of_a_network_are_joined(paper, plan):
    face_sets = plan(paper).face_sets
    predictions = "results/paper/predictions/disfa_women/resmasknet/seed-0.csv"
    assert face_sets.label_predictions("disfa_women") == predictions
    assert face_sets.report_predictions("disfa_women") == [predictions]
    assert face_sets.label_predictions("kdef") == []
    gone = plan(paper, {"networks.resmasknet": "gone"}).face_sets
    assert gone.report_predictions("disfa_women") == []


# ------------------------------------------------------------------------------- own tables


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("file,identity\na.png,x\n", "columns: {path: file}"),
        ("PK\x03\x04", "datasets.mine.table = 't.csv': is a zip archive without its end"),
    ],
)
def test_a_wrong_table_ends_the_run_before_it_begins(plan, content, words):
    write("t.csv", content)
    face_sets = plan(config_of(source="table", table="t.csv")).face_sets
    for ask in (face_sets.given, face_sets.labels_given, face_sets.sample_given):
        with pytest.raises(FacestagesError, match="^config: datasets.mine") as caught:
            ask("mine")
        assert words in str(caught.value)


def test_a_packed_copy_ends_the_run_before_it_begins(plan):
    write("fer.csv", "\0" * 257 + "ustar")
    planned = plan(config_of(source="fer2013", path="fer.csv"))
    with pytest.raises(FacestagesError, match="path = 'fer.csv': is a tar archive: unpack it"):
        planned.face_sets.given("mine")


def test_what_is_renamed_decides_labels_alone(plan):
    write("t.csv", "file,subject,emotion\na.png,x,normal\n")
    write("a.png")
    table = {"source": "table", "table": "t.csv", "columns": {"path": "file"}}
    renamed = {"columns": {"path": "file", "expression": "emotion", "identity": "subject"}}
    renamed |= {"rename": {"expression": {"normal": "neutral"}, "identity": {"x": "y"}}}
    before, after = (plan(config_of(**table | more)).face_sets for more in ({}, renamed))
    assert before.entry("mine") == after.entry("mine")
    assert before.given("mine") == after.given("mine")
    assert before.label_entry("mine") != after.label_entry("mine")
    assert after.people_entry("mine")["columns"] == {"path": "file", "identity": "subject"}
    assert after.people_entry("mine")["rename"] == {"identity": {"x": "y"}}


def test_people_are_counted_as_they_are_renamed(plan):
    write("t.csv", "path,who\na.png,1\nb.png,01\nc.png,2\n")
    more = {"columns": {"identity": "who"}, "rename": {"identity": {"01": "1"}}}
    face_sets = plan(config_of(source="table", table="t.csv", **more)).face_sets
    assert face_sets.foreseen("mine") == [2, 1]

"""What references are made from, whether they are at hand, and what they cost."""

from pathlib import Path

import numpy as np
import pytest

from facestages import memory
from facestages.assets import read_manifest
from facestages.config import load_config
from facestages.doctor.requirements import list_requirements, list_targets
from facestages.errors import FacestagesError
from facestages.plan import Plan, targets
from facestages.plan.presence import read_gated
from facestages.plan.sources import REFERENCES

MANIFEST = read_manifest(Path(__file__).parents[3] / "resources" / "manifest.yaml")
ABOUT = {"label": "People", "cite": "A lab, 2026", "dataset": "orl"}
STAGES = dict.fromkeys(("early", "middle", "penultimate", "final"), "pixels")
LICENSED = "resources/licensed/pairs.csv"


@pytest.fixture(autouse=True)
def empty_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def make_config(datasets=None, **references):
    return load_config(
        {
            "datasets": {"orl": {"source": "orl"}, **(datasets or {})},
            "networks": {"p": {"label": "P", "architecture": "pixels", "stages": STAGES}},
            "references": {name: ABOUT | section for name, section in references.items()},
            "figures": {"fig4": {"datasets": ["orl"], "networks": ["p"]}},
        },
        MANIFEST,
    )


def pairs(path="pairs.csv"):
    return {"source": "pairs", "path": path}


def test_a_changed_file_is_told_to_the_job_of_that_reference_alone():
    config = make_config(one=pairs(), other=pairs("others.csv"))
    for name in ("pairs.csv", "others.csv"):
        Path(name).write_text("picture\n")
    before = Plan(config).references
    given = {name: before.given(name) for name in ("one", "other")}
    assert given["one"][0][:2] == ["content", ["pairs.csv"]]
    Path("pairs.csv").write_text("picture\na\n")
    after = Plan(config).references
    assert after.given("one") != given["one"] and after.given("other") == given["other"]


def test_every_file_of_a_stack_counts():
    config = make_config(meg={"source": "rdms", "path": "r.npy", "conditions": "c.csv"})
    for name in ("r.npy", "c.csv"):
        Path(name).write_text("x")
    assert [one[1] for one in Plan(config).references.given("meg")] == [["r.npy"], ["c.csv"]]


def test_labels_count_where_they_decide():
    config = make_config(one=pairs(), two={"source": "confusions", "path": "c.csv"})
    plan = Plan(config, absent={})
    assert plan.references.labels("one") == []
    assert plan.references.labels("two") == "results/stimuli/orl.labels.h5"
    assert plan.references.stimuli("one") == "results/stimuli/orl.h5"
    assert "dataset" not in plan.references.entry("one")


def test_a_missing_file_stops_the_run_with_a_line():
    plan = Plan(make_config(one=pairs()))
    assert plan.absent == {}
    assert "results/references/one.h5" in targets.reports(plan)
    with pytest.raises(FacestagesError, match="references.one.path = 'pairs.csv': no such file"):
        plan.references.given("one")
    Path("pairs.csv").mkdir()
    with pytest.raises(FacestagesError, match="is a folder where a file is wanted"):
        Plan(make_config(one=pairs())).references.given("one")


def test_what_is_offered_is_left_out():
    plan = Plan(make_config(one=pairs(LICENSED)))
    assert plan.absent["references.one"].startswith(f"references.one.path = '{LICENSED}': no such")
    assert targets.reports(plan) == ["results/stimuli/orl.report.md"]


def test_what_is_made_of_it_does():
    Path("results/references").mkdir(parents=True)
    Path("results/references/one.h5").touch()
    assert Plan(make_config(one=pairs(LICENSED))).absent == {}


def test_a_reference_about_an_absent_face_set_is_absent():
    kdef = {"source": "kdef", "path": "resources/licensed/KDEF", "crop": None}
    config = make_config({"kdef": kdef}, one={"source": "simulated", "dataset": "kdef"} | {
        "label": "Simulated", "cite": "Simulated",
    })  # fmt: skip
    line = Plan(config).absent["references.one"]
    assert line.startswith("references.one is about a face set, datasets.kdef.path =")


def test_the_doctor_knows_the_files():
    config = make_config(one=pairs(), faces={"source": "jozwik", "path": "main"})
    listed = list_requirements(config, MANIFEST, read_gated())
    found = {requirement.key: requirement for requirement in listed}
    one, faces = found["references.one.path"], found["references.faces.path"]
    assert one.missing and one.needed_by == ["references.one"]
    assert "docs/how-to/people-and-brains.md" in one.request
    assert faces.what.startswith("Jozwik") and "osf.io/7bh6s" in faces.address
    waiting = {target.path: target.lacking for target in list_targets(config, listed)}
    assert waiting["results/references/one.h5"] == ["references.one.path"]


def test_every_kind_has_its_files():
    config = make_config(
        meg={"source": "rdms", "path": "r.npy", "conditions": "c.csv", "times": "t.csv"}
    )
    assert REFERENCES["rdms"].given.keys() == config.references["meg"].given().keys()


def test_memory_follows_from_shapes():
    stack = {"source": "rdms", "path": "r.npy", "conditions": "c.csv"}
    config = make_config(
        one=pairs(), meg=stack, mat=stack | {"path": "meg.mat"}, none=pairs("none.csv")
    )
    np.save("r.npy", np.zeros((4, 50, 100, 100), np.float32))
    Path("pairs.csv").write_bytes(b"x" * 1_000_000)
    Path("meg.mat").write_bytes(b"MATLAB 7.3 MAT-file".ljust(4_000_000))
    costs = Plan(config, absent={}).references
    assert costs.megabytes("meg") == memory.rdms(8_000_128, 4) == memory.rdms(2_000_032, 1)
    assert costs.megabytes("mat") == memory.rdms(1_000_000, 1)
    assert costs.megabytes("one") == memory.judgements(1_000_000) > costs.megabytes("none")
    simulated = {"source": "simulated", "label": "Simulated", "cite": "Simulated"}
    moments = make_config(one=simulated, two=simulated | {"times": {}})
    costs = Plan(moments, absent={}).references
    assert costs.megabytes("two") > costs.megabytes("one")

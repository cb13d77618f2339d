"""A corrected label shows no picture to a network again; a changed picture is shown to all."""

import csv
import os

import numpy as np
import pytest
from PIL import Image

from workflow_runner import jobs, link_downloads, run_snakemake

PEOPLE, EXPRESSIONS = 6, ("happy", "sad", "neutral")
STAGES = {"early": "batchnorm_1", "middle": "flatten", "penultimate": "dropout_4"}
CONFIG = {
    "datasets": {
        "own": {"source": "table", "table": "own/faces.csv", "norms": "norms.csv", "label": "Own"}
    },
    "networks": {
        "nn3": {
            "label": "NN3", "architecture": "light_cnn", "classes": list(EXPRESSIONS),
            "weights": "untrained", "stages": {**STAGES, "final": "out_layer"},
        },
        "pixels": {
            "label": "Pixels", "architecture": "pixels",
            "stages": dict.fromkeys((*STAGES, "final"), "pixels"),
        },
    },
    "analysis": {
        "components": [2, "all"], "permutations": 3, "activations": "keep", "gradcam_faces": 6,
    },
    "figures": {
        "fig2": {"dataset": "own", "network": "nn3", "stages": ["early", "penultimate"]},
        "fig4": {"datasets": ["own"], "networks": ["nn3", "pixels"], "components": 2},
        "fig5": {"dataset": "own", "networks": ["nn3"]},
        "fig7": {"dataset": "own", "networks": ["nn3"]},
    },
    "tables": {"table1": {"networks": ["nn3"], "datasets": ["own"], "test": "own"}},
}  # fmt: skip
FORWARD = {"record_activations": 2, "predict_expressions": 1, "explain_gradcam": 1}
# All that reads labels, and what follows from it.
MEASURES = {
    **{"score_separability": 2, "decode_labels": 2, "embed_umap": 1},
    **{"regress_affect": 1, "compare_layers": 1, "summarise_gradcam": 1},
    **{"make_gradcam_table": 1, "plot_fig2": 1, "plot_fig4": 1, "plot_fig5": 1, "plot_fig7": 1},
    **{"make_table1": 1, "judge_claims": 1, "report_stimuli": 1},
    **{"write_captions": 1, "make_explorer": 1, "make_report": 1, "all": 1},
}
LABELS = {"prepare_labels": 1, **MEASURES}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A finished run on pictures of one's own, with norms."""
    folder = tmp_path_factory.mktemp("own")
    link_downloads(folder)
    rows = write_faces(folder)
    rng = np.random.default_rng(1)
    norms = [(row[0], *rng.normal(size=2).round(2)) for row in rows]
    write_rows(folder / "norms.csv", [("picture", "valence", "arousal"), *norms])
    result = run_snakemake(folder, CONFIG, "all")
    assert result.returncode == 0, result.stderr
    assert planned(folder) == {}
    return folder


def write_faces(folder):
    """Write pictures of noise and their table; return its rows."""
    (folder / "own").mkdir()
    rng = np.random.default_rng(0)
    rows = [("path", "identity", "expression", "sex")]
    for person in range(PEOPLE):
        for expression in EXPRESSIONS:
            name = f"{person}-{expression}.png"
            noise = rng.integers(0, 256, (48, 48)).astype(np.uint8)
            Image.fromarray(noise).save(folder / "own" / name)
            rows.append((name, f"p{person}", expression, "fm"[person % 2]))
    write_rows(folder / "own/faces.csv", rows)
    return rows[1:]


def write_rows(path, rows):
    with open(path, "w", newline="") as stream:
        csv.writer(stream).writerows(rows)


def planned(folder, config=CONFIG, target="all"):
    return jobs(run_snakemake(folder, config, target, "--dry-run"))


def planned_with(folder, name, old, new, times=1, **options):
    """Jobs of a run after a change in a file, which is taken back."""
    path = folder / name
    text = path.read_bytes()
    assert text.count(old) >= 1
    path.write_bytes(text.replace(old, new, times))
    try:
        return planned(folder, **options)
    finally:
        path.write_bytes(text)


@pytest.mark.parametrize(
    ("old", "new"),
    [(b",happy,", b",sad,"), (b",p0,", b",p1,"), (b",f\r", b",m\r"), (b",sex\r", b",gender\r")],
)
def test_a_corrected_label_of_the_table(folder, old, new):
    assert planned_with(folder, "own/faces.csv", old, new) == LABELS


def test_corrected_norms(folder):
    assert planned_with(folder, "norms.csv", b"0-happy.png,", b"0-happy.png,1") == LABELS


def test_the_source_of_a_label(folder):
    entry = CONFIG["datasets"]["own"] | {"sources": {"expression": "posed"}}
    assert planned(folder, CONFIG | {"datasets": {"own": entry}}) == LABELS


def test_words_that_are_read_as_others(folder):
    entry = CONFIG["datasets"]["own"] | {"rename": {"expression": {"sad": "neutral"}}}
    assert planned(folder, CONFIG | {"datasets": {"own": entry}}) == LABELS


def test_a_touched_table(folder):
    (folder / "own/faces.csv").touch()
    assert planned(folder) == {}


def test_a_changed_picture(folder):
    path = folder / "own/0-sad.png"
    content, before = path.read_bytes(), path.stat()
    Image.fromarray(np.zeros((48, 48), np.uint8)).save(path)
    try:
        assert planned(folder) == FORWARD | LABELS | {"prepare_stimuli": 1, "measure_geometry": 2}
    finally:
        path.write_bytes(content)
        os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))


def test_another_name_of_a_picture(folder):
    """The name is part of what networks are shown."""
    plan = planned_with(folder, "own/faces.csv", b"0-sad.png", b"0-SAD.png")
    assert plan["prepare_stimuli"] == 1 and FORWARD.items() <= plan.items()


def test_a_sample_depends_on_people_and_on_no_other_label(tmp_path):
    """A large set; pixels alone, so that it is quick."""
    write_faces(tmp_path)
    pixels = {"pixels": CONFIG["networks"]["pixels"]}
    config = {
        "datasets": {"own": {"source": "table", "table": "own/faces.csv", "label": "Own"}},
        "networks": pixels,
        "analysis": CONFIG["analysis"] | {"most_pictures": 12},
        "figures": {"fig4": {"datasets": ["own"], "networks": ["pixels"], "components": 2}},
    }
    target = "results/separability/own/pixels/seed-0.csv"
    result = run_snakemake(tmp_path, config, target)
    assert result.returncode == 0, result.stderr
    assert "sample_stimuli" in result.stderr
    measured = {"prepare_labels": 1, "score_separability": 1}
    options = {"config": config, "target": target}
    assert planned(tmp_path, **options) == {}
    assert planned_with(tmp_path, "own/faces.csv", b",happy,", b",sad,", **options) == measured
    # Another name of a person; no number changes.
    new = planned_with(tmp_path, "own/faces.csv", b",p0,", b",q0,", -1, **options)
    again = {"sample_stimuli": 1, "record_activations": 1, "measure_geometry": 1}
    assert new == measured | again


def test_a_corrected_label_arrives_without_a_forward_pass(folder):
    """Not a dry run: after the others, as it changes the run."""
    recorded = sorted((folder / "results/activations").rglob("*.h5"))
    before = [path.stat().st_mtime_ns for path in recorded]
    table = folder / "own/faces.csv"
    table.write_bytes(table.read_bytes().replace(b",happy,", b",sad,", 1))
    scores = folder / "results/separability/own/nn3/seed-0.csv"
    old = scores.read_text()
    result = run_snakemake(folder, CONFIG, "results/separability/own/nn3/seed-0.csv")
    assert result.returncode == 0, result.stderr
    assert scores.read_text() != old
    assert [path.stat().st_mtime_ns for path in recorded] == before

"""The weights and cards that a training leaves for the project."""

import json
import zipfile
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from ml_dtypes import bfloat16

from facestages import model_card
from facestages.config import load_config
from facestages.networks import load_network
from facestages.networks.light_cnn import light_cnn
from facestages.networks.training import add_output
from facestages.stimuli import StimulusSet, write_stimuli
from facestages.tables import write_table

CLASSES = ["happy", "sad"]
FOLDER = Path("results/networks/nn/seed-0")


@pytest.fixture
def trained(tmp_path, monkeypatch):
    """What `train_network` leaves, without the training."""
    monkeypatch.chdir(tmp_path)
    rng = np.random.default_rng(0)
    labels = pd.DataFrame(
        {
            "stimulus_id": [f"s{i}" for i in range(40)],
            "expression": np.tile([*CLASSES, "fear", "sad"], 10),
            "split": np.repeat(["Training", "PublicTest", "PrivateTest", "PrivateTest"], 10),
        }
    )
    faces = StimulusSet(
        rng.integers(0, 256, (40, 48, 48), dtype=np.uint8),
        labels,
        {"expression": "file", "split": "file"},
    )
    folder = tmp_path / FOLDER
    folder.mkdir(parents=True)
    (tmp_path / "results/stimuli").mkdir()
    write_stimuli(tmp_path / "results/stimuli/fer.h5", faces, "fer")
    light_cnn(2, seed=3).save(folder / "model.keras")
    report = {"seed": 0, "epochs": 2, "best_epoch": 1, "n": 0, "accuracy": 0}
    (folder / "metrics.json").write_text(json.dumps(report))
    write_table(folder / "history.csv", pd.DataFrame({"epoch": [1, 2]}))
    splits = {"train": ["Training"], "validation": ["PublicTest"], "test": ["PrivateTest"]}
    network = {"label": "NN", "architecture": "light_cnn", "classes": CLASSES, "weights": "train"}
    network |= {"training": {"dataset": "fer", "splits": splits}, "stages": {"final": "out_layer"}}
    return load_config(
        {
            "datasets": {"fer": {"source": "fer2013", "path": "fer.csv"}},
            "networks": {"nn": network | {"stages": {"early": "flatten", "final": "out_layer"}}},
            "figures": {
                "fig4": {"datasets": ["fer"], "networks": ["nn"], "stages": ["early", "final"]}
            },
        }
    )


def test_weights_metrics_and_card(trained, tmp_path):
    model_card.main(trained, "nn", FOLDER, "By rule train_network.", tmp_path)
    entry = trained.networks["nn"]
    weights = tmp_path / "nn.weights.h5"
    assert weights.stat().st_size < 2_394_946 * 2.1, "two bytes a parameter"
    half = load_network("nn", **entry.source, weights=weights)
    whole = load_network("nn", **entry.source, weights=FOLDER)
    for a, b in zip(half.model.get_weights(), whole.model.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b.astype(np.float16).astype(np.float32))
    report = json.loads((tmp_path / "nn.json").read_text())
    labels = pd.read_csv(tmp_path / "nn.history.csv")
    assert list(labels["epoch"]) == [1, 2]
    confusion = np.array(report["confusion"])
    # Of every four pictures two are sad, one is happy, and one is of no class of the network.
    assert (report["validation"]["n"], report["n"], confusion.sum()) == (7, 15, 15)
    assert np.trace(confusion) / report["n"] == pytest.approx(report["accuracy"])
    assert sum(report["shares"].values()) == pytest.approx(1)
    assert report["training"]["batch_size"] == 32, "the config's settings, if no others are told"
    card = (tmp_path / "nn.md").read_text()
    prose = " ".join(card.split())
    happy = confusion[0, 0] / confusion[0].sum()
    for words in (
        "FER2013: split Training",
        f"{report['accuracy']:.2%}",
        "Chance is 50.0%",
        f"On PublicTest it is {report['validation']['accuracy']:.2%}",
        "By rule train_network. The settings:",
        f"| happy | 37.5% | {happy:.3f} | ",
    ):
        assert words in prose
    assert max(map(len, card.splitlines())) <= 100


def test_half_precision_stays_and_settings_of_another_training_are_told(trained, tmp_path):
    model_card.main(trained, "nn", FOLDER, "By rule train_network.", tmp_path)
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "nn.weights.h5").write_bytes((tmp_path / "nn.weights.h5").read_bytes())
    (elsewhere / "history.csv").write_bytes((FOLDER / "history.csv").read_bytes())
    report = {"seed": 0, "epochs": 2, "best_epoch": 1, "training": {"batch_size": 128}}
    (elsewhere / "metrics.json").write_text(json.dumps(report))
    again = tmp_path / "again"
    again.mkdir()
    model_card.main(trained, "nn", elsewhere, "By another loop.", again)
    assert (again / "nn.weights.h5").read_bytes() == (elsewhere / "nn.weights.h5").read_bytes()
    card = (again / "nn.md").read_text()
    assert "By another loop. The settings:" in card
    assert '"batch_size": 128' in card and '"rotation"' not in card


def test_instances_go_into_one_archive(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    rng = np.random.default_rng(0)
    labels = pd.DataFrame(
        {
            "stimulus_id": [f"s{i}" for i in range(48)],
            "identity": [f"p{i // 8}" for i in range(48)],
            "expression": np.tile(CLASSES, 24),
        }
    )
    images = rng.integers(0, 256, (48, 48, 48), dtype=np.uint8)
    sources = {"identity": "rendered", "expression": "rendered"}
    (tmp_path / "results/stimuli").mkdir(parents=True)
    faces = StimulusSet(images, labels, sources)
    write_stimuli(tmp_path / "results/stimuli/wild.h5", faces, "wild")
    recipe = {
        "dataset": "wild",
        "label": ["expression", "identity"],
        "holdout": {"share": 0.25, "stratify": ["identity"], "strangers": 0.5},
    }
    network = {"label": "Both", "architecture": "light_cnn", "weights": "train"}
    network |= {"seeds": [0, 1], "training": recipe, "classes": CLASSES}
    config = load_config(
        {
            "datasets": {"wild": {"source": "rendered", "design": "wild", "label": "Wild people"}},
            "networks": {"both": network | {"stages": {"early": "flatten", "final": "out_layer"}}},
            "figures": {
                "fig4": {"datasets": ["wild"], "networks": ["both"], "stages": ["early", "final"]}
            },
        }
    )
    trained = tmp_path / "results/networks/both"
    for seed in (0, 1):
        folder = trained / f"seed-{seed}"
        folder.mkdir(parents=True)
        add_output(light_cnn(2, seed=seed), 3, "identity").save(folder / "model.keras")
        report = {"seed": seed, "epochs": 2, "best_epoch": 1}
        (folder / "metrics.json").write_text(json.dumps(report))
    model_card.main(config, "both", trained, "By rule train_network.", tmp_path)
    with zipfile.ZipFile(tmp_path / "both.zip") as archive:
        assert archive.namelist() == ["seed-0.keras", "seed-1.keras"]
        archive.extractall(tmp_path)
    assert (tmp_path / "both.zip").stat().st_size < 2 * 2_394_946 * 1.7
    entry = config.networks["both"]
    packed = load_network("both", **entry.source, weights=tmp_path / "seed-1.keras")
    whole = load_network("both", **entry.source, weights=trained / "seed-1")
    assert packed.layers["out_identity"] == (3,) and packed.layers["out_layer"] == (2,)
    for a, b in zip(packed.model.get_weights(), whole.model.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b.astype(bfloat16).astype(np.float32))
    report = json.loads((tmp_path / "both.seed-1.json").read_text())
    assert report["seed"] == 1 and report["identity"]["people"] == 3
    card = (tmp_path / "both.md").read_text()
    assert f"{report['verification']['auc']:.3f}" in card and "Chance is 50.0% and 33.3%" in card
    assert "expressions (happy, sad) and people (3)" in card and "Strangers are 3 people" in card
    assert "no use for photographs" in card

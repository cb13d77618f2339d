"""The weights and cards that a training leaves for the project."""

import json

import numpy as np
import pandas as pd
import pytest

from facestages import model_card
from facestages.config import load_config
from facestages.networks import load_network
from facestages.networks.light_cnn import light_cnn
from facestages.plan.networks import weights_file
from facestages.stimuli import StimulusSet, write_stimuli
from facestages.tables import write_table

CLASSES = ["happy", "sad"]


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
    folder = tmp_path / "results/networks/nn/seed-0"
    folder.mkdir(parents=True)
    (tmp_path / "results/stimuli").mkdir()
    write_stimuli(tmp_path / "results/stimuli/fer.h5", faces, "fer")
    light_cnn(2, seed=3).save(folder / "model.keras")
    report = {"seed": 0, "classes": CLASSES, "n_train": 7, "epochs": 2, "best_epoch": 1}
    report |= {"parameters": 2_394_946, "versions": "python 3", "n": 0, "accuracy": 0}
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
    model_card.main(trained, "nn", 0, "abc123", tmp_path)
    entry = trained.networks["nn"]
    weights = tmp_path / "nn.weights.h5"
    assert weights.stat().st_size < 2_394_946 * 2.1, "two bytes a parameter"
    half = load_network("nn", **entry.source, weights=weights)
    whole = load_network("nn", **entry.source, weights=weights_file(trained, "nn", 0))
    for a, b in zip(half.model.get_weights(), whole.model.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b.astype(np.float16).astype(np.float32))
    report = json.loads((tmp_path / "nn.json").read_text())
    labels = pd.read_csv(tmp_path / "nn.history.csv")
    assert list(labels["epoch"]) == [1, 2]
    confusion = np.array(report["confusion"])
    assert confusion.sum() == report["n"] <= 20
    assert np.trace(confusion) / report["n"] == pytest.approx(report["accuracy"])
    assert sum(report["shares"].values()) == pytest.approx(1)
    card = (tmp_path / "nn.md").read_text()
    for words in ("FER2013: split Training", f"{report['accuracy']:.2%}", "abc123", "| happy | "):
        assert words in card
    assert max(map(len, card.splitlines())) <= 100

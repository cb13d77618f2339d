"""The weights that come with the project are what their cards say."""

import hashlib
import io
import json
import tarfile
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from facestages.assets import RESOURCES, read_manifest
from facestages.config import load_config
from facestages.model_card import model_card
from facestages.networks import load_network
from workflow_runner import REPOSITORY

FER2013 = Path(__file__).parents[3] / "shared" / "data" / "fer2013.tar.xz"
MANIFEST = read_manifest(RESOURCES / "manifest.yaml")
NETWORKS = load_config(REPOSITORY / "config" / "config.yaml").networks
TRAINED = load_config(REPOSITORY / "config" / "fer2013.yaml").networks


def open_shipped(name):
    path = RESOURCES / MANIFEST[name]["source"]["file"]
    return load_network(name, **NETWORKS[name].source, weights=path)


@pytest.mark.parametrize("name", ["nn1", "nn2"])
def test_files_fit_together(name):
    entry = MANIFEST[name]
    content = (RESOURCES / entry["source"]["file"]).read_bytes()
    assert (len(content), hashlib.sha256(content).hexdigest()) == (entry["bytes"], entry["sha256"])
    report = json.loads((RESOURCES / entry["metrics"]).read_text())
    assert report["classes"] == NETWORKS[name].classes
    confusion = np.array(report["confusion"])
    assert np.trace(confusion) / confusion.sum() == pytest.approx(report["accuracy"])
    history = pd.read_csv(RESOURCES / "weights" / f"{name}.history.csv")
    best = history["epoch"][history["validation_accuracy"].idxmax()]
    assert (best, len(history)) == (report["best_epoch"], report["epochs"])
    card = (RESOURCES / "weights" / f"{name}.md").read_text()
    assert card == model_card(name, TRAINED[name], report)


@pytest.fixture(scope="module")
def private_test():
    """PrivateTest of FER2013: pictures and their expressions."""
    images, expressions = [], []
    with tarfile.open(FER2013) as archive:
        for member in archive:
            path = Path(member.name)
            if path.name.startswith("PrivateTest_"):
                picture = Image.open(io.BytesIO(archive.extractfile(member).read()))
                images.append(np.asarray(picture.convert("L")))
                expressions.append(path.parent.name)
    return np.stack(images), np.array(expressions)


@pytest.mark.skipif(not FER2013.exists(), reason="FER2013 may not be passed on")
@pytest.mark.parametrize("name", ["nn1", "nn2"])
def test_accuracy_on_the_photographs(name, private_test):
    images, expressions = private_test
    network, classes = open_shipped(name), np.array(NETWORKS[name].classes)
    report = json.loads((RESOURCES / MANIFEST[name]["metrics"]).read_text())
    known = np.flatnonzero(np.isin(expressions, classes))
    assert len(known) == report["n"]
    outputs = [
        network.record(images[known[i : i + 256]], ["out_layer"])["out_layer"]
        for i in range(0, len(known), 256)
    ]
    answers = classes[np.concatenate(outputs).argmax(axis=1)]
    accuracy = (answers == expressions[known]).mean()
    assert accuracy == pytest.approx(report["accuracy"], abs=0.001)

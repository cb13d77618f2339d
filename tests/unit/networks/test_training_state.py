"""State of a training: plateau, stopping, learning rate; its copy on disk has one writer."""

import json
import os
from pathlib import Path

import numpy as np
import pytest

from facestages.config.training import Training
from facestages.errors import FacestagesError
from facestages.networks import training_state as module
from facestages.networks.training_state import (
    Checkpoint,
    TrainingState,
    learning_rate,
    remove_checkpoint,
)


def test_plateau_and_stopping_follow_keras():
    recipe = Training(dataset="x", plateau_patience=2, stopping_patience=4, epochs=100)
    state = TrainingState(rate=1.0)
    rates, epochs = [], 0
    for accuracy in [0.5, 0.6, 0.6, 0.6, 0.6, 0.6, 0.6]:
        if state.stopped(recipe):
            break
        state.end_epoch(accuracy, recipe)
        rates.append(state.rate)
        epochs += 1
    assert rates == [1, 1, 1, 0.5, 0.5, 0.25]
    assert (epochs, state.best_epoch) == (6, 2)


@pytest.mark.parametrize("warmup", [0.0, 1.0])
def test_cosine_with_warmup(warmup):
    recipe = Training(
        dataset="x", schedule="cosine", warmup_epochs=warmup, epochs=5, learning_rate=0.5
    )
    rates = np.array([float(learning_rate(recipe, 10)(step)) for step in range(50)])
    top = int(10 * warmup)
    assert np.all(np.diff(rates[: top + 1]) > 0) and np.all(np.diff(rates[top:]) < 0)
    assert rates[top] == pytest.approx(0.5)
    cosine = 0.25 * (1 + np.cos(np.pi * np.arange(50 - top) / (50 - top)))
    np.testing.assert_allclose(rates[top:], cosine, atol=1e-6)
    assert learning_rate(recipe.model_copy(update={"schedule": "plateau"}), 10) == 0.5


# ------------------------------------------------------------------------------- on disk


class Weights:
    """Stands for a model: a text that knows how to be saved."""

    def __init__(self, text):
        self.text = text

    def save(self, path):
        Path(path).write_text(self.text)


@pytest.fixture
def start(tmp_path, monkeypatch):
    """A function that begins a training, as a process of its own does, and resumes it."""
    monkeypatch.setattr(module.keras.models, "load_model", lambda path, **_: path.read_text())

    def begin(name, fingerprint="recipe"):
        monkeypatch.setattr(module, "_OWN", name)
        checkpoint = Checkpoint(tmp_path / "place", fingerprint)
        return checkpoint, checkpoint.load()

    return begin


def save(checkpoint, epoch, text, improved=True):
    best = epoch if improved else 1
    state = TrainingState(epoch=epoch, best_epoch=best, history=[{"loss": 0.1 + epoch}])
    checkpoint.save(state, Weights(text), improved)
    return state


def test_a_training_goes_on_after_the_last_complete_epoch(tmp_path, start):
    first, nothing = start("first")
    assert nothing is None
    save(first, 1, "one")
    state = save(first, 2, "two", improved=False)
    second, resumed = start("second")
    assert resumed == (state, "two")
    assert second.best(state).read_text() == "one"
    assert os.listdir(tmp_path / "place") == ["second"]


@pytest.mark.parametrize("fingerprint", ["recipe", "another recipe"])
def test_an_earlier_training_that_still_works_ends_with_its_epoch(start, fingerprint):
    first, _ = start("first")
    save(first, 1, "one")
    second, _ = start("second", fingerprint)
    with pytest.raises(FacestagesError, match="another run trains this network now"):
        save(first, 2, "two")
    state = save(second, 1, "other")
    assert second.best(state).read_text() == "other"


def test_a_training_taken_over_amid_its_epoch_ends(start):
    first, _ = start("first")

    class Slow(Weights):
        def save(self, path):
            start("second", "another recipe")
            super().save(path)

    with pytest.raises(FacestagesError, match="another run"):
        first.save(TrainingState(epoch=1, best_epoch=1), Slow("one"), True)
    assert start("third")[1] is None


def test_the_longest_training_is_taken(tmp_path, start):
    first, _ = start("first")
    save(first, 1, "one")
    (tmp_path / "place" / "first").rename(tmp_path / "kept")
    second, _ = start("second")
    save(second, 1, "one")
    save(second, 2, "two")
    (tmp_path / "kept").rename(tmp_path / "place" / "first")
    assert start("third")[1][0].epoch == 2


@pytest.mark.parametrize("change", ["bit", "cut", "best"])
def test_a_damaged_checkpoint_is_not_used(start, change):
    first, _ = start("first")
    state = save(first, 1, "one")
    path = first.folder / "state.json"
    if change == "bit":
        saved = json.loads(path.read_text())
        saved["state"]["rate"] = 0.5
        path.write_text(json.dumps(saved))
    elif change == "cut":
        path.write_text(path.read_text()[:-1])
    else:
        first.best(state).unlink()
    assert start("second")[1] is None


def test_what_is_removed_is_the_own_training(tmp_path, start, monkeypatch):
    first, _ = start("first")
    start("second")
    monkeypatch.setattr(module, "_OWN", "first")
    remove_checkpoint(tmp_path / "place")
    assert os.listdir(tmp_path / "place") == ["second"]
    monkeypatch.setattr(module, "_OWN", "second")
    remove_checkpoint(tmp_path / "place")
    assert not (tmp_path / "place").exists()

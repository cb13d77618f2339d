"""State of a training: plateau, stopping, learning rate."""

import numpy as np
import pytest

from facestages.config.networks import Training
from facestages.networks.training_state import TrainingState, learning_rate


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


def test_cosine_with_warmup():
    recipe = Training(dataset="x", schedule="cosine", warmup_epochs=1.0, epochs=5)
    rates = [learning_rate(step, 10, 1.0, recipe) for step in range(50)]
    assert np.all(np.diff(rates[:11]) > 0) and np.all(np.diff(rates[10:]) < 0)
    assert rates[10] == pytest.approx(1)
    assert rates[-1] < 0.01

"""Pixels."""

import numpy as np
import pytest

from facestages.networks import load_network


@pytest.fixture(scope="module")
def faces():
    return np.random.default_rng(0).integers(0, 255, (5, 48, 48), dtype=np.uint8)


def test_pixels_are_a_network_too(faces):
    network = load_network("pixels", architecture="pixels")
    recorded = network.record(faces, ["pixels"])["pixels"]
    np.testing.assert_allclose(recorded[..., 0], faces / 255, rtol=1e-6)

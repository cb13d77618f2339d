"""The pictures themselves as a network of one layer: the floor that every network stands on."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from facestages.architectures import InputSpec
from facestages.networks.inputs import prepare_images


class PixelsNetwork:
    """Gives the prepared pictures back, as layer ``pixels``."""

    weights_digest = "no weights"
    batch = 32
    side_by_side = True

    def __init__(self, name: str, input: InputSpec) -> None:
        self.name = name
        self.input = input
        self.layers = {"pixels": (input.size, input.size, input.channels)}
        self.kinds = {"pixels": "Input"}
        self.parameters = {"pixels": 0}
        self.n_parameters = 0

    def record(self, images: np.ndarray, layers: Sequence[str]) -> dict[str, np.ndarray]:
        """The pictures, resized and scaled, under the name of each layer asked for."""
        return dict.fromkeys(layers, prepare_images(images, self.input))

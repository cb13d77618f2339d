"""The pictures themselves as a network of one layer, with which every network is compared."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NoReturn

import numpy as np

from facestages.architectures import InputSpec
from facestages.errors import FacestagesError
from facestages.networks.inputs import prepare_images


class PixelsNetwork:
    """A `networks.Network` whose one layer, ``pixels``, is its input."""

    weights_digest = "no weights"
    batch = 32
    side_by_side = True

    def __init__(self, name: str, input: InputSpec) -> None:
        self.name = name
        self.input = input
        self.layers = {"pixels": input.shape}
        self.kinds = {"pixels": "Input"}
        self.parameters = {"pixels": 0}
        self.n_parameters = 0
        self.unlisted = {}

    def record(self, images: np.ndarray, layers: Sequence[str]) -> dict[str, np.ndarray]:
        """The pictures, resized and scaled, under the name of each layer."""
        return dict.fromkeys(layers, prepare_images(images, self.input))

    def differentiate(self, *_: object) -> NoReturn:
        """Refuse: pixels answer nothing."""
        raise FacestagesError(
            f"network {self.name}: has no answer that Grad-CAM could explain; leave it out"
        )

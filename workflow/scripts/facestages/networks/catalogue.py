"""What is known of each architecture without loading it.

The config is checked against this, so nothing here imports more than the standard library.
"""

from __future__ import annotations

from dataclasses import dataclass

from facestages.errors import FacestagesError, did_you_mean
from facestages.expressions import EXPRESSIONS

#: From grey values 0-255 to what the network was trained on: ``value * factor + shift``.
SCALINGS = {
    "unit": (1 / 255, 0.0),  # 0 to 1
    "symmetric": (2 / 255, -1.0),  # -1 to 1
    "none": (1.0, 0.0),  # 0 to 255
}


@dataclass(frozen=True)
class InputSpec:
    """What a network expects.

    Attributes
    ----------
    size : int
        Rows and columns of its square input.
    channels : int
        1 (grey) or 3 (RGB).
    scaling : str
        A name in `SCALINGS`.
    """

    size: int
    channels: int
    scaling: str = "unit"

    def __post_init__(self) -> None:
        if self.channels not in (1, 3):
            raise FacestagesError(f"input channels must be 1 or 3, not {self.channels}")
        if self.scaling not in SCALINGS:
            raise FacestagesError(
                f"no input scaling '{self.scaling}': {did_you_mean(self.scaling, SCALINGS)}"
            )


@dataclass(frozen=True)
class Architecture:
    """What is known of a network before it is loaded.

    Attributes
    ----------
    framework : str
        ``"keras"``, ``"torch"`` or ``"numpy"``; decides the environment of its jobs.
    input : InputSpec
    widths : dict of str to int
        Units of every layer that can be recorded, from input to output; 0 where it depends on the
        number of classes or on the input size.
    classes : tuple of str or None
        Output classes of the published weights; None if the config says them.
    """

    framework: str
    input: InputSpec
    widths: dict[str, int]
    classes: tuple[str, ...] | None = None


def _light_cnn_widths() -> dict[str, int]:
    widths = {}
    for block, (side, filters) in enumerate([(48, 64), (24, 128), (12, 256)], start=1):
        for conv in (2 * block - 1, 2 * block):
            for name in (f"conv2d_{conv}", f"batchnorm_{conv}"):
                widths[name] = side * side * filters
        for name in (f"maxpool2d_{block}", f"dropout_{block}"):
            widths[name] = (side // 2) ** 2 * filters
    dense = dict.fromkeys(("dense_1", "batchnorm_7", "dropout_4"), 128)
    return {**widths, "flatten": 6 * 6 * 256, **dense, "out_layer": 0}


def _mini_xception_widths() -> dict[str, int]:
    widths = {}
    for conv, side in ((1, 62), (2, 60)):
        for name in ("conv2d", "batch_normalization", "activation"):
            widths[f"{name}_{conv}"] = side * side * 8
    for block, (side, filters) in enumerate([(60, 16), (30, 32), (15, 64), (8, 128)], start=1):
        # The numbers are those of the published file: each block's shortcut took its number first.
        shortcut, first, second = 3 * block, 3 * block + 1, 3 * block + 2
        inside = (
            f"separable_conv2d_{2 * block - 1}",
            f"batch_normalization_{first}",
            f"activation_{block + 2}",
            f"separable_conv2d_{2 * block}",
            f"batch_normalization_{second}",
        )
        pooled = (
            f"conv2d_{block + 2}",
            f"max_pooling2d_{block}",
            f"batch_normalization_{shortcut}",
            f"add_{block}",
        )
        widths |= dict.fromkeys(inside, side * side * filters)
        widths |= dict.fromkeys(pooled, ((side + 1) // 2) ** 2 * filters)
    return {**widths, "conv2d_7": 4 * 4 * 7, "global_average_pooling2d_1": 7, "predictions": 7}


#: The architectures that a config can name.
ARCHITECTURES = {
    "light_cnn": Architecture("keras", InputSpec(48, 1, "unit"), _light_cnn_widths()),
    "mini_xception": Architecture(
        "keras", InputSpec(64, 1, "symmetric"), _mini_xception_widths(), EXPRESSIONS
    ),
    "pixels": Architecture("numpy", InputSpec(48, 1, "unit"), {"pixels": 0}),
}

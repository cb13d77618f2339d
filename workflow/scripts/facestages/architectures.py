"""Facts about each architecture that hold before it is loaded.

The config is checked against this, so nothing here imports more than the standard library.
"""

from __future__ import annotations

import difflib
import fnmatch
import functools
import json
import math
import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from facestages.errors import FacestagesError, did_you_mean, shorten
from facestages.expressions import EXPRESSIONS

#: From values 0-255 to what a network was trained on: ``value * factor + shift``, the same for all
#: channels or one number for each of red, green and blue.
SCALINGS = {
    "unit": (1 / 255, 0.0),  # 0 to 1
    "symmetric": (2 / 255, -1.0),  # -1 to 1
    "none": (1.0, 0.0),  # 0 to 255
    # Mean 0 and deviation 1 over ImageNet, as torchvision's networks expect.
    "imagenet": (
        tuple(1 / (255 * sd) for sd in (0.229, 0.224, 0.225)),
        tuple(-mean / sd for mean, sd in ((0.485, 0.229), (0.456, 0.224), (0.406, 0.225))),
    ),
    # Mean 0 over ImageNet, then in the order blue, green, red, as in Caffe.
    "caffe": (1.0, (-123.68, -116.779, -103.939)),
}

#: Scalings whose networks take blue first.
BLUE_FIRST = ("caffe",)


def factor_and_shift(scaling: str | Mapping) -> tuple[float | tuple, float | tuple]:
    """A scaling as in `SCALINGS`, of its name or of the mean and deviation of values 0 to 1."""
    if isinstance(scaling, str):
        return SCALINGS[scaling]
    pairs = list(zip(scaling["mean"], scaling["deviation"], strict=True))
    return tuple(1 / (255 * sd) for _, sd in pairs), tuple(-mean / sd for mean, sd in pairs)


# A network of fewer layers is listed in a message.
_FEW = 20

_LAYERS = Path(__file__).with_name("layers.json")


@dataclass(frozen=True)
class InputSpec:
    """What a network expects at its input."""

    #: Rows and columns of a square input, or the two.
    size: int | tuple[int, int]
    #: 1 (grey) or 3 (RGB).
    channels: int
    #: A name in `SCALINGS`; or ``mean`` and ``deviation`` of each channel, of values 0 to 1, which
    #: become 0 and 1.
    scaling: str | Mapping[str, Sequence[float]] = "unit"
    #: Whether pictures are shown in grey, their luminance in all channels; always with one channel.
    grey: bool = False

    def __post_init__(self) -> None:
        if self.channels == 1:
            object.__setattr__(self, "grey", True)
        if not isinstance(self.size, int):
            # As the config has it, the pair is a list.
            object.__setattr__(self, "size", tuple(self.size))
            if len(self.size) != 2:
                raise FacestagesError(
                    f"input size must be one number or [rows, columns], not {list(self.size)}"
                )
        if self.channels not in (1, 3):
            raise FacestagesError(f"input channels must be 1 or 3, not {self.channels}")
        if not isinstance(self.scaling, str):
            lengths = {len(self.scaling[key]) for key in ("mean", "deviation")}
            if lengths != {self.channels}:
                raise FacestagesError(
                    f"input scaling needs {self.channels} of 'mean' and of 'deviation', one for "
                    f"each channel"
                )
            return
        if self.scaling not in SCALINGS:
            raise FacestagesError(
                f"no input scaling '{self.scaling}': {did_you_mean(self.scaling, SCALINGS)}"
            )
        if self.channels == 1 and isinstance(SCALINGS[self.scaling][1], tuple):
            raise FacestagesError(f"input scaling '{self.scaling}' is for 3 channels, not 1")

    @property
    def shape(self) -> tuple[int, int, int]:
        """Rows, columns and channels."""
        rows, columns = self.size if isinstance(self.size, tuple) else (self.size, self.size)
        return rows, columns, self.channels

    @property
    def pixels(self) -> int:
        """Number of pixels of a picture."""
        return math.prod(self.shape[:2])


@dataclass(frozen=True)
class Zoo:
    """A library of networks by name, which knows their input and where their weights are."""

    #: Its name in tables and reports.
    title: str
    framework: str
    #: The package to be installed, whose version counts for what is made with its networks.
    package: str
    #: What all its weights were trained on; None where that differs.
    trained_on: str | None = None


#: By the key of the config that names one of its networks.
ZOOS = {
    "timm": Zoo("timm", "torch", "timm"),
    "torchvision": Zoo("torchvision", "torch", "torchvision", "ImageNet"),
    "keras_application": Zoo("Keras Applications", "keras", "keras", "ImageNet"),
}

#: How to install the libraries that the project does without; the extra ``zoo`` in pyproject.toml.
INSTALL_ZOO = "pip install timm==1.0.31 torchvision==0.28.0, or run with --sdm conda"

#: Words that the config may give as ``weights`` of such a network.
ZOO_WEIGHTS = ("pretrained", "untrained")

#: What is assumed of the input of such a network until its library is asked.
ZOO_INPUT = InputSpec(224, 3, "imagenet")


@dataclass(frozen=True)
class Architecture:
    """Facts about a network that hold before it is loaded."""

    #: ``"keras"``, ``"torch"`` or ``"numpy"``; decides the environment of its jobs.
    framework: str
    input: InputSpec
    #: ``package.module:function`` that builds it; None where only its weights file can, or a zoo.
    builder: str | None = None
    #: A key of `ZOOS`, and its name there.
    zoo: tuple[str, str] | None = None
    #: Output classes of the published weights; None if the config names them, or if they are no
    #: expressions.
    classes: tuple[str, ...] | None = None
    #: Units of the output layer after the classes: valence and arousal, or nothing.
    affect: tuple[str, ...] = ()
    #: Words that the config may give as ``weights``, beside an asset and a path.
    weights: tuple[str, ...] = ("untrained",)
    #: It is built for as many classes as the config names.
    any_classes: bool = False
    #: It can be built narrower than published.
    any_width: bool = False


#: The architectures that a config can name.
ARCHITECTURES = {
    "light_cnn": Architecture(
        "keras",
        InputSpec(48, 1, "unit"),
        "facestages.networks.light_cnn:light_cnn",
        weights=("train", "untrained"),
        any_classes=True,
    ),
    "mini_xception": Architecture(
        "keras", InputSpec(64, 1, "symmetric"), classes=EXPRESSIONS, weights=()
    ),
    "hse_mobilenet": Architecture(
        "keras", InputSpec(224, 3, "caffe"), "facestages.networks.hse_mobilenet:hse_mobilenet"
    ),
    "vgg16": Architecture(
        "keras",
        InputSpec(224, 3, "caffe"),
        zoo=("keras_application", "VGG16"),
        weights=ZOO_WEIGHTS,
    ),
    "resmasknet": Architecture(
        "torch",
        # It was trained on the grey pictures of FER2013, put into three channels.
        InputSpec(224, 3, "unit", grey=True),
        "facestages.networks.resmasknet:ResMaskNet",
        classes=EXPRESSIONS,
        any_width=True,
    ),
    "emofan": Architecture(
        "torch",
        InputSpec(256, 3, "unit"),
        "facestages.networks.emofan:EmoFAN",
        classes=("neutral", "happy", "sad", "surprise", "fear", "disgust", "angry", "contempt"),
        affect=("valence", "arousal"),
        any_width=True,
    ),
    "efficientnet_lite0": Architecture(
        "torch",
        InputSpec(224, 3, "symmetric"),
        "facestages.networks.efficientnet_lite0:EfficientNetLite0",
    ),
    "pixels": Architecture("numpy", InputSpec(48, 1, "unit"), weights=()),
}


@functools.cache
def known_layers() -> dict[str, dict[str, list[int]]]:
    """By architecture: every layer that can be recorded, from input to output, and its shape.

    Shapes are those at the published number of classes and width. ``make generated`` reads them
    from the networks themselves.
    """
    return json.loads(_LAYERS.read_text(encoding="utf-8"))


def layer_widths(architecture: str) -> dict[str, int]:
    """Units of every layer of an architecture, from input to output."""
    return {layer: math.prod(shape) for layer, shape in known_layers()[architecture].items()}


def is_address(text: str) -> bool:
    """Whether text is ``package.module:function``, and no path."""
    return re.fullmatch(r"[\w.]+:\w+", text) is not None


def select_layers(
    available: Collection[str], wanted: Iterable[str], reasons: Mapping[str, str] | None = None
) -> list[str]:
    """Those `available` layers, in this order, that exact names or globs (``conv2d_*``) choose.

    A glob takes whole layers. Parts of layers (``block[1]``, ``norm@cls``) are taken by a glob that
    names the part (``block*[1]``, ``norm*@cls``).

    Parameters
    ----------
    available : collection of str
    wanted : iterable of str
    reasons : mapping of str to str, optional
        Why what is not available is not, by its name.

    Raises
    ------
    FacestagesError
        If something names no layer.
    """
    chosen = set()
    for name in wanted:
        matching = {name} if name in available else _match(name, available)
        if not matching:
            raise FacestagesError(f"no layer '{name}': {explain_missing(name, available, reasons)}")
        chosen |= matching
    return [layer for layer in available if layer in chosen]


def _match(glob: str, available: Collection[str]) -> set[str]:
    chosen, _, part = glob.partition("@")
    layers = [layer for layer in available if layer.partition("@")[2] == part]
    # Square brackets mean the name of a part, where there are such parts, and else a set of signs.
    parts = [layer for layer in layers if "[" in layer]
    literal = glob.replace("[", "[[]")
    if "[" in chosen and (found := fnmatch.filter(parts, literal)):
        return set(found)
    return set(fnmatch.filter([layer for layer in layers if "[" not in layer], glob))


def explain_missing(
    name: str, available: Collection[str], reasons: Mapping[str, str] | None = None
) -> str:
    """Why a network has no layer of this name, or else the nearest names that it has."""
    if reason := (reasons or {}).get(name):
        return reason
    if not available:
        return "it has none at all; 'snakemake list_layers --config network=NAME' says why"
    layers = [layer for layer in available if ("@" in layer) == ("@" in name)]
    hint = suggest_layers(name, available)
    if len(layers) > _FEW:
        return f"{hint} 'snakemake list_layers --config network=NAME' prints all".lstrip()
    return f"{hint} Allowed: {', '.join(map(shorten, layers)) or 'none'}".lstrip()


def suggest_layers(name: str, layers: Iterable[str]) -> str:
    """Ask whether one of the layers with the nearest names was meant; empty if none is near."""
    near = [f"'{shorten(layer)}'" for layer in nearest_layers(name, layers)]
    return f"did you mean {' or '.join(near)}?" if near else ""


def nearest_layers(name: str, available: Iterable[str], most: int = 3) -> list[str]:
    """Names of layers that resemble `name`, the nearest first.

    ``layer4`` may mean ``encoder.layer4``, and ``blocks`` the layers inside. Other names are as
    deep as `name`, and parts (``block[1]``) are not near whole layers.
    """
    layers = [each for each in available if all((s in each) == (s in name) for s in "[@")]
    same = [each for each in layers if f".{each}".endswith(f".{name}")]
    same += [each for each in layers if f".{name}".endswith(f".{each}")]
    inside = [e for e in layers if e.startswith(f"{name}.") and "." not in e[len(name) + 1 :]]
    above = name.rpartition(".")[0]
    level = [each for each in layers if each.count(".") == name.count(".")]
    beside = [each for each in level if each.rpartition(".")[0] == above]
    near = difflib.get_close_matches(name, beside if above and beside else level, most, 0.5)
    return list(dict.fromkeys([*same, *near, *inside]))[:most]

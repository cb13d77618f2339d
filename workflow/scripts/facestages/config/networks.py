"""Networks in the config: architecture, weights, training, stages."""

from __future__ import annotations

import fnmatch
import re
from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import Field, ValidationInfo, model_validator

from facestages.architectures import (
    ARCHITECTURES,
    SCALINGS,
    InputSpec,
    explain_missing,
    layer_widths,
)
from facestages.config.section import (
    NAME,
    RENAMED,
    Count,
    Name,
    Section,
    Share,
    mistake,
    renamed,
)
from facestages.errors import FacestagesError, did_you_mean
from facestages.text import line_problem, shorten


class Augmentation(Section):
    """Random changes of the training pictures."""

    rotation: float = Field(15.0, ge=0, description="Largest angle, degrees.")
    shift: float = Field(0.15, ge=0, lt=1, description="Largest shift, share of the width.")
    shear: float = Field(
        0.15, ge=0, description="Largest shear angle, degrees (as Keras' ImageDataGenerator)."
    )
    zoom: float = Field(0.15, ge=0, lt=1, description="Largest change of scale, share.")
    flip: bool = Field(True, description="Mirror half of the pictures.")


class Holdout(Section):
    """A random part of the face set that training never sees."""

    share: Share = Field(0.1, description="Share held out.")
    by: Literal["stimulus", "identity"] = Field(
        "stimulus", description="Hold out pictures (stratified by expression) or whole people."
    )
    seed: int = Field(42, description="Seed of the choice.")


class Splits(Section):
    """Named splits of the face set (its label `split`)."""

    train: list[str] = Field(min_length=1, description="Splits to train on.")
    validation: list[str] = Field(min_length=1, description="Splits that choose the epoch.")
    test: list[str] = Field(min_length=1, description="Splits for the reported accuracy.")

    @model_validator(mode="after")
    def _held_out(self) -> Splits:
        shared = set(self.train) & {*self.validation, *self.test}
        if shared:
            raise ValueError(f"split '{min(shared)}' is trained on and cannot be held out as well")
        return self


class Training(Section):
    """How a network is trained. The defaults are the published recipe."""

    dataset: str = Field(description="Face set to train on.")
    holdout: Holdout = Field(
        Holdout(), description="Held-out part; chooses the epoch and gives the accuracy."
    )
    splits: Splits | None = Field(None, description="Named splits instead of `holdout`.")
    epochs: Count = Field(100, description="Largest number of epochs.")
    batch_size: Count = Field(32, description="Pictures a step.")
    learning_rate: float = Field(1e-3, gt=0, description="Adam's learning rate.")
    schedule: Literal["plateau", "cosine"] = Field(
        "plateau", description="Halve when validation accuracy stalls, or fall along a cosine."
    )
    warmup_epochs: float = Field(0.0, ge=0, description="Linear rise of the rate at the start.")
    plateau_patience: Count = Field(7, description="Epochs without gain before the rate halves.")
    minimum_rate: float = Field(1e-7, gt=0, description="The rate never falls below this.")
    stopping_patience: Count | None = Field(
        11, description="Epochs without gain before training stops; never if null."
    )
    minimum_gain: float = Field(5e-5, ge=0, description="Smallest gain that counts for stopping.")
    augmentation: Augmentation = Field(Augmentation(), description="Random picture changes.")
    class_weights: Literal["none", "balanced"] | dict[str, float] = Field(
        "none", description="Weight of each class in the loss."
    )
    shuffle_labels: bool = Field(
        False,
        description="Train on expressions that are dealt out to the pictures by chance: a control "
        "that sees as many faces, and learns nothing about expressions.",
    )
    backend: Literal["tensorflow", "torch", "jax"] = Field(
        "tensorflow", description="What Keras computes with; choose one that knows the accelerator."
    )
    precision: Literal["float32", "mixed_bfloat16", "mixed_float16"] = Field(
        "float32",
        description="Arithmetic of the layers. Mixed precision is faster on accelerators and on "
        "processors with AVX512-BF16; weights are kept in float32 all the same.",
    )


class Input(Section):
    """What a network expects at its input."""

    size: Count = Field(description="Rows and columns.")
    channels: Literal[1, 3] = Field(description="1 grey, 3 RGB.")
    scaling: Literal[tuple(SCALINGS)] = Field(
        "unit",
        description="unit: 0 to 1; symmetric: -1 to 1; none: 0 to 255; imagenet: ImageNet's mean "
        "and deviation, as torchvision; caffe: ImageNet's mean, blue first, as VGG16 in Keras.",
    )


class Weights(Section):
    """Weights from elsewhere: an asset of `resources/manifest.yaml`, or a file of one's own."""

    asset: str | None = Field(None, description="Name in the manifest.")
    member: str | None = Field(
        None, description="The weights' file inside the asset; needed only if there are several."
    )
    path: str | None = Field(
        None,
        description="Instead: a `.keras`, `.h5` or torch file. `weights: path/to/file` is short "
        "for it.",
    )

    @model_validator(mode="after")
    def _one_place(self) -> Weights:
        if (self.asset is None) == (self.path is None):
            raise ValueError("give either 'asset' or 'path'")
        if self.member is not None and self.asset is None:
            raise ValueError("'member' goes with 'asset'")
        return self


#: Stages of a network whose layers are listed before any is named.
NO_STAGES = {"none": ""}

# The words that `weights` can be, instead of a path or a section.
_WEIGHTS_WORDS = ("train", "untrained", "imagenet")


def _or_all(schema: dict[str, Any]) -> None:
    """Let a list of the JSON schema be the word `all` too."""
    schema["anyOf"] = [{"type": schema.pop("type"), "items": schema.pop("items")}, {"const": "all"}]


class NetworkEntry(Section):
    """A network: architecture, weights, instances and the layers to look at."""

    label: str = Field(description="Name in figures.")
    architecture: Literal[tuple(ARCHITECTURES)] | None = Field(
        None, description="A built-in architecture."
    )
    keras: str | None = Field(None, description="Instead: a Keras file with architecture inside.")
    torch: str | None = Field(
        None,
        description="Instead: `package.module:function` that returns a torch module; or a section "
        "`{module, weights, input, files}`.",
        json_schema_extra=lambda schema: schema["anyOf"].append({"type": "object"}),
    )
    files: list[str] = Field(
        [],
        description="Files or folders that the code of `torch` reads, beside the modules that it "
        "imports; a change of one makes the network's results anew.",
    )
    input: Input | None = Field(
        None, description="What it expects; needed with `keras` and `torch`."
    )
    weights: Literal["train", "untrained", "imagenet"] | Weights | None = Field(
        None,
        description="Where the weights come from; needed with `architecture`. `imagenet` is for "
        "VGG16: from the cache of Keras, or downloaded. A path is short for `{path: ...}`.",
        json_schema_extra=lambda schema: schema["anyOf"].append({"type": "string"}),
    )
    classes: list[str] | None = Field(None, description="Output classes, in order.")
    paper: Literal["NN1", "NN2", "NN3", "RMN", "EmoFAN", "VGG16"] | None = Field(
        None,
        description="The paper's network that this is; Table 1 and the claims compare the two.",
    )
    width: Count | None = Field(
        None,
        description="Channels of the first layer of `resmasknet` and `emofan`, for quick trials; "
        "64, as published, if not given.",
    )
    training: Training | None = Field(None, description="How to train, for `weights: train`.")
    seeds: list[Annotated[int, Field(ge=0)]] = Field(
        [0], min_length=1, description="One instance of the network a seed."
    )
    stages: dict[Name, str] = Field(
        min_length=1,
        description="Layer of each stage, or a part of one (`block[1]`, `norm@cls`), from input to "
        'output. The figures ask for `early`, `middle` (the paper\'s "ID layer"), `penultimate` '
        "and `final`.",
    )
    layers: list[str] = Field(
        [],
        description="More layers to look at, by name or by glob (`conv2d_*`, `blocks.*@cls`), or "
        "`all`; `snakemake list_layers --config network=NAME` prints them.",
        json_schema_extra=_or_all,
    )
    gradcam: list[str] = Field(
        [],
        description="Layers that Grad-CAM explains, by name; if not given, the stages whose "
        "outputs are maps.",
    )

    @model_validator(mode="before")
    @classmethod
    def _short_forms(cls, data: Any, info: ValidationInfo) -> Any:
        """Spell out a path as `weights`, `all` as `layers`, and a section `torch`."""
        if not isinstance(data, Mapping):
            return data
        data = dict(data)
        if _is_listing(info):
            data |= _lenient_layers(data)
        if data.get("layers") == "all":
            data["layers"] = ["*"]
        if isinstance(data.get("torch"), Mapping):
            data |= _lift_torch(data)
        weights = data.get("weights")
        if isinstance(weights, str) and ("/" in weights or "." in weights):
            data["weights"] = {"path": weights}
        elif isinstance(weights, str) and weights not in _WEIGHTS_WORDS:
            hint = did_you_mean(weights, _WEIGHTS_WORDS)
            raise mistake(
                "key", f"weights = '{weights}': {hint}, {{asset: ...}}, or a path with a / in it"
            )
        return data

    @model_validator(mode="after")
    def _consistent(self, info: ValidationInfo) -> NetworkEntry:
        kinds = [kind for kind in ("architecture", "keras", "torch") if getattr(self, kind)]
        if len(kinds) != 1:
            raise ValueError("give exactly one of: architecture, keras, torch")
        if kinds == ["architecture"]:
            self._check_architecture(_is_listing(info))
        elif self.input is None:
            raise ValueError(f"'{kinds[0]}' needs the key 'input' (size, channels, scaling)")
        if self.files and not self.torch:
            raise mistake("key", "files: goes with 'torch'")
        if self.torch and not re.fullmatch(r"[\w.]+:\w+", self.torch):
            raise mistake("key", f"torch = '{self.torch}': give package.module:function")
        self._check_input()
        if not _is_listing(info):
            self._check_stages()
        self._check_weights(kinds[0])
        if self.weights == "train" and self.training is None:
            raise ValueError("'weights: train' needs the key 'training'")
        if len(set(self.seeds)) != len(self.seeds):
            raise mistake("key", f"seeds = {self.seeds}: a seed occurs twice")
        is_fixed = self.weights not in ("train", "untrained") and (self.weights or not self.torch)
        if is_fixed and len(self.seeds) > 1:
            raise mistake("key", f"seeds = {self.seeds}: given weights are one instance: one seed")
        return self

    def _check_architecture(self, is_listing: bool) -> None:
        if not is_listing:
            self._check_layers()
        if ARCHITECTURES[self.architecture].any_classes and not self.classes:
            raise ValueError(
                f"{self.architecture} needs the key 'classes', e.g. [happy, sad, neutral]"
            )

    def _check_layers(self) -> None:
        widths = layer_widths(self.architecture)
        for stage, layer in self.stages.items():
            if layer not in widths:
                raise mistake("key", f"stages.{stage} = '{layer}': {self._no_layer(layer)}")
        for layer in self.layers:
            if not fnmatch.filter(widths, layer):
                raise mistake("key", f"layers = '{layer}': {self._no_layer(layer)}")
        for layer in self.gradcam:
            if layer not in widths:
                raise mistake("key", f"gradcam = '{layer}': {self._no_layer(layer)}")

    def _check_input(self) -> None:
        if self.input is not None:
            try:
                InputSpec(**self.input.model_dump())
            except FacestagesError as error:
                raise mistake("key", f"input: {error}") from None
        built_in = ARCHITECTURES.get(self.architecture)
        if self.width is not None and not (built_in and built_in.any_width):
            name = self.architecture or "a network of your own"
            raise mistake("key", f"width = {self.width}: '{name}' has one width only")
        if self.width is not None and self.width % 8:
            raise mistake("key", f"width = {self.width}: give a multiple of 8")

    def _check_stages(self) -> None:
        for stage, layer in self.stages.items():
            if stage in RENAMED:
                raise mistake("key", f"stages.{stage}: {renamed(stage)}")
            if set("*?") & set(layer):
                problem = "a stage is one layer; globs go to 'layers'"
                raise mistake("key", f"stages.{stage} = '{layer}': {problem}")

    def _no_layer(self, layer: str) -> str:
        hint = explain_missing(layer, layer_widths(self.architecture))
        return f"no layer of {self.architecture}; {hint}"

    def _check_weights(self, kind: str) -> None:
        """Refuse weights that the network cannot have: each architecture says which it takes."""
        name = self.architecture or kind
        if name in ("pixels", "keras") and self.weights is not None:
            raise mistake("key", f"weights: '{name}' takes no weights")
        if name == "torch" or isinstance(self.weights, Weights):
            words = ("untrained",)
        else:
            words = ARCHITECTURES[self.architecture].weights if self.architecture else ()
        if self.weights is None and kind == "architecture" and name != "pixels":
            allowed = ", ".join([*words, "{asset: ...}", "{path: ...}"])
            raise ValueError(f"needs the key 'weights': {allowed}")
        if isinstance(self.weights, str) and self.weights not in words:
            allowed = " or ".join([*words, "{asset: ...}", "{path: ...}"])
            raise mistake("key", f"weights = '{self.weights}': '{name}' takes {allowed}")

    @property
    def short_label(self) -> str:
        """The label, as long as figures have room for."""
        return shorten(self.label, 28)

    @property
    def output_classes(self) -> list[str] | None:
        """Classes of the network's output, in order; None where they are not known."""
        if self.classes or not self.architecture:
            return self.classes
        return list(ARCHITECTURES[self.architecture].classes or ()) or None

    @property
    def affect(self) -> list[str]:
        """Units of the output after the classes: valence and arousal, or nothing."""
        return list(ARCHITECTURES[self.architecture].affect) if self.architecture else []

    @property
    def kind(self) -> Literal["trained", "shuffled labels", "untrained"]:
        """Whether it was trained to name its classes, or is a control that was not."""
        if self.weights == "untrained" or (self.torch and not self.weights):
            return "untrained"
        shuffled = self.weights == "train" and self.training.shuffle_labels
        return "shuffled labels" if shuffled else "trained"

    @property
    def source(self) -> dict[str, Any]:
        """What `networks.load_network` needs to know."""
        return self.model_dump(
            include={"architecture", "keras", "torch", "input", "classes", "width"}
        )

    @property
    def input_spec(self) -> Input | InputSpec:
        """Size, channels and scaling of its input."""
        return self.input or ARCHITECTURES[self.architecture].input

    @property
    def framework(self) -> str:
        """``"keras"``, ``"torch"`` or ``"numpy"``."""
        if self.architecture:
            return ARCHITECTURES[self.architecture].framework
        return "keras" if self.keras else "torch"


def _is_listing(info: ValidationInfo) -> bool:
    """Whether the config is read to list a network's layers, which a user needs to name them."""
    return bool((info.context or {}).get("is_listing"))


def _lenient_layers(data: Mapping[str, Any]) -> dict[str, Any]:
    """The keys that name layers, without what is wrong with them."""
    stages = data.get("stages")
    stages = stages if isinstance(stages, Mapping) else {}
    named = {
        stage: layer
        for stage, layer in stages.items()
        if re.fullmatch(NAME, str(stage)) and isinstance(layer, str) and not line_problem(layer)
    }
    return {"stages": named or NO_STAGES, "layers": [], "gradcam": []}


def _lift_torch(data: Mapping[str, Any]) -> dict[str, Any]:
    """The keys of a section `torch` as keys of the network."""
    section = data["torch"]
    if "module" not in section:
        raise mistake("key", "torch.module: this key is missing")
    for key in section:
        if key not in ("module", "weights", "input", "files"):
            hint = did_you_mean(key, ("module", "weights", "input", "files"))
            raise mistake("key", f"torch: unknown key '{key}': {hint}")
        if key != "module" and data.get(key) is not None:
            raise mistake("key", f"torch.{key}: is given twice, here and beside 'torch'")
    rest = {key: value for key, value in section.items() if key != "module"}
    return {"torch": section["module"], **rest}

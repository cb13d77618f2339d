"""Networks in the config: architecture, weights, stages."""

from __future__ import annotations

import fnmatch
import re
from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import Field, ValidationInfo, model_validator

from facestages.architectures import (
    ARCHITECTURES,
    ZOO_INPUT,
    ZOO_WEIGHTS,
    ZOOS,
    InputSpec,
    explain_missing,
    is_address,
    layer_widths,
)
from facestages.config.input import Input
from facestages.config.section import (
    NAME,
    RENAMED,
    Count,
    Name,
    Section,
    UserPath,
    mistake,
    renamed,
)
from facestages.config.training import Training
from facestages.config.weights import Weights
from facestages.errors import FacestagesError, did_you_mean
from facestages.text import abbreviate, line_problem

#: Stages of a network whose layers are listed before any is named.
NO_STAGES = {"none": ""}

# The words that `weights` can be, instead of a path or a section.
_WEIGHTS_WORDS = ("train", *ZOO_WEIGHTS)


def _or_all(schema: dict[str, Any]) -> None:
    """Let a list of the JSON schema be the word `all` too."""
    schema["anyOf"] = [{"type": schema.pop("type"), "items": schema.pop("items")}, {"const": "all"}]


class NetworkEntry(Section):
    """A network: architecture, weights, instances and the layers to look at."""

    label: str = Field(description="Name in figures.")
    architecture: Literal[tuple(ARCHITECTURES)] | None = Field(
        None, description="A built-in architecture."
    )
    keras: UserPath | None = Field(
        None,
        description="Instead: a Keras file with architecture inside, or `package.module:function` "
        "that returns a Keras model.",
    )
    torch: str | None = Field(
        None,
        description="Instead: `package.module:function` that returns a torch module; or a section "
        "`{module, weights, input, files}`.",
        json_schema_extra=lambda schema: schema["anyOf"].append({"type": "object"}),
    )
    timm: str | None = Field(
        None,
        description="Instead: a network of timm, such as `vit_tiny_patch16_224`. Its library gives "
        "the input, unless `input` does; likewise with the next two.",
    )
    torchvision: str | None = Field(
        None, description="Instead: a network of torchvision for classes, such as `resnet18`."
    )
    keras_application: str | None = Field(
        None, description="Instead: a network of Keras Applications, such as `ResNet50`."
    )
    files: list[UserPath] = Field(
        [],
        description="Files or folders that the code of `torch` or `keras` reads, beside the "
        "modules that it imports; a change of one makes the network's results anew.",
    )
    input: Input | None = Field(
        None, description="What it expects; needed with `keras` and `torch`."
    )
    weights: Literal[_WEIGHTS_WORDS] | Weights | None = Field(
        None,
        description="Where the weights come from; needed with `architecture`, `timm`, "
        "`torchvision` and `keras_application`. `pretrained` is for the last three and VGG16: from "
        "the library's cache in the user's home, or downloaded by it. A path is short for "
        "`{path: ...}`.",
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
    task: list[Name] | None = Field(
        None,
        min_length=1,
        max_length=3,
        description="What weights from elsewhere were trained to tell, such as `[identity]`; what "
        "the asset's entry in the manifest says if not given. Figure 9 and its claims compare "
        "networks by it.",
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
        # The word of earlier versions, as all of VGG16's weights are of ImageNet.
        if weights == "imagenet":
            data["weights"] = weights = "pretrained"
        if isinstance(weights, str) and set("/.~$") & set(weights):
            data["weights"] = {"path": weights}
        elif isinstance(weights, str) and weights not in _WEIGHTS_WORDS:
            hint = did_you_mean(weights, _WEIGHTS_WORDS)
            raise mistake(
                "key", f"weights = '{weights}': {hint}, {{asset: ...}}, or a path with a / in it"
            )
        return data

    @model_validator(mode="after")
    def _consistent(self, info: ValidationInfo) -> NetworkEntry:
        every = ("architecture", "keras", "torch", *ZOOS)
        kinds = [kind for kind in every if getattr(self, kind)]
        if len(kinds) != 1:
            raise ValueError(f"give exactly one of: {', '.join(every)}")
        if kinds == ["architecture"]:
            self._check_architecture(_is_listing(info))
        elif self.zoo:
            if not re.fullmatch(r"\w[\w.-]*", self.zoo[1]):
                raise mistake("key", f"{kinds[0]} = '{self.zoo[1]}': give the name of a network")
        elif self.input is None:
            raise ValueError(f"'{kinds[0]}' needs the key 'input' (size, channels, scaling)")
        if self.files and not self.code:
            raise mistake("key", "files: goes with a function under 'torch' or 'keras'")
        if self.torch and not self.code:
            raise mistake("key", f"torch = '{self.torch}': give package.module:function")
        self._check_input()
        if not _is_listing(info):
            self._check_stages()
        self._check_weights(kinds[0])
        if self.weights == "train" and self.training is None:
            raise ValueError("'weights: train' needs the key 'training'")
        if self.task is not None and (self.weights == "train" or self.kind == "untrained"):
            says = "training.label says it" if self.weights == "train" else "it is untrained"
            raise mistake("key", f"task: goes with weights from elsewhere; {says}")
        self._check_seeds()
        return self

    def _check_architecture(self, is_listing: bool) -> None:
        if not is_listing:
            self._check_layers()
        needed = ARCHITECTURES[self.architecture].any_classes and not self._has_classes
        if needed and not self.classes:
            raise ValueError(
                f"{self.architecture} needs the key 'classes', e.g. [happy, sad, neutral]"
            )
        if self.classes and self._learns_people_alone:
            raise ValueError("leave out 'classes': the network learns the people of its face set")

    @property
    def _learns_people_alone(self) -> bool:
        learns = self.training and self.training.label
        return self.weights == "train" and learns == ["identity"]

    @property
    def _has_classes(self) -> bool:
        """Whether training data, or a whole Keras file, say how many classes there are."""
        name = isinstance(self.weights, Weights) and (self.weights.path or self.weights.member)
        return self._learns_people_alone or str(name).endswith(".keras")

    def _check_seeds(self) -> None:
        if len(set(self.seeds)) != len(self.seeds):
            raise mistake("key", f"seeds = {self.seeds}: a seed occurs twice")
        is_made = self.weights in ("train", "untrained") or (self.code and not self.weights)
        is_by_seed = isinstance(self.weights, Weights) and "{seed}" in str(self.weights)
        if len(self.seeds) > 1 and not (is_made or is_by_seed):
            problem = "given weights are one instance: one seed, or a file name with {seed} in it"
            raise mistake("key", f"seeds = {self.seeds}: {problem}")

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
            if self.zoo and "scaling" not in self.input.model_fields_set:
                problem = "input.scaling: this key is missing: 'input' replaces the library's"
                raise mistake("key", f"{problem}. Give imagenet, symmetric, unit or another")
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
        if name in ("pixels", "keras") and not self.code and self.weights is not None:
            raise mistake("key", f"weights: '{name}' takes no weights")
        if self.architecture:
            words = ARCHITECTURES[self.architecture].weights
        else:
            words = ZOO_WEIGHTS if self.zoo else ("untrained",)
        if self.weights is None and kind not in ("keras", "torch") and name != "pixels":
            allowed = ", ".join([*words, "{asset: ...}", "{path: ...}"])
            raise ValueError(f"needs the key 'weights': {allowed}")
        if isinstance(self.weights, Weights) and self.weights.key and self.framework != "torch":
            raise mistake("key", "weights.key: goes with a torch file")
        if isinstance(self.weights, str) and self.weights not in words:
            allowed = " or ".join([*words, "{asset: ...}", "{path: ...}"])
            raise mistake("key", f"weights = '{self.weights}': '{name}' takes {allowed}")

    @property
    def code(self) -> str | None:
        """``package.module:function`` of the user's that builds it; None where none does."""
        address = self.torch or self.keras or ""
        return address if is_address(address) else None

    @property
    def short_label(self) -> str:
        """The label, as long as figures have room for."""
        return abbreviate(self.label, 28)

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
    def zoo(self) -> tuple[str, str] | None:
        """A key of `architectures.ZOOS` and the network's name there, if it is of a library."""
        if self.architecture:
            return ARCHITECTURES[self.architecture].zoo
        return next(((kind, getattr(self, kind)) for kind in ZOOS if getattr(self, kind)), None)

    @property
    def source(self) -> dict[str, Any]:
        """What `networks.load_network` needs to know."""
        known = {"architecture", "keras", "torch", "input", "classes", "width"}
        key = self.weights.key if isinstance(self.weights, Weights) else None
        return self.model_dump(include=known) | {"zoo": self.zoo, "key": key}

    @property
    def input_spec(self) -> InputSpec:
        """Size, channels and scaling of its input; a library is not asked for those."""
        if self.input is not None:
            return InputSpec(**self.input.model_dump())
        built_in = ARCHITECTURES.get(self.architecture)
        return built_in.input if built_in else ZOO_INPUT

    @property
    def framework(self) -> str:
        """``"keras"``, ``"torch"`` or ``"numpy"``."""
        if self.architecture:
            return ARCHITECTURES[self.architecture].framework
        if self.zoo:
            return ZOOS[self.zoo[0]].framework
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

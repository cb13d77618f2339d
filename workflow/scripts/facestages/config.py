"""The config: one model that is the source of defaults, checks, JSON schema and documentation.

Snakemake reads the config at the start of every run and of every cluster job, so nothing heavy is
imported here.
"""

from __future__ import annotations

import fnmatch
import os
import re
from collections.abc import Iterator, Mapping
from typing import Annotated, Any, Literal, NamedTuple

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator
from pydantic_core import PydanticCustomError

from facestages.action_units import DISFA_UNITS, RULES_V1, parse_rules
from facestages.architectures import ARCHITECTURES, SCALINGS, InputSpec, layer_widths, select_layers
from facestages.errors import FacestagesError, did_you_mean
from facestages.files import read_yaml

Name = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]*$")]
DisfaSubject = Annotated[str, Field(pattern=r"^SN\d{3}$")]
Share = Annotated[float, Field(gt=0, lt=1)]
Count = Annotated[int, Field(gt=0)]


def _mistake(kind: str, text: str) -> PydanticCustomError:
    """An error of a kind that `_describe` knows: ``unknown_key``, or ``key`` if `text` begins
    with the rest of the key's path."""
    return PydanticCustomError(kind, "{text}", {"text": text})


class Section(BaseModel):
    """A part of the config. An unknown key is an error that names the nearest known one."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    @model_validator(mode="before")
    @classmethod
    def _known_keys_only(cls, data: Any) -> Any:
        if isinstance(data, Mapping):
            for key in data:
                if key not in cls.model_fields:
                    hint = did_you_mean(key, cls.model_fields)
                    raise _mistake("unknown_key", f"unknown key '{key}': {hint}")
        return data


class FaceSet(Section):
    """What all face sets have in common."""

    label: str = Field(description="Name in figures.")
    paper: Literal["DISFA", "FER2013", "KDEF"] | None = Field(
        None, description="The face set of the paper that it is, or stands in for, in Table 1."
    )
    expression_from: str | None = Field(
        None,
        description="Network whose predictions are the expression label of the analyses, instead "
        "of the face set's own (circular for that network itself).",
    )
    predicted_by: list[str] = Field(
        [],
        description="Networks whose predictions the report compares with the face set's own "
        "labels (Cohen's kappa).",
    )

    shards: Count = Field(
        1,
        description="Number of jobs that record this face set, each some people's pictures, e.g. "
        "one a node of a cluster. The results are the same.",
    )

    @property
    def predictors(self) -> list[str]:
        """Networks that must look at the face set before it can be analysed or reported."""
        first = [self.expression_from] if self.expression_from else []
        return list(dict.fromkeys([*first, *self.predicted_by]))


class RenderedSet(FaceSet):
    """Rendered faces, and what is done to all pictures of a set."""

    histogram: Literal["none", "match"] = Field(
        "none", description="Give every picture the set's mean histogram, as SHINE does."
    )
    mask: Literal["none", "oval"] = Field(
        "none", description="Paint over what lies outside an oval: hair, ears, background."
    )


class Wild(RenderedSet):
    """Rendered faces: many people, free pose, light and background. Stands in for FER2013."""

    source: Literal["rendered"] = Field(description="Where the faces come from.")
    design: Literal["wild"] = Field(description="What they stand in for.")
    label: str = Field("Rendered, wild", description="Name in figures.")
    people: Count = Field(600, description="Number of people.")
    images: Count = Field(3000, description="Number of pictures, shared evenly by expression.")
    size: Count = Field(48, description="Rows and columns of a picture.")
    seed: int = Field(0, description="Seed; the same seed gives the same bytes.")


class Posed(RenderedSet):
    """Rendered faces: posed expressions in studio light, two sessions. Stands in for KDEF."""

    source: Literal["rendered"] = Field(description="Where the faces come from.")
    design: Literal["posed"] = Field(description="What they stand in for.")
    label: str = Field("Rendered portraits", description="Name in figures.")
    people: Count = Field(70, description="Number of people, half of them women.")
    sessions: Count = Field(2, description="Number of sessions.")
    size: Count = Field(192, description="Rows and columns of a picture.")
    seed: int = Field(1, description="Seed; the same seed gives the same bytes.")


class Video(RenderedSet):
    """Rendered faces: frames of people who move, each under one camera. Stands in for DISFA."""

    source: Literal["rendered"] = Field(description="Where the faces come from.")
    design: Literal["video"] = Field(description="What they stand in for.")
    label: str = Field("Rendered video", description="Name in figures.")
    women: Annotated[int, Field(ge=0)] = Field(12, description="Number of women.")
    men: Annotated[int, Field(ge=0)] = Field(15, description="Number of men.")
    frames_per_person: Count = Field(81, description="Number of frames a person.")
    size: Count = Field(128, description="Rows and columns of a picture.")
    seed: int = Field(2, description="Seed; the same seed gives the same bytes.")


class Fer2013(FaceSet):
    """FER2013 as its owners hand it out: a csv file or a folder of pictures."""

    source: Literal["fer2013"] = Field(description="Where the faces come from.")
    label: str = Field("FER2013", description="Name in figures.")
    path: str = Field(description="`fer2013.csv`, `icml_face_data.csv` or the folder.")
    splits: list[str] | None = Field(
        None, description="Splits to keep (Training, PublicTest, PrivateTest); all if not given."
    )
    classes: list[str] | None = Field(None, description="Expressions to keep; all if not given.")
    drop_duplicates: bool = Field(
        False, description="Keep one of exactly equal pictures, the test splits' first."
    )

    @property
    def pictures(self) -> str:
        """The file or folder of the pictures."""
        return self.path


class Crop(Section):
    """Find the face, level the eyes, and cut out a square around it."""

    margin: float = Field(
        0.0,
        ge=0,
        le=2,
        description="Room on each side, in parts of the tight crop's width; at 0 faces are framed "
        "as in FER2013 (eyes 0.36 of the width apart, 0.38 below the top).",
    )
    failures: Literal["stop", "drop", "whole"] = Field(
        "stop",
        description="A picture with no face or several: stop, leave it out, or take the whole "
        "picture. The report lists each.",
    )
    histogram: Literal["none", "match"] = Field(
        "none", description="Give every (grey) picture the set's mean histogram, as SHINE does."
    )
    mask: Literal["none", "oval"] = Field(
        "none", description="Paint over what lies outside an oval: hair, ears, background."
    )


class Files(FaceSet):
    """What all face sets have in common that are made of picture or video files."""

    size: Count | None = Field(224, description="Rows and columns of a stimulus.")
    color: Literal["grey", "rgb"] = Field("rgb", description="How stimuli are kept.")
    crop: Crop | None = Field(
        Crop(), description="How faces are cut out; null takes each picture's central square."
    )

    @model_validator(mode="after")
    def _crop_fits(self) -> Files:
        if self.crop is not None and self.size is None:
            raise ValueError("'crop' needs the key 'size'")
        if self.crop is not None and self.crop.histogram == "match" and self.color != "grey":
            raise _mistake("key", "crop.histogram = 'match': works on grey pictures; color: grey")
        return self


_NORMS = Field(
    None,
    description="CSV of human ratings by picture name (`picture`, `valence`, `arousal`, ...), "
    "e.g. KDEF-PT.",
)


class Table(Files):
    """A face set of one's own: a CSV table beside a folder of pictures."""

    source: Literal["table"] = Field(description="Where the faces come from.")
    table: str = Field(
        description="CSV with columns `path`, `identity` and any of `expression`, `sex`, "
        "`session`, `frame`, `valence`, `arousal`, ..."
    )
    folder: str | None = Field(
        None, description="Folder of the pictures; the table's own if not given."
    )
    size: Count | None = Field(
        None, description="Rows and columns of a stimulus; as stored if not given."
    )
    color: Literal["grey", "rgb"] = Field("grey", description="How stimuli are kept.")
    crop: Crop | None = Field(
        None,
        description="How faces are cut out; if not given, each picture's central square, or at "
        "no size the whole picture.",
    )
    norms: str | None = _NORMS
    sources: dict[str, str] = Field(
        {}, description="Source of a label (`human`, `posed`, ...); `file` if not given."
    )

    @property
    def pictures(self) -> str:
        """Folder of the pictures."""
        return self.folder or os.path.dirname(self.table) or "."


class Kdef(Files):
    """KDEF, the Karolinska Directed Emotional Faces: the folder that its owners hand out."""

    source: Literal["kdef"] = Field(description="Where the faces come from.")
    label: str = Field("KDEF", description="Name in figures.")
    path: str = Field(description="Folder of the pictures, as a tree or flat.")
    angles: list[Literal["FL", "HL", "S", "HR", "FR"]] = Field(
        ["S"],
        min_length=1,
        description="Full left, half left, straight, half right, full right. Turned heads are "
        "cropped about as large as straight ones; full profiles are not found (see "
        "`crop.failures`).",
    )
    sessions: list[Literal["A", "B"]] = Field(["A", "B"], min_length=1, description="Sessions.")
    norms: str | None = _NORMS

    @property
    def pictures(self) -> str:
        """The folder."""
        return self.path


class ActionUnitRules(Section):
    """Expression labels of DISFA frames from their coded action units."""

    version: str = Field(
        "au-rule-v1", description="Name of the rules; the source of the label wherever it is used."
    )
    threshold: Annotated[int, Field(ge=1, le=5)] = Field(
        2, description="Intensity from which on an action unit counts as active."
    )
    rules: dict[str, str] = Field(
        RULES_V1,
        description="By expression: units joined by `+`, alternatives by `|`. The first rule that "
        "fits is taken; neutral is a face whose units are all 0; what fits no rule has no label.",
    )

    @model_validator(mode="after")
    def _rules_are_sound(self) -> ActionUnitRules:
        try:
            parse_rules(self.rules, DISFA_UNITS)
        except FacestagesError as error:
            raise ValueError(str(error)) from None
        # The order counts: the first rule that fits is taken.
        if self.version == "au-rule-v1" and list(self.rules.items()) != list(RULES_V1.items()):
            raise _mistake("key", "version = 'au-rule-v1': give changed rules a name of their own")
        return self


class Disfa(Files):
    """DISFA: videos and action units, as the owners hand them out."""

    source: Literal["disfa"] = Field(description="Where the faces come from.")
    label: str = Field("DISFA", description="Name in figures.")
    path: str = Field(description="Folder that holds the folders of videos and of action units.")
    camera: Literal["left", "right"] = Field("left", description="Which camera's videos.")
    subjects: Literal["all", "women", "men"] | list[DisfaSubject] = Field(
        "all", description="Who is taken: all whose video is there, a sex, or a list (SN001, ...)."
    )
    subject_list: str | None = Field(
        None, description="CSV with the columns `subject` and `sex`; needed for a sex."
    )
    frames_per_person: Count = Field(211, description="Number of frames a person.")
    select: Literal["even", "activity"] = Field(
        "even", description="Frames at even distances, or those of most action-unit activity."
    )
    min_distance: Count = Field(5, description="Smallest distance between chosen frames.")
    seed: int = Field(0, ge=0, description="Seed of the choice.")
    action_units: ActionUnitRules = Field(
        ActionUnitRules(), description="How expressions follow from action units."
    )

    @model_validator(mode="after")
    def _sexes_are_known(self) -> Disfa:
        if self.subjects in ("women", "men") and self.subject_list is None:
            raise ValueError(f"'subjects: {self.subjects}' needs the key 'subject_list'")
        return self


class Orl(Files):
    """ORL faces (AT&T): 400 photographs of 40 people, fetched from a package index."""

    source: Literal["orl"] = Field(description="Where the faces come from.")
    label: str = Field("ORL photographs", description="Name in figures.")
    size: Count | None = Field(112, description="Rows and columns of a stimulus.")
    color: Literal["grey", "rgb"] = Field("grey", description="How stimuli are kept.")


Rendered = Annotated[Wild | Posed | Video, Field(discriminator="design")]
Dataset = Annotated[Rendered | Fer2013 | Table | Kdef | Disfa | Orl, Field(discriminator="source")]


class Oasis(Section):
    """OASIS (Kurdi, Lozano and Banaji 2017): human valence and arousal of 900 pictures."""

    source: Literal["oasis"] = Field(description="Where the ratings come from.")
    label: str = Field("OASIS", description="Name in figures.")
    path: str = Field(description="`OASIS.csv`.")


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
        "stimulus",
        description="Hold out pictures (stratified by expression) or whole people.",
    )
    seed: int = Field(42, description="Seed of the choice.")


class Splits(Section):
    """Named splits of the face set (its label `split`)."""

    train: list[str] = Field(min_length=1, description="Splits to train on.")
    validation: list[str] = Field(min_length=1, description="Splits that choose the epoch.")
    test: list[str] = Field(min_length=1, description="Splits for the reported accuracy.")

    @model_validator(mode="after")
    def _held_out(self) -> Splits:
        both = set(self.train) & {*self.validation, *self.test}
        if both:
            raise ValueError(f"split '{min(both)}' is trained on and cannot be held out as well")
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
        description="Train on expressions that were dealt out to the pictures by chance: a control "
        "that has seen as many faces, and learnt nothing about expressions.",
    )
    backend: Literal["tensorflow", "torch", "jax"] = Field(
        "tensorflow",
        description="What Keras computes with: the one that knows the accelerator at hand.",
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
        None, description="The file inside the asset; needed only if it holds several of weights."
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
        "`{module, weights, input}`.",
        json_schema_extra=lambda schema: schema["anyOf"].append({"type": "object"}),
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
        description="The network of the paper that it is: Table 1 and the claims compare them.",
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
        min_length=1, description="Layer of each stage, from input to output."
    )
    layers: list[str] = Field(
        [],
        description="More layers to look at, by name or by glob (`conv2d_*`), or `all`; "
        "`snakemake list_layers --config network=NAME` prints them.",
        json_schema_extra=_or_all,
    )
    gradcam: list[str] = Field(
        [],
        description="Layers whose Grad-CAM is made, by name; those among the stages that are "
        "maps if not given.",
    )

    @model_validator(mode="before")
    @classmethod
    def _short_forms(cls, data: Any) -> Any:
        """A path as `weights`, `all` as layers, a torch module with all of its own as a section."""
        if not isinstance(data, Mapping):
            return data
        data = dict(data)
        if data.get("layers") == "all":
            data["layers"] = ["*"]
        if isinstance(data.get("torch"), Mapping):
            data |= _lift_torch(data)
        weights = data.get("weights")
        if isinstance(weights, str) and ("/" in weights or "." in weights):
            data["weights"] = {"path": weights}
        elif isinstance(weights, str) and weights not in _WEIGHTS_WORDS:
            hint = did_you_mean(weights, _WEIGHTS_WORDS)
            raise _mistake(
                "key", f"weights = '{weights}': {hint}, {{asset: ...}}, or a path with a / in it"
            )
        return data

    @model_validator(mode="after")
    def _consistent(self) -> NetworkEntry:
        kinds = [kind for kind in ("architecture", "keras", "torch") if getattr(self, kind)]
        if len(kinds) != 1:
            raise ValueError("give exactly one of: architecture, keras, torch")
        if kinds == ["architecture"]:
            self._check_architecture()
        elif self.input is None:
            raise ValueError(f"'{kinds[0]}' needs the key 'input' (size, channels, scaling)")
        if self.torch and not re.fullmatch(r"[\w.]+:\w+", self.torch):
            raise _mistake("key", f"torch = '{self.torch}': give package.module:function")
        self._check_input_and_stages()
        self._check_weights(kinds[0])
        if self.weights == "train" and self.training is None:
            raise ValueError("'weights: train' needs the key 'training'")
        if len(set(self.seeds)) != len(self.seeds):
            raise _mistake("key", f"seeds = {self.seeds}: a seed occurs twice")
        one = self.weights not in ("train", "untrained", None) or not (self.weights or self.torch)
        if one and len(self.seeds) > 1:
            raise _mistake("key", f"seeds = {self.seeds}: given weights are one instance: one seed")
        return self

    def _check_architecture(self) -> None:
        widths = layer_widths(self.architecture)
        for stage, layer in self.stages.items():
            if layer not in widths:
                raise _mistake("key", f"stages.{stage} = '{layer}': {self._no_layer(layer)}")
        for layer in self.layers:
            if not fnmatch.filter(widths, layer):
                raise _mistake("key", f"layers = '{layer}': {self._no_layer(layer)}")
        for layer in self.gradcam:
            if layer not in widths:
                raise _mistake("key", f"gradcam = '{layer}': {self._no_layer(layer)}")
        if self.architecture == "light_cnn" and not self.classes:
            raise ValueError("light_cnn needs the key 'classes', e.g. [happy, sad, neutral]")

    def _check_input_and_stages(self) -> None:
        if self.input is not None:
            try:
                InputSpec(**self.input.model_dump())
            except FacestagesError as error:
                raise _mistake("key", f"input: {error}") from None
        if self.width is not None and self.architecture not in ("resmasknet", "emofan"):
            name = self.architecture or "a network of your own"
            raise _mistake("key", f"width = {self.width}: '{name}' has one width only")
        if self.width is not None and self.width % 8:
            raise _mistake("key", f"width = {self.width}: give a multiple of 8")
        for stage, layer in self.stages.items():
            if set("*?[") & set(layer):
                raise _mistake(
                    "key", f"stages.{stage} = '{layer}': a stage is one layer; globs go to 'layers'"
                )

    def _no_layer(self, layer: str) -> str:
        hint = did_you_mean(layer, layer_widths(self.architecture))
        return f"no layer of {self.architecture}; {hint}"

    def _check_weights(self, kind: str) -> None:
        """Only what can be built here can be untrained; only the light CNN is trained here."""
        name = self.architecture or kind
        if name in ("pixels", "keras") and self.weights is not None:
            raise _mistake("key", f"weights: '{name}' takes no weights")
        if name == "torch" or isinstance(self.weights, Weights):
            words = ("untrained",)
        else:
            words = ARCHITECTURES[self.architecture].weights if self.architecture else ()
        if self.weights is None and kind == "architecture" and name != "pixels":
            allowed = ", ".join([*words, "{asset: ...}", "{path: ...}"])
            raise ValueError(f"needs the key 'weights': {allowed}")
        if isinstance(self.weights, str) and self.weights not in words:
            allowed = " or ".join([*words, "{asset: ...}", "{path: ...}"])
            raise _mistake("key", f"weights = '{self.weights}': '{name}' takes {allowed}")

    @property
    def output_classes(self) -> list[str] | None:
        """Classes of the network's output, in order; None where they are not known."""
        if self.classes or not self.architecture:
            return self.classes
        return list(ARCHITECTURES[self.architecture].classes or ()) or None

    @property
    def affect(self) -> list[str]:
        """What the output says after the classes: valence and arousal, or nothing."""
        return list(ARCHITECTURES[self.architecture].affect) if self.architecture else []

    @property
    def kind(self) -> Literal["trained", "shuffled labels", "untrained"]:
        """Whether it has learnt what its classes say, or is a control that has not."""
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


class Umap(Section):
    """UMAP, as umap-learn does it; the defaults are its own."""

    neighbours: Annotated[int, Field(ge=2)] = Field(15, description="Neighbours of a picture.")
    min_dist: Annotated[float, Field(ge=0, le=1)] = Field(
        0.1, description="How near to each other points may come in the map."
    )
    seed: int = Field(0, description="Seed; the same seed gives the same map on one machine.")


class Decoding(Section):
    """What a linear read-out is asked of each layer's principal components."""

    labels: list[Name] = Field(
        ["identity", "expression", "sex", "valence", "arousal"],
        description="Labels that are decoded. Of identity, sessions or stretches of time are held "
        "out; of all others, people.",
    )
    folds: Annotated[int, Field(ge=2)] = Field(
        5, description="Parts of the people that are held out in turn, at most."
    )


class Analysis(Section):
    """What is measured on every network and face set."""

    labels: list[Name] = Field(
        ["identity", "expression"], description="Labels whose silhouettes are measured."
    )
    components: list[Count | Literal["all"]] = Field(
        [2, 5, 10, 20, 50, "all"],
        description="Numbers of principal components; `all` is the layer's full space.",
    )
    permutations: Annotated[int, Field(ge=0)] = Field(
        1000, description="Label permutations for the null distribution; 0 for none."
    )
    pictures_per_person: Annotated[int, Field(ge=2)] | None = Field(
        14,
        description="Where all people have twice as many pictures or more, identity is also scored "
        "on so many of each, drawn by chance (14 as in KDEF); null for never.",
    )
    decoding: Decoding = Field(Decoding(), description="Labels read out of the layers.")
    umap: Umap = Field(Umap(), description="UMAP of the layers' outputs.")
    gradcam_faces: Count = Field(
        200, description="Faces that Grad-CAM explains, spread over people and expressions."
    )
    activations: Literal["keep", "discard"] = Field(
        "discard",
        description="Keep the layers' full outputs on disk, or make the Gram matrices while they "
        "are recorded. Of a face set in shards they are on disk for a while in any case.",
    )
    precision: Literal["float32", "float16"] = Field(
        "float32",
        description="Of outputs on disk; float16 halves the files, which say what that cost.",
    )
    most_pictures: Annotated[int, Field(ge=2)] = Field(
        20_000,
        description="A face set of more pictures is measured on a sample, every k-th picture of "
        "each person; tables then say how large the error is.",
    )
    gpu: Annotated[int, Field(ge=0)] = Field(
        0,
        description="GPUs that a job with a network asks for; without one it ends with an error. "
        "With 0 it takes a GPU that it sees.",
    )


class Fig4(Section):
    """Figure 4: silhouettes by stage."""

    datasets: list[str] = Field(min_length=1, description="Face sets, a column of panels each.")
    networks: list[str] = Field(min_length=1, description="Networks, a line each.")
    labels: list[str] = Field(
        ["expression", "identity"], min_length=1, description="Labels, a row of panels each."
    )
    stages: list[str] = Field(
        ["early", "middle", "penultimate", "final"],
        min_length=2,
        description="Stages, from input to output.",
    )
    components: Count | Literal["all"] = Field(
        10, description="Number of principal components; must be among `analysis.components`."
    )
    band: Literal["range", "sd"] = Field(
        "range", description="Band over seeds: lowest to highest, or one standard deviation."
    )


class Fig1(Section):
    """Figure 1: the architecture of a network, and the table of its layers."""

    network: str = Field(description="Network that is drawn.")


class Fig2(Section):
    """Figure 2: what the layers of one network say, as maps, strips of faces and Grad-CAM."""

    dataset: str = Field(description="Face set, of few people with many pictures each.")
    network: str = Field(description="Network.")
    stages: list[str] = Field(
        ["early", "middle", "penultimate"],
        min_length=1,
        max_length=4,
        description="Stages that are mapped; faces are shown along the axes of the last map.",
    )
    faces: Count = Field(21, description="Faces along an axis.")
    expressions: list[str] = Field(
        ["happy", "angry"],
        min_length=1,
        max_length=2,
        description="Expressions of the faces that Grad-CAM is shown on: a smile and a frown.",
    )


class Fig3(Section):
    """Figure 3: people in pixels, in an untrained network and in one trained on objects."""

    dataset: str = Field(description="Face set, of few people with many pictures each.")
    pixels: str = Field(description="Network of the architecture `pixels`.")
    untrained: str = Field(description="Untrained network.")
    objects: str = Field(description="Network trained on objects.")


class _Study4(Section):
    """What the figures of Study 4 have in common."""

    dataset: str = Field(description="Face set, of many people who show each expression.")
    networks: list[str] = Field(min_length=1, max_length=4, description="Networks.")
    stage: str = Field("penultimate", description="Stage whose principal components are shown.")
    reference: str | None = Field(
        None,
        description="Network whose output gives valence and arousal (EmoFAN); the face set's own "
        "labels if not given.",
    )


class Fig5(_Study4):
    """Figure 5: principal components beside valence and arousal."""

    ratings: str | None = Field(
        None, description="Human ratings of other pictures, one of `ratings`, as a last panel."
    )


class Fig6(_Study4):
    """Figure 6: faces along principal components, valence and arousal."""

    faces: Count = Field(21, description="Faces along an axis.")


class Fig7(_Study4):
    """Figure 7: which expressions are named correctly, and where in the space."""


class Fig8(Section):
    """Figure 8: how much of the space is identity, valence-arousal and category, by layer."""

    dataset: str = Field(description="Face set, of many people who show each expression.")
    networks: list[str] = Field(
        min_length=1, max_length=4, description="Networks, a row of panels each."
    )
    components: Count = Field(
        10, description="Number of principal components; must be among `analysis.components`."
    )


class Layers(Section):
    """Layer curves: what is separate, readable and alike in each recorded layer."""

    dataset: str = Field(description="Face set.")
    networks: list[str] = Field(
        min_length=1,
        max_length=4,
        description="Networks, a column of panels each (`layers: all` looks at all of theirs).",
    )
    measure: Literal[
        "silhouette",
        "silhouette_macro",
        "silhouette_balanced",
        "silhouette_within",
        "silhouette_centred",
    ] = Field("silhouette_centred", description="Kind of silhouette; see docs/statistics.md.")
    components: Count | Literal["all"] = Field(
        10, description="Number of principal components; must be among `analysis.components`."
    )


class Cka(Section):
    """How alike the layers of Figure 4's networks are."""

    dataset: str = Field(description="Face set, one of Figure 4's.")
    networks: list[str] = Field(min_length=1, description="Networks, of those of Figure 4.")


class Controls(Section):
    """Tests of the draft's conjectures: few pictures, low-level properties, ten components."""

    datasets: list[str] = Field(
        min_length=2,
        max_length=4,
        description="Face set as it is, and the same with low-level properties made equal "
        "(`histogram: match`, `mask: oval`).",
    )
    networks: list[str] = Field(
        min_length=1, description="Networks that look at these, as a rule the pixels."
    )
    many: str = Field(
        description="Face set of Figure 4 with many pictures a person, of which "
        "`analysis.pictures_per_person` are drawn."
    )
    few: str = Field(description="Face set of Figure 4 with few pictures a person.")


class Figures(Section):
    """What the figures show; one without a section is not drawn."""

    fig1: Fig1 | None = Field(None, description="The architecture.")
    fig2: Fig2 | None = Field(None, description="One network's layers: maps, faces, Grad-CAM.")
    fig3: Fig3 | None = Field(None, description="People in pixels and in other networks.")
    fig4: Fig4 = Field(description="Silhouettes by stage.")
    fig5: Fig5 | None = Field(None, description="Principal components and affect.")
    fig6: Fig6 | None = Field(None, description="Faces along components and affect.")
    fig7: Fig7 | None = Field(None, description="Right and wrong answers in the space.")
    fig8: Fig8 | None = Field(None, description="Identity, affect and category by layer.")
    layers: Layers | None = Field(None, description="Curves over all recorded layers.")
    cka: Cka | None = Field(None, description="Similarity of layers, networks and seeds.")
    controls: Controls | None = Field(None, description="The draft's conjectures as tests.")


class Table1(Section):
    """Table 1: networks and face sets, beside what the paper reports of theirs."""

    networks: list[str] = Field(min_length=1, description="Networks, a row each.")
    datasets: list[str] = Field(min_length=1, description="Face sets, a row each.")
    test: str | None = Field(
        None,
        description="Face set whose expressions the networks name that were not trained in this "
        "run (those have an accuracy on their held-out part).",
    )


class Tables(Section):
    """What the tables show."""

    table1: Table1 | None = Field(
        None, description="Networks and face sets; not made if not given."
    )


class Uses(NamedTuple):
    """Names of what a figure or a table is made from; it can do without the last two."""

    datasets: list[str]
    networks: list[str]
    references: list[str]
    ratings: list[str]


# Keys of a figure that name one network.
_SINGLE_NETWORKS = ("network", "pixels", "untrained", "objects")


class Config(Section):
    """The whole config."""

    datasets: dict[Name, Dataset] = Field(min_length=1, description="Face sets by name.")
    networks: dict[Name, NetworkEntry] = Field(min_length=1, description="Networks by name.")
    ratings: dict[Name, Oasis] = Field({}, description="Human ratings of other pictures, by name.")
    analysis: Analysis = Field(Analysis(), description="What is measured.")
    figures: Figures = Field(description="What the figures show.")
    tables: Tables = Field(Tables(), description="What the tables show.")
    network: str | None = Field(
        None, description="For `snakemake list_layers`: the network whose layers are printed."
    )
    dataset: str | None = Field(
        None, description="For `snakemake list_layers`: the face set that sizes are given for."
    )
    assets: dict[str, str] = Field(
        {}, description="Local file of an asset, used instead of a download."
    )
    pathvars: dict[str, str] = Field(
        {}, description="Snakemake's path variables, e.g. `results: results/paper`."
    )

    @model_validator(mode="before")
    @classmethod
    def _singular_or_plural(cls, data: Any) -> Any:
        for key in ("network", "dataset"):
            if isinstance(data, Mapping) and isinstance(data.get(key), Mapping):
                raise _mistake("key", f"{key}: is one name; did you mean '{key}s'?")
        return data

    @model_validator(mode="after")
    def _names_exist(self) -> Config:
        for name, entry in self.networks.items():
            if entry.training is not None:
                where = f"networks.{name}.training.dataset"
                _check_name(where, entry.training.dataset, "face set", self.datasets)
        for name, entry in self.datasets.items():
            for network in entry.predictors:
                where = f"datasets.{name}.predicted_by"
                if network == entry.expression_from:
                    where = f"datasets.{name}.expression_from"
                _check_name(where, network, "network", self.networks)
                if self.networks[network].output_classes is None:
                    raise _mistake(
                        "key", f"{where} = '{network}': give that network the key 'classes'"
                    )
        _check_once("networks: label", [entry.label for entry in self.networks.values()])
        if self.network is not None:
            _check_name("network", self.network, "network", self.networks)
        if self.dataset is not None:
            _check_name("dataset", self.dataset, "face set", self.datasets)
        fig4 = self.figures.fig4
        for key in ("datasets", "networks", "labels", "stages"):
            _check_once(f"figures.fig4.{key}", getattr(fig4, key))
        for key in ("labels", "components"):
            _check_once(f"analysis.{key}", getattr(self.analysis, key))
        _check_once("analysis.decoding.labels", self.analysis.decoding.labels)
        self._check_figures()
        if self.tables.table1 is not None:
            self._check_table1(self.tables.table1)
        unknown = set(self.pathvars) - set(_PATHVARS)
        if unknown:
            hint = did_you_mean(min(unknown), _PATHVARS)
            raise _mistake("key", f"pathvars: unknown key '{min(unknown)}': {hint}")
        for name in fig4.datasets:
            _check_name("figures.fig4.datasets", name, "face set", self.datasets)
        for name in fig4.networks:
            _check_name("figures.fig4.networks", name, "network", self.networks)
            for stage in fig4.stages:
                stages = self.networks[name].stages
                where = f"figures.fig4.stages (network {name})"
                _check_name(where, stage, "stage", stages)
        for label in fig4.labels:
            _check_name("figures.fig4.labels", label, "measured label", self.analysis.labels)
        components = self.analysis.components
        _check_name("figures.fig4.components", fig4.components, "measured number", components)
        self._check_beside_figure4()
        return self

    def _check_figures(self) -> None:
        """That what the figures name exists; Figure 4's further keys are checked by themselves."""
        for figure, entry in self.figures:
            if entry is None or figure == "fig4":
                continue
            where = f"figures.{figure}"
            if getattr(entry, "dataset", None):
                _check_name(f"{where}.dataset", entry.dataset, "face set", self.datasets)
            for key in (*_SINGLE_NETWORKS, "reference"):
                if name := getattr(entry, key, None):
                    _check_name(f"{where}.{key}", name, "network", self.networks)
            for name in getattr(entry, "networks", []):
                _check_name(f"{where}.networks", name, "network", self.networks)
            _check_once(f"{where}.networks", getattr(entry, "networks", []))
        if fig2 := self.figures.fig2:
            _check_once("figures.fig2.stages", fig2.stages)
            for stage in fig2.stages:
                _check_name(
                    "figures.fig2.stages", stage, "stage", self.networks[fig2.network].stages
                )
        if fig3 := self.figures.fig3:
            self._check_fig3(fig3)
        for figure in ("fig5", "fig6", "fig7"):
            entry = getattr(self.figures, figure)
            if entry:
                stages = [stage for name in entry.networks for stage in self.networks[name].stages]
                _check_name(f"figures.{figure}.stage", entry.stage, "stage of its networks", stages)
            if entry and entry.reference and not self.networks[entry.reference].affect:
                raise _mistake(
                    "key",
                    f"figures.{figure}.reference = '{entry.reference}': that network's output says "
                    f"nothing of valence and arousal",
                )
        if self.figures.fig5 and self.figures.fig5.ratings:
            _check_name("figures.fig5.ratings", self.figures.fig5.ratings, "table", self.ratings)
        for figure in ("fig8", "layers"):
            if entry := getattr(self.figures, figure):
                where, components = f"figures.{figure}.components", self.analysis.components
                _check_name(where, entry.components, "measured number", components)

    def _check_beside_figure4(self) -> None:
        """That what is compared for Figure 4 is asked of its networks and face sets."""
        fig4, controls = self.figures.fig4, self.figures.controls
        if cka := self.figures.cka:
            _check_name("figures.cka.dataset", cka.dataset, "face set of Figure 4", fig4.datasets)
            for name in cka.networks:
                _check_name("figures.cka.networks", name, "network of Figure 4", fig4.networks)
        if controls:
            _check_once("figures.controls.datasets", controls.datasets)
            for name in controls.datasets:
                _check_name("figures.controls.datasets", name, "face set", self.datasets)
            for key in ("many", "few"):
                name = getattr(controls, key)
                where = f"figures.controls.{key}"
                _check_name(where, name, "face set of Figure 4", fig4.datasets)

    def _check_fig3(self, fig3: Fig3) -> None:
        """That pixels are pixels, and the untrained network is untrained."""
        if self.networks[fig3.pixels].architecture != "pixels":
            raise _mistake(
                "key",
                f"figures.fig3.pixels = '{fig3.pixels}': has another architecture than pixels",
            )
        if self.networks[fig3.untrained].weights != "untrained":
            raise _mistake("key", f"figures.fig3.untrained = '{fig3.untrained}': has weights")

    def _check_table1(self, table: Table1) -> None:
        for key, what in (("networks", "network"), ("datasets", "face set")):
            where, names = f"tables.table1.{key}", getattr(table, key)
            _check_once(where, names)
            for name in names:
                _check_name(where, name, what, getattr(self, key))
        if table.test is not None:
            _check_name("tables.table1.test", table.test, "face set", self.datasets)

    @property
    def uses(self) -> dict[str, Uses]:
        """What each figure and table is made from; Figure 1 takes no face set."""
        uses = {}
        for figure, entry in self.figures:
            if entry is None:
                continue
            labelled = [entry.dataset] if hasattr(entry, "dataset") else []
            datasets = getattr(entry, "datasets", labelled)
            single = (getattr(entry, key, None) for key in _SINGLE_NETWORKS)
            networks = [*getattr(entry, "networks", []), *filter(None, single)]
            references, ratings = (
                [*filter(None, [getattr(entry, key, None)])] for key in ("reference", "ratings")
            )
            names = (list(dict.fromkeys(part)) for part in (datasets, networks))
            uses[f"figures.{figure}"] = Uses(*names, references, ratings)
        if table := self.tables.table1:
            datasets = [*table.datasets, *filter(None, [table.test])]
            uses["tables.table1"] = Uses(
                list(dict.fromkeys(datasets)), list(table.networks), [], []
            )
        return uses

    @property
    def results(self) -> str:
        """Folder of the results."""
        return self.pathvars.get("results", "results")

    def weights_file(self, network: str, seed: int) -> str | None:
        """File that holds a network's weights, or the folder that holds the file.

        None where there is none; ``"imagenet"`` for weights that Keras Applications fetches.

        Parameters
        ----------
        network : str
            Name in the config.
        seed : int
            Instance of a trained network.
        """
        entry = self.networks[network]
        if entry.weights == "train":
            return f"{self.results}/networks/{network}/seed-{seed}/model.keras"
        if isinstance(entry.weights, Weights):
            if entry.weights.path:
                return entry.weights.path
            folder = self.asset_folder(entry.weights.asset)
            return f"{folder}/{entry.weights.member}" if entry.weights.member else folder
        return "imagenet" if entry.weights == "imagenet" else entry.keras

    def weights_target(self, network: str, seed: int) -> str | None:
        """What to ask Snakemake for to get a network's weights; None if they are not made."""
        asset = self.network_asset(network)
        if asset:
            return self.asset_folder(asset)
        trained = self.networks[network].weights == "train"
        return self.weights_file(network, seed) if trained else None

    def network_asset(self, network: str) -> str | None:
        """Asset that holds a network's weights, or None."""
        weights = self.networks[network].weights
        return weights.asset if isinstance(weights, Weights) else None

    def dataset_asset(self, dataset: str) -> str | None:
        """Asset that a face set is made from, or None where it is made from the user's files."""
        return {"rendered": "headmodel", "orl": "orl"}.get(self.datasets[dataset].source)

    def detector_asset(self, dataset: str) -> str | None:
        """Asset of the face detector if a face set is cropped, or None."""
        return "face_detector" if getattr(self.datasets[dataset], "crop", None) else None

    @property
    def assets_used(self) -> dict[str, str]:
        """For every asset that the config needs or names: the key that says so."""
        used = {name: f"assets.{name}" for name in self.assets}
        for dataset in self.datasets:
            for asset in (self.dataset_asset(dataset), self.detector_asset(dataset)):
                if asset:
                    used.setdefault(asset, f"datasets.{dataset}")
        for network in self.networks:
            if asset := self.network_asset(network):
                used[asset] = f"networks.{network}.weights.asset"
        return used

    def recorded_units(self, network: str) -> int:
        """Units of a network's recorded layers together, as far as they are known beforehand."""
        entry = self.networks[network]
        if entry.architecture is None:
            # Not known before it is loaded: as much as a wide first layer.
            return min(entry.input.size**2 * 64, 2_000_000)
        widths = layer_widths(entry.architecture)
        wanted = [*entry.stages.values(), *entry.layers]
        return sum(widths[layer] for layer in select_layers(widths, wanted))

    def asset_folder(self, asset: str) -> str:
        """Folder of an asset's files."""
        return f"{self.pathvars.get('resources', 'resources')}/assets/{asset}"


# All that can stand for `weights` without being a path or a section.
_WEIGHTS_WORDS = ("train", "untrained", "imagenet")
_PATHVARS = ("results", "resources", "logs", "benchmarks")


def _lift_torch(data: Mapping[str, Any]) -> dict[str, Any]:
    """The keys of a section `torch` as keys of the network."""
    section = data["torch"]
    if "module" not in section:
        raise _mistake("key", "torch.module: this key is missing")
    for key in section:
        if key not in ("module", "weights", "input"):
            hint = did_you_mean(key, ("module", "weights", "input"))
            raise _mistake("key", f"torch: unknown key '{key}': {hint}")
        if key != "module" and data.get(key) is not None:
            raise _mistake("key", f"torch.{key}: is given twice, here and beside 'torch'")
    rest = {key: value for key, value in section.items() if key != "module"}
    return {"torch": section["module"], **rest}


def _check_once(where: str, values: list) -> None:
    for value in values:
        if values.count(value) > 1:
            raise _mistake("key", f"{where}: '{value}' occurs twice")


def _check_name(where: str, name: object, what: str, known: Any) -> None:
    if name not in known:
        hint = did_you_mean(name, known)
        raise _mistake("key", f"{where} = '{name}': no such {what}; {hint}")


def load_config(
    config: Mapping[str, Any] | str | os.PathLike,
    manifest: Mapping[str, Mapping[str, Any]] | None = None,
) -> Config:
    """Check a config.

    Parameters
    ----------
    config : mapping or path-like
        What Snakemake read, or a YAML file.
    manifest : mapping, optional
        Assets, as `assets.read_manifest` gives them: those that the config names must
        be among them, and a network's classes those of its weights.

    Returns
    -------
    Config

    Raises
    ------
    FacestagesError
        If the file cannot be read; else one line for each mistake: key, value, what is allowed,
        the nearest match.
    """
    if not isinstance(config, Mapping):
        config = read_yaml(config)
    try:
        checked = Config.model_validate(config)
    except ValidationError as error:
        raise FacestagesError("\n".join(dict.fromkeys(_describe(error, config)))) from None
    for asset, key in checked.assets_used.items():
        if manifest is not None and asset not in manifest:
            hint = did_you_mean(asset, manifest)
            raise FacestagesError(f"config: {key} = '{asset}': no such asset; {hint}")
    for name, entry in checked.networks.items():
        asset = checked.network_asset(name)
        classes = (manifest or {}).get(asset, {}).get("classes", entry.output_classes)
        if classes != entry.output_classes:
            raise FacestagesError(
                f"config: networks.{name}.classes: the weights '{asset}' answer in the order "
                f"[{', '.join(classes)}]; give the key 'classes' so"
            )
    return checked


def _explains_more(item: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    """Who writes a section where a word would do means the section."""
    if other["type"] == "literal_error":
        return isinstance(item["input"], Mapping)
    return item["type"] == "unknown_key" != other["type"]


def _describe(error: ValidationError, config: Any) -> Iterator[str]:
    """One line a mistake; of the tried members of a union, the one that explains most."""
    by_path: dict[tuple, Any] = {}
    for item in error.errors():
        path = _user_path(item, config)
        if path not in by_path or _explains_more(item, by_path[path]):
            by_path[path] = item
    for path, item in by_path.items():
        where = "config: " + (".".join(map(str, path)) or "top level")
        context = item.get("ctx", {})
        if item["type"] == "unknown_key":
            yield f"{where}: {item['msg']}"
        elif item["type"] == "key":
            yield "config: " + ".".join([*map(str, path), item["msg"]])
        elif item["type"] == "value_error":
            yield f"{where}: {context['error']}"
        elif item["type"] == "missing":
            yield f"{where}: this key is missing; config/README.md explains every key"
        elif item["type"] in ("literal_error", "union_tag_invalid"):
            yield _describe_choice(where, item, context)
        elif item["type"] == "union_tag_not_found":
            key = context["discriminator"].strip("'")
            yield f"{where}: the key '{key}' is missing"
        else:
            message = item["msg"][0].lower() + item["msg"][1:]
            value = repr(item["input"])
            yield f"{where} = {value if len(value) < 80 else value[:76] + ' ...'}: {message}"


def _describe_choice(where: str, item: Mapping[str, Any], context: Mapping[str, Any]) -> str:
    if item["type"] == "literal_error":
        value, expected = item["input"], context["expected"].replace(" or ", ", ")
    else:
        value, expected = context["tag"], context["expected_tags"]
        where += "." + context["discriminator"].strip("'")
    allowed = [name.strip().strip("'") for name in expected.split(",")]
    return f"{where} = {value!r}: {did_you_mean(value, allowed)}"


def _user_path(item: Mapping[str, Any], config: Any) -> tuple:
    """The keys as the user wrote them: pydantic also names the tried member of a union."""
    path, node, members = [], config, set()
    for part in item["loc"]:
        if part in members:
            # Only once: a table's member `table` has a key of that name too.
            members = members - {part}
            continue
        if isinstance(node, Mapping) and part not in node and part in _torch_section(node):
            # Written there, and checked as a key of the network.
            path.append("torch")
            node = node["torch"]
        if isinstance(node, Mapping) and part in node:
            node, members = node[part], _chosen_members(node[part])
        elif isinstance(node, list) and isinstance(part, int):
            node = node[part]
        elif not (item["type"] == "missing" and part == item["loc"][-1]):
            continue
        path.append(part)
    return tuple(path)


def _torch_section(node: Mapping) -> Mapping:
    section = node.get("torch")
    return section if isinstance(section, Mapping) else {}


def _chosen_members(node: Any) -> set[str]:
    """Members of unions that a section of the config chooses by its discriminating keys."""
    chosen = [node.get(key) for key in ("source", "design")] if isinstance(node, Mapping) else []
    return {name for name in chosen if isinstance(name, str)}

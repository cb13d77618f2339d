"""How a network is trained, in the config."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field, field_validator, model_validator

from facestages.config.section import Count, Section, Share

#: Labels that a network can be trained on.
Label = Literal["expression", "identity"]


def _or_one(schema: dict[str, Any]) -> None:
    """Let a list of the JSON schema be one of its items, too."""
    of_list = {key: schema.pop(key) for key in ("type", "items", "minItems", "maxItems")}
    schema["anyOf"] = [of_list, of_list["items"]]


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
    by: Literal["stimulus", "session", "identity"] = Field(
        "stimulus",
        description="Hold out pictures (as many of each class), or whole sessions of each person, "
        "or whole people.",
    )
    stratify: list[Label] | None = Field(
        None,
        min_length=1,
        description="With `by: stimulus`, the labels whose shares are the same in both parts; if "
        "not given, those that are learnt. Networks with the same list here train on the same "
        "pictures, whatever they learn.",
    )
    strangers: float = Field(
        0.0,
        ge=0,
        lt=1,
        description="Share of the people who are set aside altogether. Whether two of their "
        "pictures are of one person is then judged by the layer before the output (AUC).",
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
    label: list[Label] = Field(
        ["expression"],
        min_length=1,
        max_length=2,
        description="What the network learns to tell: `expression`, `identity`, or both, each by "
        "an output of its own behind one trunk.",
        json_schema_extra=_or_one,
    )
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
    warmup_epochs: float = Field(
        0.0, ge=0, description="Linear rise of the rate before it falls along the cosine."
    )
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
        description="Train on labels that are dealt out to the pictures by chance: a control that "
        "sees as many faces, and learns nothing about the label.",
    )
    backend: Literal["tensorflow", "torch", "jax"] = Field(
        "tensorflow", description="What Keras computes with; choose one that knows the accelerator."
    )
    precision: Literal["float32", "mixed_bfloat16", "mixed_float16"] = Field(
        "float32",
        description="Arithmetic of the layers. Mixed precision is faster on accelerators and on "
        "processors with AVX512-BF16; weights are kept in float32 all the same.",
    )

    @model_validator(mode="after")
    def _keys_go_together(self) -> Training:
        if len(set(self.label)) != len(self.label):
            raise ValueError(f"label: '{self.label[0]}' is named twice")
        if "identity" in self.label and self.holdout.by == "identity" and not self.splits:
            raise ValueError(
                "holdout.by: with whole people held out, no picture is left to test whether people "
                "are known; give stimulus or session, and strangers for people who are not known"
            )
        if self.warmup_epochs and self.schedule == "plateau":
            raise ValueError("warmup_epochs goes with schedule: cosine alone")
        if self.class_weights != "none" and self.label != ["expression"]:
            raise ValueError("class_weights goes with label: expression alone")
        return self

    @field_validator("label", mode="before")
    @classmethod
    def _one_label(cls, given: Any) -> Any:
        return [given] if isinstance(given, str) else given

"""What a network expects at its input, in the config."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field, ValidationError, ValidatorFunctionWrapHandler, field_validator

from facestages.architectures import SCALINGS
from facestages.config.section import Count, Section


class Scaling(Section):
    """The mean and deviation, over its training pictures, of what a network expects."""

    mean: list[float] = Field(description="Of each channel, of values from 0 to 1.")
    deviation: list[Annotated[float, Field(gt=0)]] = Field(description="Of each channel, likewise.")


class Input(Section):
    """What a network expects at its input."""

    size: Count | Annotated[list[Count], Field(min_length=2, max_length=2)] = Field(
        description="Rows and columns of a square, or `[rows, columns]`. Pictures of other "
        "proportions are stretched."
    )
    channels: Literal[1, 3] = Field(description="1 grey, 3 RGB.")
    scaling: Literal[tuple(SCALINGS)] | Scaling = Field(
        "unit",
        description="unit: 0 to 1; symmetric: -1 to 1; none: 0 to 255; imagenet: ImageNet's mean "
        "and deviation, as torchvision; caffe: ImageNet's mean, blue first, as VGG16 in Keras; or "
        "`{mean: [...], deviation: [...]}`.",
    )
    grey: bool = Field(
        False,
        description="Show every picture in grey, its luminance in all `channels`; for a network "
        "with 3 channels that was trained on grey pictures.",
    )

    @field_validator("size", mode="wrap")
    @classmethod
    def _one_number_or_two(cls, value: Any, check: ValidatorFunctionWrapHandler) -> Any:
        try:
            return check(value)
        except ValidationError:
            raise ValueError(
                f"{value!r} is neither a whole number nor two, [rows, columns]"
            ) from None

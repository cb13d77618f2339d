"""How figures look."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from facestages.config.section import Name, Section

_COLOR = "^#[0-9A-Fa-f]{6}$"


class Style(Section):
    """How all figures look."""

    width: float = Field(
        180, ge=150, le=200, description="Width of a figure across the page, millimetres."
    )
    fonts: list[str] = Field(
        ["Arial", "Helvetica", "Liberation Sans", "DejaVu Sans"],
        min_length=1,
        description="Fonts; the first one that the machine has is used.",
    )
    colors: dict[Name, Annotated[str, Field(pattern=_COLOR)]] = Field(
        {}, description="Colour of a network in all figures, e.g. `nn1: '#0072B2'`."
    )
    talk: bool = Field(False, description="Larger type and thicker lines, for slides.")

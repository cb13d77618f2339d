"""The explorer in the config: which face sets and networks its page shows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from pydantic import Field

from facestages.config.section import Section, check_name, check_once

if TYPE_CHECKING:
    from facestages.config import Config


class Explorer(Section):
    """The explorer: a page on which every face of a layer is a point, and every layer a step."""

    datasets: list[str] | None = Field(
        None, min_length=1, description="Face sets; those of Figure 4 if not given."
    )
    networks: list[str] | None = Field(
        None, min_length=1, description="Networks; those of Figure 4 if not given."
    )
    neighbours: Annotated[int, Field(ge=1, le=30)] = Field(
        12, description="How many of the nearest faces in each layer the page holds of each face."
    )

    def check(self, config: Config) -> None:
        """Refuse face sets and networks that the config does not have."""
        named = (
            ("datasets", self.datasets, "face set", config.datasets),
            ("networks", self.networks, "network", config.networks),
        )
        for key, names, what, defined in named:
            check_once(f"explore.{key}", names or [])
            for name in names or []:
                check_name(f"explore.{key}", name, what, defined)

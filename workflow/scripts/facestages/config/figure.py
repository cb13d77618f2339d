"""What all figures and tables in the config have in common."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, NamedTuple

from facestages.config.section import Section, check_name, check_once

if TYPE_CHECKING:
    from facestages.config import Config


class Uses(NamedTuple):
    """Names of what a figure or table is made from.

    It can do without `affect_from` and ratings, and without some of the others.
    """

    datasets: list[str]
    networks: list[str]
    #: Networks whose output gives valence and arousal.
    affect_from: list[str]
    ratings: list[str]
    #: What people say of the faces, and recordings of their brains.
    references: list[str]


class Figure(Section):
    """A figure or table: `uses` says what it is made from, `check` what it refuses."""

    #: For each key that names something: the field of `Uses` that it belongs to.
    NAMES: ClassVar[dict[str, str]] = {"dataset": "datasets", "networks": "networks"}
    #: Keys of `NAMES` whose things the figure can do without.
    OPTIONAL: ClassVar[tuple[str, ...]] = ()
    #: Labels that the figure shows: with none of them there is nothing to see.
    LABELS: ClassVar[tuple[str, ...]] = ()
    #: Labels of parts of the figure, and what is blank without them.
    PARTS: ClassVar[dict[str, str]] = {}

    @property
    def labels_shown(self) -> list[str]:
        """`LABELS`, or those that the section names."""
        return list(self.LABELS)

    def named(self, key: str) -> list[str]:
        """The names that a key of `NAMES` gives: none, one or several."""
        value = dict(self)[key]
        return value if isinstance(value, list) else [] if value is None else [value]

    def uses(self, *, optional: bool = True) -> Uses:
        """Names of the face sets, networks and ratings that the figure is made from, each once."""
        uses: dict[str, dict[str, None]] = {kind: {} for kind in Uses._fields}
        for key, kind in self.NAMES.items():
            if optional or key not in self.OPTIONAL:
                uses[kind] |= dict.fromkeys(self.named(key))
        return Uses(*map(list, uses.values()))

    def check(self, where: str, config: Config) -> None:
        """Refuse what the rest of the config does not have; `where` is e.g. ``figures.fig4``.

        Raises
        ------
        pydantic_core.PydanticCustomError
            Naming the key, its value and the nearest that is allowed.
        """
        sections = {
            "datasets": ("face set", config.datasets),
            "networks": ("network", config.networks),
            "affect_from": ("network", config.networks),
            "ratings": ("table", config.ratings),
            "references": ("reference", config.references),
        }
        for key, kind in self.NAMES.items():
            check_once(f"{where}.{key}", self.named(key))
            for name in self.named(key):
                check_name(f"{where}.{key}", name, *sections[kind])

"""Figures and tables in the config: what each is made from, and what it refuses."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from pydantic import Field

from facestages.config.figure import Figure
from facestages.config.section import Count, Section, check_name, check_once, check_stage, mistake

if TYPE_CHECKING:
    from facestages.config import Config


#: Roles of the networks of Figure 3.
ROLES = ("pixels", "untrained", "objects")

AFFECT = ("valence", "arousal")


def _check_components(where: str, components: int | str, config: Config) -> None:
    if components not in (measured := config.analysis.components):
        text = f"not measured ({', '.join(map(str, measured))} are). Add it to analysis.components"
        raise mistake("key", f"{where}.components = '{components}': {text}")


class Fig1(Figure):
    """Figure 1: the architecture of a network, and the table of its layers."""

    NAMES = {"network": "networks"}
    network: str = Field(description="Network that is drawn.")


class Fig2(Figure):
    """Figure 2: the layers of one network as maps, strips of faces and Grad-CAM."""

    NAMES = {"dataset": "datasets", "network": "networks"}
    LABELS = ("identity", "expression")
    dataset: str = Field(description="Face set, of few people with many pictures each.")
    network: str = Field(description="Network.")
    stages: list[str] = Field(
        ["early", "middle", "penultimate"],
        min_length=1,
        max_length=4,
        description="Stages that are mapped; faces are shown along the axes of the last map.",
    )
    faces: Count = Field(11, description="Faces along an axis; 21 in the paper.")
    expressions: list[str] = Field(
        ["happy", "angry"],
        min_length=1,
        max_length=2,
        description="Expressions of the faces that Grad-CAM is shown on: a smile and a frown.",
    )

    def check(self, where: str, config: Config) -> None:
        super().check(where, config)
        check_once(f"{where}.stages", self.stages)
        for stage in self.stages:
            check_stage(f"{where}.stages", stage, config.networks[self.network].stages)


class Fig3(Figure):
    """Figure 3: people in pixels, in an untrained network and in one trained on objects."""

    NAMES = {"dataset": "datasets", **dict.fromkeys(ROLES, "networks")}
    LABELS = ("identity",)
    dataset: str = Field(description="Face set, of few people with many pictures each.")
    pixels: str = Field(description="Network of the architecture `pixels`.")
    untrained: str = Field(description="Untrained network.")
    objects: str = Field(description="Network trained on objects.")

    @property
    def roles(self) -> dict[str, str]:
        """The network in each role."""
        return {role: network for role, network in self if role in ROLES}

    def check(self, where: str, config: Config) -> None:
        super().check(where, config)
        if config.networks[self.pixels].architecture != "pixels":
            problem = "has another architecture than pixels"
            raise mistake("key", f"{where}.pixels = '{self.pixels}': {problem}")
        if config.networks[self.untrained].weights != "untrained":
            raise mistake("key", f"{where}.untrained = '{self.untrained}': has weights")


class Fig4(Figure):
    """Figure 4: silhouettes by stage."""

    NAMES = {"datasets": "datasets", "networks": "networks"}
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

    @property
    def labels_shown(self) -> list[str]:
        return self.labels

    def check(self, where: str, config: Config) -> None:
        super().check(where, config)
        for key, values in (("labels", self.labels), ("stages", self.stages)):
            check_once(f"{where}.{key}", values)
        for name in self.networks:
            for stage in self.stages:
                stages = config.networks[name].stages
                check_stage(f"{where}.stages (network {name})", stage, stages)
        for label in self.labels:
            check_name(f"{where}.labels", label, "measured label", config.analysis.labels)
        _check_components(where, self.components, config)


class Study4Figure(Figure):
    """What the figures of Study 4 have in common."""

    NAMES = {**Figure.NAMES, "reference": "affect_from"}
    dataset: str = Field(description="Face set, of many people who show each expression.")
    networks: list[str] = Field(min_length=1, max_length=4, description="Networks.")
    stage: str = Field("penultimate", description="Stage whose principal components are shown.")
    reference: str | None = Field(
        None,
        description="Network whose output gives valence and arousal (EmoFAN); the face set's own "
        "labels if not given.",
    )

    def check(self, where: str, config: Config) -> None:
        super().check(where, config)
        stages = [stage for name in self.networks for stage in config.networks[name].stages]
        check_stage(f"{where}.stage", self.stage, stages, "stage of its networks")
        if self.reference and not config.networks[self.reference].affect:
            problem = "that network's output says nothing of valence and arousal"
            raise mistake("key", f"{where}.reference = '{self.reference}': {problem}")


class Fig5(Study4Figure):
    """Figure 5: principal components beside valence and arousal."""

    NAMES = {**Study4Figure.NAMES, "ratings": "ratings"}
    PARTS = dict.fromkeys(AFFECT, "regressions and the reference")
    ratings: str | None = Field(
        None, description="Human ratings of other pictures, one of `ratings`, as a last panel."
    )


class Fig6(Study4Figure):
    """Figure 6: faces along principal components, valence and arousal."""

    PARTS = dict.fromkeys(AFFECT, "faces along them")
    faces: Count = Field(11, description="Faces along an axis; 21 in the paper.")


class Fig7(Study4Figure):
    """Figure 7: which expressions are named correctly, and where in the space."""

    LABELS = ("expression",)


class Fig8(Figure):
    """Figure 8: how much of the space is identity, valence-arousal and category, by layer."""

    LABELS = ("identity", "expression")
    PARTS = dict.fromkeys(AFFECT, "shares of valence-arousal")
    dataset: str = Field(description="Face set, of many people who show each expression.")
    networks: list[str] = Field(
        min_length=1, max_length=4, description="Networks, a row of panels each."
    )
    components: Count = Field(
        10, description="Number of principal components; must be among `analysis.components`."
    )

    def check(self, where: str, config: Config) -> None:
        super().check(where, config)
        _check_components(where, self.components, config)


class Fig9(Figure):
    """Figure 9: identity beside expression, by what networks were trained to tell."""

    NAMES = {"datasets": "datasets", "networks": "networks"}
    LABELS = ("identity", "expression")
    datasets: list[str] = Field(
        min_length=1,
        max_length=3,
        description="Face sets, four rows of panels each; one row of a set with one label alone.",
    )
    networks: list[str] = Field(
        min_length=1,
        description="Networks, a line each, in the colour of what they were trained to tell "
        "(`training.label`, or `task`); untrained ones among them.",
    )
    stages: list[str] = Field(
        ["early", "middle", "penultimate", "final"],
        min_length=2,
        description="Stages, from input to output.",
    )
    components: Count | Literal["all"] = Field(
        10,
        description="Number of principal components of the silhouettes; must be among "
        "`analysis.components`.",
    )

    def check(self, where: str, config: Config) -> None:
        super().check(where, config)
        check_once(f"{where}.stages", self.stages)
        stages = [stage for name in self.networks for stage in config.networks[name].stages]
        for stage in self.stages:
            check_stage(f"{where}.stages", stage, stages, "stage of its networks")
        _check_components(where, self.components, config)


class Fig10(Figure):
    """Figure 10: layers beside what people say of the faces, and recordings of their brains."""

    NAMES = {"dataset": "datasets", "networks": "networks", "references": "references"}
    LABELS = ("identity", "expression")
    dataset: str = Field(description="Face set.")
    networks: list[str] = Field(
        min_length=1,
        max_length=6,
        description="Networks, a line each. The first one's stages stand beside judgements, "
        "and its layers beside the moments of recordings.",
    )
    references: list[str] = Field(
        min_length=1, max_length=6, description="Those of `references` to show, a panel each."
    )

    def check(self, where: str, config: Config) -> None:
        super().check(where, config)
        for name in self.references:
            about = config.references[name].dataset
            if about != self.dataset:
                text = f"is about '{about}', and the figure about '{self.dataset}'"
                raise mistake("key", f"{where}.references: '{name}' {text}")


class Layers(Figure):
    """Layer curves: silhouettes, decoding and RSA of each recorded layer."""

    LABELS = ("identity", "expression")
    dataset: str = Field(description="Face set.")
    networks: list[str] = Field(
        min_length=1,
        max_length=4,
        description="Networks, a column of panels each; with `layers: all`, every layer of theirs.",
    )
    measure: Literal[
        "silhouette",
        "silhouette_macro",
        "silhouette_balanced",
        "silhouette_within",
        "silhouette_centred",
    ] = Field("silhouette_centred", description="Which one; see docs/explanation/statistics.md.")
    components: Count | Literal["all"] = Field(
        10, description="Number of principal components; must be among `analysis.components`."
    )

    def check(self, where: str, config: Config) -> None:
        super().check(where, config)
        _check_components(where, self.components, config)


class Multiverse(Figure):
    """Whether expression rises and identity falls, by measure, components and layers compared."""

    NAMES = {"datasets": "datasets", "networks": "networks"}
    LABELS = ("identity", "expression")
    datasets: list[str] = Field(
        min_length=1, max_length=3, description="Face sets, a row of panels a network each."
    )
    networks: list[str] = Field(
        min_length=1, max_length=5, description="Networks, an untrained one among them."
    )


class Cka(Figure):
    """How alike the layers of Figure 4's networks are."""

    dataset: str = Field(description="Face set, one of Figure 4's.")
    networks: list[str] = Field(min_length=1, description="Networks, of those of Figure 4.")

    def check(self, where: str, config: Config) -> None:
        super().check(where, config)
        fig4 = config.figures.fig4
        check_name(f"{where}.dataset", self.dataset, "face set of Figure 4", fig4.datasets)
        for name in self.networks:
            check_name(f"{where}.networks", name, "network of Figure 4", fig4.networks)


class Controls(Figure):
    """Tests of the draft's conjectures: few pictures, low-level properties, ten components."""

    NAMES = {"datasets": "datasets", "networks": "networks"}
    LABELS = ("identity", "expression")
    datasets: list[str] = Field(
        min_length=2,
        max_length=4,
        description="Face set as it is, and the same with low-level properties made equal "
        "(`histogram: match`, `mask: oval`).",
    )
    networks: list[str] = Field(
        min_length=1, description="Networks that look at both, as a rule the pixels."
    )
    many: str = Field(description="Face set of Figure 4 with many pictures a person.")
    few: str = Field(
        description="Face set of Figure 4 with few pictures a person. Both are also compared on "
        "`analysis.people` people with `analysis.pictures_per_person` pictures each."
    )

    def check(self, where: str, config: Config) -> None:
        super().check(where, config)
        for key, name in (("many", self.many), ("few", self.few)):
            defined = config.figures.fig4.datasets
            check_name(f"{where}.{key}", name, "face set of Figure 4", defined)


class Figures(Section):
    """What the figures show; one without a section is not drawn."""

    caption: bool = Field(False, description="Whether captions also stand below the figures.")
    fig1: Fig1 | None = Field(None, description="The architecture.")
    fig2: Fig2 | None = Field(None, description="One network's layers: maps, faces, Grad-CAM.")
    fig3: Fig3 | None = Field(None, description="People in pixels and in other networks.")
    fig4: Fig4 = Field(description="Silhouettes by stage.")
    fig5: Fig5 | None = Field(None, description="Principal components and affect.")
    fig6: Fig6 | None = Field(None, description="Faces along components and affect.")
    fig7: Fig7 | None = Field(None, description="Right and wrong answers in the space.")
    fig8: Fig8 | None = Field(None, description="Identity, affect and category by layer.")
    fig9: Fig9 | None = Field(None, description="Networks trained on identity, and on expression.")
    fig10: Fig10 | None = Field(None, description="People's judgements and brains beside layers.")
    layers: Layers | None = Field(None, description="Curves over all recorded layers.")
    multiverse: Multiverse | None = Field(None, description="Claims by every choice of measure.")
    cka: Cka | None = Field(None, description="Similarity of layers, networks and seeds.")
    controls: Controls | None = Field(None, description="The draft's conjectures as tests.")


class Table1(Figure):
    """Table 1: networks and face sets, beside what the paper reports of theirs."""

    NAMES = {"networks": "networks", "datasets": "datasets", "test": "datasets"}
    OPTIONAL = ("test",)
    networks: list[str] = Field(min_length=1, description="Networks, a row each.")
    datasets: list[str] = Field(min_length=1, description="Face sets, a row each.")
    test: str | None = Field(
        None,
        description="Face set on which networks are tested whose weights come from elsewhere. "
        "Networks trained in this run are tested on their held-out part.",
    )


class Tables(Section):
    """What the tables show."""

    table1: Table1 | None = Field(
        None, description="Networks and face sets; not made if not given."
    )

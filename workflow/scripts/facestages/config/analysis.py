"""What the config says is measured on every network and face set."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from facestages.config.section import Count, Label, Section


class Umap(Section):
    """UMAP, as umap-learn does it; the defaults are its own."""

    neighbours: Annotated[int, Field(ge=2)] = Field(15, description="Neighbours of a picture.")
    min_dist: Annotated[float, Field(ge=0, le=1)] = Field(
        0.1, description="How near to each other points may come in the map."
    )
    seed: int = Field(0, description="Seed; the same seed gives the same map on one machine.")


class Decoding(Section):
    """Labels that a linear read-out decodes from each layer's principal components."""

    labels: list[Label] = Field(
        ["identity", "expression", "sex", "valence", "arousal"],
        description="Labels that are decoded. For identity, sessions or stretches of time are held "
        "out; for all others, people.",
    )
    folds: Annotated[int, Field(ge=2)] = Field(
        5, description="Largest number of parts, of the people, that are held out in turn."
    )


class Analysis(Section):
    """What is measured on every network and face set."""

    labels: list[Label] = Field(
        ["identity", "expression"], description="Labels whose silhouettes are measured."
    )
    components: list[Count | Literal["all"]] = Field(
        [2, 10, 50, "all"],
        description="Numbers of principal components; `all` is the layer's full space.",
    )
    permutations: Annotated[int, Field(ge=0)] = Field(
        1000,
        description="Label permutations for p-values, of the numbers of components that figures "
        "show; 0 for none.",
    )
    chance_permutations: Annotated[int, Field(ge=0)] = Field(
        100,
        description="Label permutations of all other numbers of components, where their mean alone "
        "is used: what chance gives. As many as `permutations` test them as well.",
    )
    pictures_per_person: Annotated[int, Field(ge=2)] | None = Field(
        14,
        description="Figure `controls` compares identity on so many pictures of each person, drawn "
        "by chance where there are more (14 as in KDEF); null for all.",
    )
    people: Annotated[int, Field(ge=3)] | None = Field(
        12,
        description="Figure `controls` compares identity on so many people, drawn by chance where "
        "there are more; null for all.",
    )
    decoding: Decoding = Field(Decoding(), description="Labels read out of the layers.")
    umap: Umap = Field(Umap(), description="UMAP of the layers' outputs.")
    gradcam_faces: Count = Field(
        200,
        description="Faces that Grad-CAM explains: rendered ones spread over people and "
        "expressions, photographs chosen by chance.",
    )
    activations: Literal["keep", "discard"] = Field(
        "discard",
        description="Keep the layers' full outputs on disk, or make the Gram matrices while they "
        "are recorded. Outputs of a face set in shards are always on disk for a while.",
    )
    precision: Literal["float32", "float16"] = Field(
        "float32",
        description="Precision of outputs on disk; float16 halves the files, which then tell the "
        "rounding errors.",
    )
    most_pictures: Annotated[int, Field(ge=2)] = Field(
        20_000,
        description="A face set of more pictures is measured on a sample, every k-th picture of "
        "each person; tables then give the sampling error.",
    )
    gpu: Annotated[int, Field(ge=0)] = Field(
        0,
        description="GPUs that a job with a network asks for; without one it ends with an error. "
        "With 0 it takes a GPU that it sees.",
    )

"""References in the config: what people say of the faces, and recordings of their brains."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from facestages.config.section import Count, Section, UserPath

_COLUMNS = Field(
    {},
    description="The column of the table by the name that it has here, where it is called "
    "otherwise, e.g. `{picture: Stimulus, rater: ResponseId}`.",
)


class Reference(Section):
    """What all references have in common."""

    label: str = Field(description="Name in figures.")
    dataset: str = Field(description="The face set whose pictures it is about.")
    cite: Annotated[str, Field(min_length=1)] = Field(
        description="Its source, which is shown wherever it is used: authors, year, doi, or who "
        "was asked, and how."
    )

    def given(self) -> dict[str, str]:
        """The user's files and folders, by the key that names each."""
        return {"path": self.path}


class RatingsReference(Reference):
    """Ratings of pictures on any scales: valence, arousal, trustworthiness, fear ..."""

    source: Literal["ratings"] = Field(description="What it is made from.")
    path: UserPath = Field(
        description="CSV, a rating a row (`picture`, `rater`, `scale`, `rating`), a picture and "
        "rater a row (`picture`, `rater`, a column a scale), or a picture a row with the mean of "
        "each scale (`valence`, perhaps `valence_sd` and `valence_n`). OASIS is read as it is."
    )
    columns: dict[str, str] = _COLUMNS
    scales: list[str] | None = Field(
        None, min_length=1, description="The scales to take; if not given, all."
    )


class PairsReference(Reference):
    """Dissimilarities of pairs of pictures: ratings, arrangements, same or different."""

    source: Literal["pairs"] = Field(description="What it is made from.")
    path: UserPath = Field(
        description="CSV with the columns `picture`, `other`, `dissimilarity` and, if people are "
        "told apart, `rater`."
    )
    columns: dict[str, str] = _COLUMNS
    similarity: bool = Field(
        False,
        description="Larger numbers are more alike; the column may be called `similarity` then.",
    )


class TripletsReference(Reference):
    """Odd ones out of three pictures."""

    source: Literal["triplets"] = Field(description="What it is made from.")
    path: UserPath = Field(
        description="CSV with the columns `a`, `b`, `odd` (the odd one out) and, if people are "
        "told apart, `rater`."
    )
    columns: dict[str, str] = _COLUMNS


class RdmsReference(Reference):
    """A stack of dissimilarity matrices: fMRI by region, MEG or EEG by time, sites, people."""

    source: Literal["rdms"] = Field(description="What it is made from.")
    path: UserPath = Field(
        description="`.npy`, `.mat` or rsatoolbox's HDF5 file, with the axes subject, time, "
        "condition, condition, of which the first two may lack; or the reverse. The last two may "
        "be one axis of pairs. Of five axes the second are sessions."
    )
    conditions: UserPath | None = Field(
        None,
        description="CSV with the column `picture`, a row for each condition in the order of the "
        "array; or with `condition` too, and a row for each picture of a condition. rsatoolbox's "
        "file may name the pictures itself.",
    )
    times: UserPath | Annotated[list[float], Field(min_length=1)] | None = Field(
        None, description="Times of the array: a list, or a CSV with the column `time`."
    )
    time_unit: Literal["ms", "s"] = Field(
        "ms", description="Unit of the times, also of those in rsatoolbox's file."
    )
    variable: str | None = Field(
        None, description="Name of the array in a `.mat` file that has several."
    )

    def given(self) -> dict[str, str]:
        paths = {"path": self.path, "conditions": self.conditions, "times": self.times}
        return {key: path for key, path in paths.items() if isinstance(path, str)}


class ConfusionsReference(Reference):
    """How often people gave which answer to which expression."""

    source: Literal["confusions"] = Field(description="What it is made from.")
    path: UserPath = Field(
        description="CSV with the columns `expression`, `answer` and perhaps `count` and `rater`; "
        "without `count`, a row is an answer. Any words are taken."
    )
    columns: dict[str, str] = _COLUMNS


class JozwikReference(Reference):
    """Similarity of face pairs by Jozwik et al. 2022, doi:10.1073/pnas.2115047119."""

    source: Literal["jozwik"] = Field(description="What it is made from.")
    label: str = Field("Judged similarity (Jozwik 2022)", description="Name in figures.")
    cite: str = Field(
        "Jozwik, O'Keeffe, Storrs, Guo, Golan and Kriegeskorte 2022, PNAS 119, "
        "doi:10.1073/pnas.2115047119",
        description="Its source, which is shown wherever it is used.",
    )
    path: UserPath = Field(
        description="Folder of the sessions, `main` or `isotropicity` of osf.io/7bh6s. The faces "
        "of pair 7 are the pictures `pair_007_left` and `pair_007_right` of the face set."
    )


Weight = Annotated[float, Field(ge=0)]


class Mixture(Section):
    """By what simulated observers judge."""

    identity: Weight = Field(0.5, description="Whether two pictures show different people.")
    affect: Weight = Field(0.3, description="The distance in the plane of valence and arousal.")
    category: Weight = Field(0.2, description="Whether two pictures show different expressions.")


class Course(Section):
    """When simulated observers judge by what, in ms: the planted order of stages."""

    identity: float = Field(100, description="When identity is strongest.")
    affect: float = Field(150, description="When affect is strongest.")
    category: float = Field(200, description="When category is strongest.")
    width: Annotated[float, Field(gt=0)] = Field(
        40, description="Standard deviation of the course of each."
    )
    start: float = Field(-50, description="First time.")
    end: float = Field(400, description="Last time.")
    step: Annotated[float, Field(gt=0)] = Field(10, description="Distance of two times.")

    @model_validator(mode="after")
    def _times_are_few(self) -> Course:
        if not self.start < self.end or (self.end - self.start) / self.step > 10_000:
            raise ValueError("'start', 'end' and 'step' must give from 2 to 10,000 times")
        return self


class SimulatedReference(Reference):
    """Simulated observers of a face set with known labels; they are no people."""

    source: Literal["simulated"] = Field(description="What it is made from.")
    label: str = Field("Simulated observers", description="Name in figures.")
    cite: str = Field(
        "Simulated: no person has judged",
        description="Its source, which is shown wherever it is used.",
    )
    judge: Literal["pairs", "ratings"] = Field(
        "pairs",
        description="What they judge: how unlike two pictures are, by `weights`; or valence and "
        "arousal of each picture, by its labels.",
    )
    weights: Mixture = Field(Mixture(), description="By what they judge pairs.")
    raters: Count = Field(20, description="Number of observers.")
    reliability: Annotated[float, Field(gt=0, le=1)] = Field(
        0.5,
        description="Share of the variance of an observer's judgements that all have in common.",
    )
    seed: int = Field(0, ge=0, description="Seed; the same seed gives the same judgements.")
    times: Course | None = Field(
        None, description="When they judge by what, as in MEG; if not given, there is no time."
    )
    pictures: Annotated[int, Field(ge=8, le=2000)] = Field(
        100, description="How many pictures they see, evenly over people, about four of each."
    )

    def given(self) -> dict[str, str]:
        return {}

    @model_validator(mode="after")
    def _only_pairs_have_times(self) -> SimulatedReference:
        if self.judge == "ratings" and self.times is not None:
            raise ValueError("'times' goes with 'judge: pairs'")
        return self

    @model_validator(mode="after")
    def _is_called_simulated(self) -> SimulatedReference:
        for key, text in (("label", self.label), ("cite", self.cite)):
            if "simulated" not in text.lower():
                raise ValueError(f"'{key}' must have the word 'simulated' in it")
        return self


ReferenceEntry = Annotated[
    RatingsReference
    | PairsReference
    | TripletsReference
    | RdmsReference
    | ConfusionsReference
    | JozwikReference
    | SimulatedReference,
    Field(discriminator="source"),
]

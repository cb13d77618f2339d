"""What a face set is made from, and how many of its pictures are measured."""

from __future__ import annotations

import os
from collections.abc import Sequence
from functools import cache
from typing import TYPE_CHECKING

from facestages import subsets
from facestages.config.figures import AFFECT
from facestages.errors import FacestagesError
from facestages.face_tables import reading_as_text, reading_of
from facestages.plan.given import Given, give, require_usable
from facestages.plan.presence import given_in
from facestages.plan.sources import SOURCES, Source

if TYPE_CHECKING:
    from facestages.plan import Plan

# Keys that change neither pictures nor labels: names in figures, who is shown, shards, predictions.
_LATER = {"label", "paper", "may_show", "expression_from", "predicted_by", "shards"}

# Keys that decide labels. All but the first three change no picture.
_OF_LABELS = {"source", "path", "table", "norms", "sources", "subject_list", "action_units"}
_OF_LABELS |= {"columns", "rename"}
_OF_LABELS_ALONE = _OF_LABELS - {"source", "path", "table"}

# Pictures of a face set whose number cannot be foreseen; it decides memory and time alone.
_UNFORESEEN = 2000


class FaceSets:
    """Answers about face sets; methods that rules call take the wildcards of a job."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.config = plan.config
        # The disk is looked at once a run.
        self.subjects = cache(self.subjects)
        self.foreseen = cache(self.foreseen)
        self.sampling_step = cache(self.sampling_step)
        self.labels_known = cache(self.labels_known)

    def kind(self, dataset: str) -> Source:
        """Facts of a face set's kind."""
        return SOURCES[self.config.datasets[dataset].source]

    def foreseen(self, dataset: str) -> list[int]:
        """The most pictures that a face set may have, person by person.

        Pictures that turn out to be missing, doubled or without a face make it smaller. The
        official numbers of FER2013, KDEF and ORL are taken, whatever the user's copy holds.
        """
        entry, kind = self.config.datasets[dataset], self.kind(dataset)
        if kind.has_videos and not self.plan.is_absent("datasets", dataset):
            return [entry.frames_per_person] * len(self.subjects(dataset))
        return kind.count(entry)

    def sampling_step(self, dataset: str) -> int:
        """The k for which every k-th picture of each person is measured."""
        if step := self.sample_given(dataset):
            return int(step[0][-1])
        pictures = self.foreseen(dataset)
        try:
            return subsets.sampling_step(pictures, self.config.analysis.most_pictures)
        except FacestagesError as error:
            raise FacestagesError(f"config: datasets.{dataset}: {error}") from None

    def sample_given(self, dataset: str) -> Given:
        """As `given`, of a sample: its step, and who is on the pictures, by a user's table."""
        entry, sample = self.config.datasets[dataset], self.plan.path("sample", dataset=dataset)
        if entry.source != "table" or not (os.path.exists(entry.table) or os.path.exists(sample)):
            return []
        most = self.config.analysis.most_pictures
        reading = reading_as_text(entry.columns, entry.rename, "identity")
        told = ("step", entry.table, most, *reading), ("people of a table", entry.table, *reading)
        return self._give(dataset, sample, *told)

    def _give(self, dataset: str, product: str, *told: tuple) -> Given:
        section = f"datasets.{dataset}"
        self.labels_known(dataset)
        return [one for item in told for one in give(self.plan, section, product, *item)]

    def labels_known(self, dataset: str) -> list[str] | None:
        """Labels that a face set has before anything is made of it; None if that is not known.

        Norms may add others.

        Raises
        ------
        FacestagesError
            If a user's table lacks a column that it must have, or is none.
        """
        entry, kind = self.config.datasets[dataset], self.kind(dataset)
        given = given_in(self.config, f"datasets.{dataset}")
        if kind.labels is None or not all(os.path.exists(item.path) for item in given):
            return None
        require_usable(given)
        try:
            predicted = ["expression"] if entry.expression_from else []
            return [*kind.labels(entry), *predicted]
        except FacestagesError as error:
            raise FacestagesError(f"config: datasets.{dataset}: {error}") from None

    def lacking(self, dataset: str, labels: Sequence[str]) -> list[str]:
        """Those of some labels that a face set lacks, as far as that is known before a run."""
        try:
            have = self.labels_known(dataset)
        except FacestagesError:
            # The figures that show the face set end the run with this error.
            return []
        norms = "norms" in self.config.datasets[dataset].given()
        if have is None:
            # Photographs come with valence and arousal in norms alone.
            unknown = norms or self.kind(dataset).is_rendered
            return [] if unknown else [name for name in labels if name in AFFECT]
        return [name for name in labels if name not in have and not (norms and name in AFFECT)]

    def n_measured(self, dataset: str) -> int:
        """How many pictures of a face set are measured, at most."""
        size = subsets.sample_size(self.foreseen(dataset), self.sampling_step(dataset))
        return size or _UNFORESEEN

    def whole(self, dataset: str) -> str:
        """File of a face set."""
        return self.plan.path("stimuli", dataset=dataset)

    def measured(self, dataset: str) -> str:
        """File of a face set, or of its sample where it is too large to be measured as a whole."""
        product = "sample" if self.sampling_step(dataset) > 1 else "stimuli"
        return self.plan.path(product, dataset=dataset)

    def labels(self, dataset: str) -> str:
        """File of a face set's labels; a sample's are among them."""
        return self.plan.path("labels", dataset=dataset)

    def is_handed_in(self, dataset: str) -> bool:
        """Whether a face set is made from files of the user's."""
        return bool(self.kind(dataset).given)

    def described(self, dataset: str) -> str:
        """As `measured`; the whole face set where no step measures it."""
        uses, table1 = self.config.uses, self.config.tables.table1
        shown = {n for name, use in uses.items() if "figures." in name for n in use.datasets}
        measured = shown | {table1 and table1.test}
        if dataset in measured or self.config.datasets[dataset].predictors:
            return self.measured(dataset)
        return self.whole(dataset)

    def label_predictions(self, dataset: str) -> str | list[str]:
        """Predictions that replace a face set's expression label, or nothing."""
        network = self.config.datasets[dataset].expression_from
        return self.plan.path("predictions", self.plan.first(dataset, network)) if network else []

    def sheet_labels(self, dataset: str) -> str | list[str]:
        """As `label_predictions`; nothing for a sample, as the contact sheet shows all pictures."""
        is_sample = self.described(dataset) != self.whole(dataset)
        return [] if is_sample else self.label_predictions(dataset)

    def report_classes(self, dataset: str) -> dict[str, list[str]]:
        """Expressions that each network of `report_predictions` can give."""
        networks = self._report_networks(dataset)
        return {name: self.config.networks[name].output_classes for name in networks}

    def report_predictions(self, dataset: str) -> list[str]:
        """Predictions that the report compares with the face set's own labels."""
        networks = self._report_networks(dataset)
        return [self.plan.path("predictions", self.plan.first(dataset, name)) for name in networks]

    def _report_networks(self, dataset: str) -> list[str]:
        return self.plan.at_hand("networks", self.config.datasets[dataset].predictors)

    def source(self, dataset: str) -> str | list[str]:
        """What a face set is made from: an asset, or the frames of its videos."""
        kind = self.kind(dataset)
        if kind.asset:
            return self.plan.path("asset", asset=kind.asset)
        if kind.has_videos:
            subjects = self.subjects(dataset)
            return [self.plan.path("frames", dataset=dataset, subject=one) for one in subjects]
        return []

    def detector(self, dataset: str) -> str | list[str]:
        """Folder of the face detector, if a face set is cropped."""
        asset = self.detector_asset(dataset)
        return self.plan.path("asset", asset=asset) if asset else []

    def frames_detector(self, dataset: str) -> str | list[str]:
        """As `detector`, of a video set whose people are known: a wrong list ends the run here."""
        self.subjects(dataset)
        return self.detector(dataset)

    def detector_asset(self, dataset: str) -> str | None:
        """Asset of the face detector, if a face set is cropped."""
        return "face_detector" if self.config.datasets[dataset].framing else None

    def entry(self, dataset: str) -> dict:
        """The part of a face set's section that decides its pictures."""
        entry = self.config.datasets[dataset].model_dump(exclude=_LATER | _OF_LABELS_ALONE)
        if self.kind(dataset).has_videos:
            # The other keys have decided the frames, which come as files.
            return {"source": "frames", "size": entry["size"], "crop": entry["crop"]}
        return entry | self._reading(dataset)

    def _reading(self, dataset: str, *labels: str) -> dict:
        """Keys that say how a user's table is read, as far as pictures and some labels go."""
        entry = self.config.datasets[dataset]
        if entry.source != "table":
            return {}
        keys = ("columns", "rename")
        return dict(zip(keys, reading_of(entry.columns, entry.rename, *labels), strict=True))

    def label_entry(self, dataset: str) -> dict:
        """The part of a face set's section that decides its labels."""
        entry = self.config.datasets[dataset].model_dump(include=_OF_LABELS)
        return entry | ({"source": "frames"} if self.kind(dataset).has_videos else {})

    def frames_entry(self, dataset: str) -> dict:
        """The part of a face set's section that decides the frames of one video."""
        entry = self.config.datasets[dataset].model_dump(
            exclude=_LATER | _OF_LABELS_ALONE | {"subjects", "source"}
        )
        if entry["crop"]:
            # The other keys act on all frames together.
            entry["crop"] = {key: entry["crop"][key] for key in ("margin", "failures")}
        return entry

    def given(self, dataset: str) -> Given:
        """The user's pictures that a face set is made from; of videos, the people."""
        kind = self.kind(dataset)
        if kind.has_videos:
            return self._people(dataset)
        told = [] if kind.asset else [kind.pictures(self.config.datasets[dataset])]
        return self._give(dataset, self.whole(dataset), *told)

    def people_entry(self, dataset: str) -> dict:
        """The part of a face set's section that decides who is on its pictures."""
        entry = self.label_entry(dataset)
        kept = {key: entry[key] for key in ("source", "table") if key in entry}
        return kept | self._reading(dataset, "identity")

    def _people(self, dataset: str) -> Given:
        entry = self.config.datasets[dataset]
        listed = isinstance(entry.subjects, list)
        wanted = " ".join(entry.subjects) if listed else entry.subjects
        told = ("people", entry.path, entry.camera, wanted, entry.subject_list)
        return self._give(dataset, self.whole(dataset), told)

    def labels_given(self, dataset: str) -> Given:
        """The user's tables of labels; of videos, the files of action units as well."""
        entry, items = self.config.datasets[dataset], given_in(self.config, f"datasets.{dataset}")
        tables = (item for item in items if item.given.has_labels and item.given.wanted == "table")
        told = [("content", item.path) for item in tables]
        if self.kind(dataset).has_videos:
            people = " ".join(self.subjects(dataset))
            told.append(("action units", entry.path, people))
        return self._give(dataset, self.labels(dataset), *told)

    def crop_margin(self, dataset: str) -> float | None:
        """Margin of a face set's crop by the eyes; None where it was not cropped."""
        crop = self.config.datasets[dataset].framing
        return crop.margin if crop else None

    def ratings_given(self, ratings: str) -> Given:
        """The user's file of human ratings."""
        path, product = (
            self.config.ratings[ratings].path,
            self.plan.path("ratings", ratings=ratings),
        )
        return give(self.plan, f"ratings.{ratings}", product, "content", path)

    def subjects(self, dataset: str) -> list[str]:
        """The people of a video set: as listed, or those whose videos are there."""
        return self._people(dataset)[0][-1].split()

    def frames_given(self, dataset: str, subject: str) -> Given:
        """A person's video, and the action units, which decide which frames are taken."""
        entry = self.config.datasets[dataset]
        product = self.plan.path("frames", dataset=dataset, subject=subject)
        return self._give(dataset, product, ("person", entry.path, entry.camera, subject))

    def waiting_videos(self, dataset: str) -> list[str]:
        """People whose video is yet to be decoded."""
        return [
            subject
            for subject in self.subjects(dataset)
            if not os.path.exists(self.plan.path("frames", dataset=dataset, subject=subject))
        ]

    def listed(self) -> str:
        """The face set that `list_layers` gives sizes for."""
        return self.config.dataset or self.config.figures.fig4.datasets[0]

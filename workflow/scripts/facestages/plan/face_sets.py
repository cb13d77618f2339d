"""What a face set is made from, and how many of its pictures are measured."""

from __future__ import annotations

import os
from functools import cache
from typing import TYPE_CHECKING

from facestages import disfa_files, provenance, subsets
from facestages.errors import FacestagesError
from facestages.plan.presence import given_in, missing_message, require
from facestages.plan.sources import SOURCES, Source

if TYPE_CHECKING:
    from facestages.plan import Plan

# Keys that change neither pictures nor labels: names in figures, shards, and predictions.
_LATER = {"label", "paper", "expression_from", "predicted_by", "shards"}

# Keys that decide labels. All but the first three change no picture.
_OF_LABELS = {"source", "path", "table", "norms", "sources", "subject_list", "action_units"}
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
        entry = self.config.datasets[dataset]
        noted = self.plan.path("sample_step", dataset=dataset)
        if entry.source == "table" and not os.path.exists(entry.table) and os.path.exists(noted):
            # The table's disk is not mounted: the step stays as it was.
            return int(_read(noted))
        pictures = self.foreseen(dataset)
        try:
            return subsets.sampling_step(pictures, self.config.analysis.most_pictures)
        except FacestagesError as error:
            raise FacestagesError(f"config: datasets.{dataset}: {error}") from None

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

    def report_predictions(self, dataset: str) -> list[str]:
        """Predictions that the report compares with the face set's own labels."""
        networks = self.plan.at_hand("networks", self.config.datasets[dataset].predictors)
        return [self.plan.path("predictions", self.plan.first(dataset, name)) for name in networks]

    def source(self, dataset: str) -> str | list[str]:
        """What a face set is made from: an asset, the frames of its videos, or the user's files."""
        kind = self.kind(dataset)
        if kind.asset:
            return self.plan.path("asset", asset=kind.asset)
        if kind.has_videos:
            subjects = self.subjects(dataset)
            return [self.plan.path("frames", dataset=dataset, subject=one) for one in subjects]
        paths = {
            item.key: require(item, self.whole(dataset))
            for item in given_in(self.config, f"datasets.{dataset}")
            if item.key != "folder"
        }
        # A table counts by two of its columns (`files`), as the others are labels.
        return paths.get("path", [])

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
        return entry

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

    def files(self, dataset: str) -> str:
        """Digest of the names, sizes and times of a user's files; of videos, who is chosen.

        If the files are gone, for example because a disk is not mounted, it is the digest of the
        files last read, so that what was made from them stays good.
        """
        entry, kind = self.config.datasets[dataset], self.kind(dataset)
        if kind.asset:
            return ""
        if kind.has_videos:
            return f"{entry.subjects}: {' '.join(self.subjects(dataset))}"
        noted = self.plan.path("stimuli_files", dataset=dataset)
        if not os.path.exists(entry.pictures) and os.path.exists(noted):
            return _read(noted)
        return kind.digest(entry)

    def label_files(self, dataset: str) -> str:
        """Digest of the content of the user's files of labels, as `files`."""
        noted = self.plan.path("labels_files", dataset=dataset)
        items = given_in(self.config, f"datasets.{dataset}")
        paths = [require(item, noted) for item in items if item.given.has_labels]
        if not all(map(os.path.exists, paths)):
            return _read(noted)
        if self.kind(dataset).has_videos:
            entry = self.config.datasets[dataset]
            for subject in self.subjects(dataset):
                paths += disfa_files.subject_files(entry.path, subject, entry.camera)[1:]
        return provenance.digest_contents(paths)

    def people_entry(self, dataset: str) -> dict:
        """The part of a face set's section that decides who is on its pictures."""
        entry = self.label_entry(dataset)
        return {key: entry[key] for key in ("source", "table") if key in entry}

    def people(self, dataset: str) -> str:
        """Digest of who is on a user's pictures, as far as labels alone tell; else nothing."""
        entry = self.config.datasets[dataset]
        return provenance.digest_column(entry.table, "identity") if entry.source == "table" else ""

    def crop_margin(self, dataset: str) -> float | None:
        """Margin of a face set's crop by the eyes; None where it was not cropped."""
        crop = self.config.datasets[dataset].framing
        return crop.margin if crop else None

    def ratings_source(self, ratings: str) -> str:
        """The user's file of human ratings."""
        (item,) = given_in(self.config, f"ratings.{ratings}")
        return require(item, self.plan.path("ratings", ratings=ratings))

    def subjects(self, dataset: str) -> list[str]:
        """The people of a video set: as listed, or those whose videos are there."""
        entry = self.config.datasets[dataset]
        noted = self.plan.path("stimuli_files", dataset=dataset)
        for item in given_in(self.config, f"datasets.{dataset}"):
            if not os.path.exists(require(item, noted)):
                # The disk is not mounted: the people stay who they were, if the same are wanted.
                wanted, _, people = _read(noted).partition(": ")
                if wanted != str(entry.subjects):
                    raise FacestagesError(missing_message(item))
                return people.split()
        try:
            return disfa_files.choose_subjects(
                entry.path, entry.camera, entry.subjects, entry.subject_list
            )
        except FacestagesError as error:
            raise FacestagesError(f"config: datasets.{dataset}: {error}") from None

    def video_digest(self, dataset: str, subject: str) -> str:
        """Digest of a person's video and label files, as `files`.

        Action units are labels, but decide which frames are taken, and how many there are.
        """
        entry = self.config.datasets[dataset]
        noted = self.plan.path("frames_files", dataset=dataset, subject=subject)
        if os.path.exists(noted) and not all(map(os.path.exists, entry.given().values())):
            return _read(noted)
        try:
            files = disfa_files.subject_files(entry.path, subject, entry.camera)
        except FacestagesError as error:
            raise FacestagesError(f"config: datasets.{dataset}: {error}") from None
        return provenance.digest_stats(entry.path, files)

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


def _read(path: str) -> str:
    """What an earlier run noted of the user's files."""
    with open(path, encoding="utf-8") as file:
        return file.read()

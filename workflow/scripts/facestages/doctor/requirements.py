"""What a config needs from outside: is it there, and if not, how to get it.

``resources/gated.yaml`` says how to get what users must ask for themselves, the manifest what a run
fetches from a package index.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from facestages import disfa_files
from facestages.architectures import INSTALL_ZOO, ZOOS
from facestages.assets import RESOURCES
from facestages.config import Config
from facestages.errors import FacestagesError
from facestages.face_tables import read_face_table
from facestages.odd_labels import odd_words, oddities, without_groups
from facestages.picture_paths import find_pictures, missing_pictures
from facestages.plan import Plan, presence, targets
from facestages.plan.presence import GivenPath, find_problem, given_paths, known_sources

_ADDRESS = {
    "pip": "package index, {}",
    "npm": "registry of npm, {}",
    "url": "{}",
    "file": "comes with the project, {}",
}
# Where an asset is that was not fetched yet.
_PLACES = {"pip": "package index", "npm": "registry of npm"}


class Requirement(NamedTuple):
    """A thing that the config needs from outside."""

    #: Key of the config that names it, or could, e.g. ``datasets.kdef.path``.
    key: str
    #: Title.
    what: str
    #: The path where it was looked for; where it will come from, if a run fetches it.
    where: str
    found: bool
    #: A run fetches it on first use, so that it is never missing.
    fetched_by_us: bool
    # How to get it; empty where only the user knows.
    address: str
    licence: str
    request: str
    size: str
    #: Digest of each file, as far as they are published.
    sha256: dict[str, str]
    #: ``datasets.NAME``, ``networks.NAME``, ``ratings.NAME``, ``references.NAME``,
    #: ``figures.NAME``, ``tables.NAME``.
    needed_by: list[str]
    #: Why it is not found, or what is odd about it.
    note: str = ""
    #: What is made of it is there, so that a run can do without it.
    spent: bool = False
    #: What to look for in it.
    files: str = ""
    citation: str = ""

    @property
    def missing(self) -> bool:
        """Whether the user must act."""
        return not (self.found or self.fetched_by_us or self.spent)


class Target(NamedTuple):
    """Something to ask Snakemake for."""

    path: str
    #: It is there already.
    made: bool
    #: Keys of the requirements that it waits for.
    lacking: list[str]
    #: Keys of the requirements that it does without.
    left_out: list[str]


def list_requirements(
    config: Config, manifest: Mapping[str, Mapping], gated: Mapping[str, Mapping]
) -> list[Requirement]:
    """List what a config needs from outside, and look for each thing.

    First come the user's own files and folders, in the order of the config, then assets. A path
    that cannot be looked at is not found; its note says why. `manifest` and `gated` are as
    `assets.read_manifest` and `plan.presence.read_gated` give them.
    """
    plan = Plan(config, manifest, absent={})
    needs = targets.sections_needed(plan)

    def needed_by(*sections: str) -> list[str]:
        return [name for name, needed in needs.items() if not set(needed).isdisjoint(sections)]

    sources = known_sources(manifest, gated)
    given = [
        _given(plan, item, sources.get(item.given.gated, {}), needed_by(item.section))
        for item in given_paths(config)
    ]
    assets = [
        _asset(plan, name, manifest[name], needed_by(*users))
        for name, users in _asset_users(plan).items()
    ]
    pretrained = [
        _pretrained(plan, name, needed_by(f"networks.{name}"))
        for name, entry in config.networks.items()
        if entry.weights == "pretrained"
    ]
    return [*given, *assets, *pretrained]


def _asset_users(plan: Plan) -> dict[str, list[str]]:
    """Assets that the config needs or names, and the sections that use each."""
    users: dict[str, list[str]] = {name: [] for name in plan.config.assets}
    for name in plan.config.datasets:
        for asset in (plan.face_sets.kind(name).asset, plan.face_sets.detector_asset(name)):
            if asset:
                users.setdefault(asset, []).append(f"datasets.{name}")
    for name in plan.config.networks:
        if asset := plan.networks.asset(name):
            users.setdefault(asset, []).append(f"networks.{name}")
    return users


def _given(
    plan: Plan, item: GivenPath, source: Mapping[str, object], needed_by: list[str]
) -> Requirement:
    known_bytes = dict(source.get("sha256", {}))
    note = find_problem(item.path, item.given.wanted) or _disfa_problem(item, plan.config)
    found = not note
    if found and known_bytes:
        note = _unknown_bytes(item.path, known_bytes)
    elif found and item.key == "table":
        found, note = _look_into_table(plan, item.section.partition(".")[2])
    return Requirement(
        item.address,
        what=source.get("title", "your own files"),
        where=item.path,
        found=found,
        fetched_by_us=False,
        address=source.get("address", ""),
        licence=source.get("licence", ""),
        request=source.get("request", item.given.how),
        size=source.get("size", ""),
        sha256=known_bytes,
        needed_by=needed_by,
        note=note,
        spent=not found and presence.is_spent(plan, item.section),
        files=source.get("files", ""),
        citation=source.get("citation", ""),
    )


def _asset(plan: Plan, name: str, entry: Mapping, needed_by: list[str]) -> Requirement:
    """An asset: a file of the user's, unpacked, downloaded, or still to be fetched."""
    ((kind, source),) = entry["source"].items()
    folder, local = plan.path("asset", asset=name), plan.config.assets.get(name)
    downloads = plan.path("asset", asset="downloads")
    archive = os.path.join(downloads, entry["file"])
    places = (folder, RESOURCES / source if kind == "file" else archive)
    existing = next((str(place) for place in places if os.path.exists(place)), None)
    note = find_problem(local, "file") if local else ""
    if local:
        request = f"Correct assets.{name} in the config; without that key, a run fetches the file."
    elif kind == "file":
        request = "Comes with the project: git checkout brings it back."
    else:
        request = f"On first use; without a connection, put {entry['file']} into {downloads}/."
    return Requirement(
        key=f"assets.{name}",
        what=name,
        where=local or existing or _PLACES.get(kind, "its address below"),
        found=not note if local else existing is not None,
        fetched_by_us=not local,
        address=_ADDRESS[kind].format(source),
        licence=entry["licence"],
        request=request,
        size=f"{entry['bytes']:,} bytes",
        sha256={entry["file"]: entry["sha256"]},
        needed_by=needed_by,
        note=note,
        citation=entry["citation"],
    )


def _pretrained(plan: Plan, network: str, needed_by: list[str]) -> Requirement:
    """Weights that a library fetches into its cache in the user's home."""
    kind, name = plan.config.networks[network].zoo
    title, fetched = ZOOS[kind].title, plan.networks.fetched(network)
    request = f"On first use, by {title}, into its cache in your home."
    if plan.networks.zoo_version(kind) is None:
        request += f" {ZOOS[kind].package} is not installed here: {INSTALL_ZOO}."
    return Requirement(
        key=f"networks.{network}.weights",
        what=f"{name} weights",
        where=fetched if os.path.exists(fetched) else title,
        found=os.path.exists(fetched),
        fetched_by_us=True,
        address="",
        licence=f"as {title} says of this network",
        request=request,
        size="",
        sha256={},
        needed_by=needed_by,
    )


def _disfa_problem(item: GivenPath, config: Config) -> str:
    """Say what is wrong with the videos of a DISFA face set, or with the list of its people."""
    part, name = item.section.split(".", 1)
    if part != "datasets" or config.datasets[name].source != "disfa":
        return ""
    entry, path = config.datasets[name], item.path
    try:
        if item.key == "path":
            people = entry.subjects if isinstance(entry.subjects, list) else "all"
            disfa_files.choose_subjects(path, entry.camera, people)
        elif item.key == "subject_list":
            disfa_files.read_subject_list(path)
            if os.path.exists(entry.path):
                disfa_files.choose_subjects(entry.path, entry.camera, entry.subjects, path)
    except FacestagesError as error:
        return str(error).removeprefix(f"{path}: ")
    except OSError as error:
        return f"cannot be looked into ({error.strerror})"
    return ""


def _look_into_table(plan: Plan, dataset: str) -> tuple[bool, str]:
    """Whether a table of pictures can be read; why not, or what seems odd about it."""
    entry = plan.config.datasets[dataset]
    try:
        _, rows = read_face_table(entry.table, entry.columns, entry.rename)
        found = find_pictures(entry.pictures, [row["path"] for row in rows])
    except FacestagesError as error:
        return False, str(error).removeprefix(f"{entry.table}: ")
    _, problem = missing_pictures(entry.pictures, found)
    odd = without_groups(rows) + oddities(rows, entry.rename)
    odd += odd_words(entry.table, entry.columns, entry.rename)
    return not problem, problem or "; ".join(odd)


def _unknown_bytes(path: str, digests: Mapping[str, str]) -> str:
    """Say that a file is none of those with these digests, or nothing."""
    try:
        with open(path, "rb") as stream:
            digest = hashlib.file_digest(stream, "sha256").hexdigest()
    except OSError as error:
        return f"its bytes could not be compared ({error.strerror})"
    if digest in digests.values():
        return ""
    return f"its bytes are not the known ones: sha256 {digest}"


def list_targets(config: Config, requirements: Sequence[Requirement]) -> list[Target]:
    """Say what can be made now, what is left out of it, and what the rest waits for.

    The plan decides, as it does for a run, what is absent and what can be made without it. A run
    stops at what is there and of no use, e.g. an empty folder, so its figures wait for that.
    Targets are face sets, trained networks, tables of ratings, references, figures and tables. The
    seeds of a network are one target, in the shell's notation: ``seed-{0,1}``.
    """
    plan, missing = Plan(config), [r for r in requirements if r.missing]
    left_out = {r.key for r in missing if plan.absent.keys() >= set(_sections(r))}
    listed = []
    for name, files in targets.products(plan).items():
        keys = [r.key for r in missing if name in r.needed_by]
        without = [key for key in keys if key in left_out] if name in plan.drawable else []
        listed.append(
            Target(
                path=_join_seeds(files),
                made=all(map(os.path.exists, files)),
                lacking=[key for key in keys if key not in without],
                left_out=without,
            )
        )
    return listed


def _sections(requirement: Requirement) -> list[str]:
    """Sections of the config that cannot do without a requirement."""
    if requirement.key.startswith("assets."):
        return [name for name in requirement.needed_by if name.startswith(("datasets", "networks"))]
    return [".".join(requirement.key.split(".")[:2])]


def _join_seeds(files: Sequence[str]) -> str:
    """Write files that differ in one place as one pattern of the shell."""
    if len(files) == 1:
        return files[0]
    start = os.path.commonprefix(files)
    end = os.path.commonprefix([file[len(start) :][::-1] for file in files])[::-1]
    between = ",".join(file[len(start) : len(file) - len(end)] for file in files)
    return f"{start}{{{between}}}{end}"

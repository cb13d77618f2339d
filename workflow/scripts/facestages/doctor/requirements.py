"""What a config needs from outside: is it there, and if not, how to get it.

``resources/gated.yaml`` says how to get what users must ask for themselves, the manifest what a run
fetches from a package index. Snakemake imports this module at the start of every run, so nothing
heavy is imported here.
"""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from facestages import disfa_files
from facestages.architectures import ARCHITECTURES
from facestages.assets import RESOURCES, read_manifest
from facestages.config import Config, Weights
from facestages.errors import FacestagesError, did_you_mean
from facestages.files import ARCHIVE_SUFFIXES, read_yaml
from facestages.plan import Planner

#: How to get what users must ask for themselves.
GATED = RESOURCES / "gated.yaml"

_KEYS = ("title", "address", "licence", "request", "size", "files", "citation")
_ADDRESS = {"pip": "package index, {}", "url": "{}", "file": "comes with the project, {}"}
_NOT_THERE = "no such file or folder"
_COMMAND = "snakemake check_resources"

# What a key of a face set names; "path" depends on the face set's source.
_WANTED = {"table": "table", "folder": "folder", "norms": "table", "subject_list": "table"}
_OWN = {
    "table": "A CSV table with the columns path and identity; config/README.md names the others.",
    "folder": "The folder of the table's pictures.",
    "norms": "A CSV table of human ratings by picture name (picture, valence, arousal, ...).",
    "subject_list": "Write it: a CSV table with the columns subject (SN001, ...) and sex (female "
    "or male), a row for each person whose video is there.",
    "keras": "A Keras file of the network, its architecture inside.",
    "weights.path": "A file of the network's weights.",
}


class Requirement(NamedTuple):
    """A thing that the config needs from outside.

    Attributes
    ----------
    key : str
        Key of the config that names it, or could, e.g. ``datasets.kdef.path``.
    what : str
        Title.
    where : str
        The path where it was looked for; where it will come from, if a run fetches it.
    found : bool
    fetched_by_us : bool
        A run fetches it on first use, so that it is never missing.
    address, licence, request, size : str
        How to get it; empty where nobody but the user knows.
    sha256 : dict of str to str
        Known bytes by file.
    needed_by : list of str
        ``datasets.NAME``, ``networks.NAME``, ``ratings.NAME``, ``figures.NAME``,
        ``tables.NAME``.
    note : str
        Why it is not found, or what is odd about it.
    spent : bool
        What is made of it is there, so that a run can do without it.
    files : str
        What to look for in it.
    citation : str
    """

    key: str
    what: str
    where: str
    found: bool
    fetched_by_us: bool
    address: str
    licence: str
    request: str
    size: str
    sha256: dict[str, str]
    needed_by: list[str]
    note: str = ""
    spent: bool = False
    files: str = ""
    citation: str = ""

    @property
    def missing(self) -> bool:
        """Whether the user must act."""
        return not (self.found or self.fetched_by_us or self.spent)


class Target(NamedTuple):
    """Something to ask Snakemake for.

    Attributes
    ----------
    path : str
    made : bool
        It is there already.
    lacking : list of str
        Keys of the requirements that it waits for.
    """

    path: str
    made: bool
    lacking: list[str]


def read_gated(path: str | os.PathLike = GATED) -> dict[str, dict]:
    """Read and check the list of what users must get themselves.

    Parameters
    ----------
    path : path-like
        ``resources/gated.yaml``.

    Returns
    -------
    dict of str to dict
        By name: ``title``, ``address``, ``licence``, ``request``, ``size``, ``files``,
        ``citation``, all text, and perhaps ``sha256``, hashes by file.

    Raises
    ------
    FacestagesError
        If the file is missing, is not YAML, or an entry is incomplete.
    """
    content = read_yaml(path)
    for name, entry in content.items():
        if not isinstance(entry, dict):
            raise FacestagesError(f"{path}: '{name}': must hold the keys {', '.join(_KEYS)}")
        for key in entry:
            if key not in (*_KEYS, "sha256"):
                raise FacestagesError(
                    f"{path}: '{name}': unknown key '{key}'; {did_you_mean(key, _KEYS)}"
                )
        for key in _KEYS:
            if not isinstance(entry.get(key), str):
                raise FacestagesError(f"{path}: '{name}': '{key}' must be there, and be text")
    return content


# ------------------------------------------------------------------------------- what is needed


def list_requirements(
    config: Config, manifest: Mapping[str, Mapping], gated: Mapping[str, Mapping]
) -> list[Requirement]:
    """List what a config needs from outside, and look for each thing.

    Parameters
    ----------
    config : Config
    manifest : mapping
        Assets, as `assets.read_manifest` gives them.
    gated : mapping
        What users must get themselves, as `read_gated` gives it.

    Returns
    -------
    list of Requirement
        First the user's own files and folders, in the order of the config, then assets. A path
        that cannot be looked at is not found; its note says why.
    """
    needs = _needs(config)

    def users_of(key):
        return _needed_by(needs, [_section(key)])

    given = [
        _given(config, {**_as_gated(manifest), **gated}, key, path, wanted, users_of(key))
        for key, path, wanted in _given_paths(config)
    ]
    users = _asset_users(config)
    assets = [
        _asset(config, name, manifest[name], _needed_by(needs, users.get(name, [])))
        for name in config.assets_used
    ]
    imagenet = [
        _imagenet(name, users_of(f"networks.{name}.weights"))
        for name, entry in config.networks.items()
        if entry.weights == "imagenet"
    ]
    return [*given, *assets, *imagenet]


def _as_gated(manifest: Mapping[str, Mapping]) -> dict[str, dict]:
    """Entries of the manifest that an architecture's name finds, for weights given as a path."""
    return {
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


def _given_paths(config: Config) -> Iterator[tuple[str, str, str]]:
    """Key, path, and what must be there, for all files and folders that the config names."""
    for name, entry in config.datasets.items():
        wanted = {"path": "either" if entry.source == "fer2013" else "folder", **_WANTED}
        for key, kind in wanted.items():
            if (path := getattr(entry, key, None)) is not None:
                yield f"datasets.{name}.{key}", path, kind
    for name, entry in config.networks.items():
        if entry.keras:
            yield f"networks.{name}.keras", entry.keras, "file"
        if isinstance(entry.weights, Weights) and entry.weights.path:
            yield f"networks.{name}.weights.path", entry.weights.path, "file"
    for name, entry in config.ratings.items():
        yield f"ratings.{name}.path", entry.path, "table"


def _given(
    config: Config,
    gated: Mapping[str, Mapping],
    key: str,
    path: str,
    wanted: str,
    needed_by: list[str],
) -> Requirement:
    entry = gated.get(_gated_name(key, config), {})
    known = dict(entry.get("sha256", {}))
    note = _problem(path, wanted) or _disfa_problem(key, path, config)
    found = not note
    if found and known:
        note = _unknown_bytes(path, known)
    made = _made_of(key, config)
    return Requirement(
        key,
        what=entry.get("title", "your own files"),
        where=path,
        found=found,
        fetched_by_us=False,
        address=entry.get("address", ""),
        licence=entry.get("licence", ""),
        request=entry.get("request", _OWN.get(key.split(".", 2)[2], "")),
        size=entry.get("size", ""),
        sha256=known,
        needed_by=needed_by,
        note=note,
        spent=not found and bool(made) and all(map(os.path.exists, made)),
        files=entry.get("files", ""),
        citation=entry.get("citation", ""),
    )


def _asset(config: Config, name: str, entry: Mapping, needed_by: list[str]) -> Requirement:
    """An asset: a file of the user's, unpacked, downloaded, or still to be fetched."""
    ((kind, source),) = entry["source"].items()
    folder, local = config.asset_folder(name), config.assets.get(name)
    archive = os.path.join(config.asset_folder("downloads"), entry["file"])
    places = (folder, RESOURCES / source if kind == "file" else archive)
    there = next((str(place) for place in places if os.path.exists(place)), None)
    note = _problem(local, "file") if local else ""
    if local:
        request = f"Correct assets.{name} in the config; without that key, a run fetches the file."
    elif kind == "file":
        request = "Comes with the project: git checkout brings it back."
    else:
        downloads = config.asset_folder("downloads")
        request = f"On first use; without a connection, put {entry['file']} into {downloads}/."
    return Requirement(
        key=f"assets.{name}",
        what=name,
        where=local or there or ("package index" if kind == "pip" else "its address below"),
        found=not note if local else there is not None,
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


def _imagenet(network: str, needed_by: list[str]) -> Requirement:
    """Weights of VGG16 that Keras Applications fetches into its cache in the user's home."""
    cache = Path(os.environ.get("KERAS_HOME") or Path.home() / ".keras", "models")
    file = cache / "vgg16_weights_tf_dim_ordering_tf_kernels.h5"
    return Requirement(
        key=f"networks.{network}.weights",
        what="VGG16 weights",
        where=str(file) if file.exists() else "Keras Applications",
        found=file.exists(),
        fetched_by_us=True,
        address=f"https://storage.googleapis.com/tensorflow/keras-applications/vgg16/{file.name}",
        licence="CC BY 4.0 (Visual Geometry Group, University of Oxford)",
        request=f"On first use, by Keras; without a connection, put the file into {cache}.",
        size="553,467,096 bytes",
        sha256={},
        needed_by=needed_by,
        citation="Simonyan and Zisserman 2015, Very deep convolutional networks for large-scale "
        "image recognition, ICLR, arXiv:1409.1556.",
    )


def _section(key: str) -> str:
    return ".".join(key.split(".")[:2])


def _gated_name(key: str, config: Config) -> str | None:
    """Entry of the gated list that a path belongs to, or None."""
    section, name, rest = key.split(".", 2)
    if section == "networks":
        return config.networks[name].architecture
    source = getattr(config, section)[name].source
    if rest == "norms":
        return "kdef_pt" if source == "kdef" else None
    return source if rest == "path" else None


def _made_of(key: str, config: Config) -> list[Path]:
    """What does in place of a path once it is made."""
    section, name, _ = key.split(".", 2)
    results = Path(config.results)
    if section == "networks":
        seed = f"seed-{config.networks[name].seeds[0]}"
        made = [
            results / "geometry" / dataset / name / f"{seed}.h5"
            for figure, uses in config.uses.items()
            for dataset in uses.datasets
            if figure.startswith("figures.") and name in uses.networks
        ]
        made += _later_products(config, name)
        made += [
            results / "predictions" / dataset / name / f"{seed}.csv"
            for dataset, entry in config.datasets.items()
            if name in entry.predictors
        ]
        return list(dict.fromkeys(made))
    if section == "ratings":
        return [results / "ratings" / f"{name}.csv"]
    return [results / "stimuli" / f"{name}.h5"]


def _later_products(config: Config, network: str) -> list[Path]:
    """Tables and maps of the figures that a network's weights are opened for once more."""
    plans, figures = Planner(config, {}), config.figures
    files = [
        *(plans.fig7().files["answers"] if figures.fig7 else []),
        *(plans.fig8().files["predictions"] if figures.fig8 else []),
        *(plans.path("attribution", one, "h5") for one in plans.attributions()),
    ]
    return [Path(file) for file in files if network in Path(file).parts]


def _needs(config: Config) -> dict[str, list[str]]:
    """For all that can be made: the sections of the config whose things it is made from."""
    needs = {
        f"{part}.{name}": [f"{part}.{name}"]
        for part in ("datasets", "networks", "ratings")
        for name in getattr(config, part)
    }
    for name, entry in config.networks.items():
        if entry.weights == "train":
            needs[f"networks.{name}"].append(f"datasets.{entry.training.dataset}")
    for figure, uses in config.uses.items():
        networks = [*uses.networks, *uses.references]
        if figure == "figures.fig1":
            # Of most networks, the code alone says what their layers are.
            networks = [name for name in networks if not described_by_code(config, name)]
        elif figure != "tables.table1":
            labelling = (config.datasets[name].expression_from for name in uses.datasets)
            networks += filter(None, labelling)
        direct = [f"datasets.{name}" for name in uses.datasets]
        direct += [f"networks.{name}" for name in networks]
        direct += [f"ratings.{name}" for name in uses.ratings]
        needs[figure] = list(dict.fromkeys(part for name in direct for part in needs[name]))
    return needs


def described_by_code(config: Config, network: str) -> bool:
    """Whether a network's layers are known without its weights."""
    architecture = config.networks[network].architecture
    return bool(architecture) and ARCHITECTURES[architecture].builder is not None


def _needed_by(needs: Mapping[str, list[str]], sections: Sequence[str]) -> list[str]:
    return [name for name, of in needs.items() if not set(of).isdisjoint(sections)]


def _asset_users(config: Config) -> dict[str, list[str]]:
    """Sections of the config that use an asset."""
    users: dict[str, list[str]] = {}
    for name in config.datasets:
        for asset in (config.dataset_asset(name), config.detector_asset(name)):
            users.setdefault(asset, []).append(f"datasets.{name}")
    for name in config.networks:
        users.setdefault(config.network_asset(name), []).append(f"networks.{name}")
    return users


# ------------------------------------------------------------------------------- looking at paths


def _problem(path: str, wanted: str) -> str:
    """Say why a path is not what is wanted, or nothing.

    Parameters
    ----------
    path : str
    wanted : {"folder", "table", "file", "either"}
        A table is a file that is no archive; a file may be of any kind, as weights are.
    """
    reason, mode = _look_at(path)
    if reason:
        return reason
    packed = path.lower().endswith(ARCHIVE_SUFFIXES)
    if stat.S_ISREG(mode):
        if packed and wanted != "file":
            return "is an archive: unpack it first"
        if wanted == "folder":
            return "is a file where a folder is wanted"
        return "" if os.access(path, os.R_OK) else "may not be read: change its permissions"
    if not stat.S_ISDIR(mode):
        return "is neither a file nor a folder"
    if wanted in ("file", "table"):
        return "is a folder where a file is wanted"
    return _folder_problem(path)


def _look_at(path: str) -> tuple[str, int]:
    """Why a path cannot be looked at, or nothing; and its mode."""
    try:
        return "", os.stat(path).st_mode
    except (FileNotFoundError, NotADirectoryError):
        return ("is a link to nothing" if os.path.islink(path) else _NOT_THERE), 0
    except OSError as error:
        return f"cannot be looked at ({error.strerror})", 0
    except ValueError:
        return "is no path", 0


def _folder_problem(path: str) -> str:
    try:
        names = sorted(name for name in os.listdir(path) if not name.startswith("."))
    except OSError as error:
        return f"cannot be looked into ({error.strerror})"
    if not names:
        return "is an empty folder"
    if all(name.lower().endswith(ARCHIVE_SUFFIXES) for name in names):
        return f"holds nothing but {names[0]}: unpack it first"
    return ""


def _disfa_problem(key: str, path: str, config: Config) -> str:
    """What the search for people's videos, or their list, says of a DISFA face set's path."""
    section, name, rest = key.split(".", 2)
    if section != "datasets" or config.datasets[name].source != "disfa":
        return ""
    entry = config.datasets[name]
    try:
        if rest == "path":
            people = entry.subjects if isinstance(entry.subjects, list) else "all"
            disfa_files.choose_subjects(path, entry.camera, people)
        elif rest == "subject_list":
            disfa_files.read_subject_list(path)
            if os.path.exists(entry.path):
                disfa_files.choose_subjects(entry.path, entry.camera, entry.subjects, path)
    except FacestagesError as error:
        return str(error).removeprefix(f"{path}: ")
    except OSError as error:
        return f"cannot be looked into ({error.strerror})"
    return ""


def _unknown_bytes(path: str, known: Mapping[str, str]) -> str:
    try:
        with open(path, "rb") as stream:
            found = hashlib.file_digest(stream, "sha256").hexdigest()
    except OSError as error:
        return f"its bytes could not be compared ({error.strerror})"
    if found in known.values():
        return ""
    return f"its bytes are not the known ones: sha256 {found}"


# ------------------------------------------------------------------------------- what can be made


def runnable(config: Config, requirements: Sequence[Requirement]) -> list[Target]:
    """Say what can be made now, and what the rest waits for.

    Parameters
    ----------
    config : Config
    requirements : sequence of Requirement
        As `list_requirements` gives them.

    Returns
    -------
    list of Target
        Face sets, trained networks, tables of ratings and figures, under the config's folder of
        results. The seeds of a network are one target, in the shell's notation: ``seed-{0,1}``.
    """
    return [
        Target(
            path=_join_seeds(files),
            made=all(map(os.path.exists, files)),
            lacking=[r.key for r in requirements if r.missing and name in r.needed_by],
        )
        for name, files in _products(config).items()
    ]


def _products(config: Config) -> dict[str, list[str]]:
    """Files that can be asked for, by the section of the config that describes them."""
    results = config.results
    products = {f"datasets.{name}": [f"{results}/stimuli/{name}.h5"] for name in config.datasets}
    for name, entry in config.networks.items():
        if entry.weights == "train":
            products[f"networks.{name}"] = [config.weights_file(name, s) for s in entry.seeds]
    for name in config.ratings:
        products[f"ratings.{name}"] = [f"{results}/ratings/{name}.csv"]
    for name in config.uses:
        folder, _, target = name.partition(".")
        kind = "pdf" if folder == "figures" else "csv"
        products[name] = [f"{results}/{folder}/{target}.{kind}"]
    return products


def _join_seeds(files: Sequence[str]) -> str:
    """Write files that differ in one place as one."""
    if len(files) == 1:
        return files[0]
    start = os.path.commonprefix(files)
    end = os.path.commonprefix([file[len(start) :][::-1] for file in files])[::-1]
    between = ",".join(file[len(start) : len(file) - len(end)] for file in files)
    return f"{start}{{{between}}}{end}"


def absent(config: Config) -> dict[str, str]:
    """Face sets, networks and ratings that this machine lacks; figures do without them.

    Parameters
    ----------
    config : Config

    Returns
    -------
    dict of str to str
        For ``datasets.NAME``, ``networks.NAME`` or ``ratings.NAME``: one line that says what is
        missing. What a run fetches by itself is never absent, nor is what has been made already.
    """
    lines: dict[str, str] = {}
    for key, path, _ in _given_paths(config):
        made = _made_of(key, config)
        if not os.path.exists(path) and not (made and all(map(os.path.exists, made))):
            reason = _look_at(path)[0] or _NOT_THERE
            lines.setdefault(_section(key), f"{key} = '{path}': {reason}")
    for name, entry in config.networks.items():
        if entry.weights != "train":
            continue
        trained = all(os.path.exists(config.weights_file(name, seed)) for seed in entry.seeds)
        needed = f"datasets.{entry.training.dataset}"
        if needed in lines and not trained:
            lines[f"networks.{name}"] = f"networks.{name} is trained on {lines[needed]}"
    for name, entry in config.datasets.items():
        needed = f"networks.{entry.expression_from}"
        if needed in lines:
            lines[f"datasets.{name}"] = f"datasets.{name} is labelled by a network, {lines[needed]}"
    return lines


def missing_message(key: str, path: str, config: Config) -> str:
    """Say that a path of the config is missing, and how to get what should be there.

    Parameters
    ----------
    key : str
        Key of the config, e.g. ``datasets.kdef.path``.
    path : str
        What the config says there.
    config : Config

    Returns
    -------
    str
        One line; two where the thing has to be asked for.
    """
    reason = _look_at(path)[0] or _NOT_THERE
    text = f"config: {key} = '{path}': {reason}; correct the path."
    try:
        manifest = read_manifest(RESOURCES / "manifest.yaml")
        entry = {**_as_gated(manifest), **read_gated()}.get(_gated_name(key, config))
    except FacestagesError:
        return text
    if entry is None:
        return text
    return (
        f"{text}\n{entry['title']} is to be had at {entry['address']}; '{_COMMAND}' (with the "
        f"same --configfile) tells how, and all that is missing"
    )

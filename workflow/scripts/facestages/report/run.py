"""What a run is made of: face sets, networks with their weights, configuration, versions."""

from __future__ import annotations

import os
import platform
from collections.abc import Iterable, Iterator, Mapping, Sequence
from importlib import metadata
from typing import NamedTuple

import yaml

from facestages import __version__, store
from facestages.architectures import ZOOS
from facestages.stimuli import read_labels
from facestages.stimuli.sample import sample_in_words

#: The packages that the project pins, in all their variants.
PACKAGES = (
    *("h5py", "jax", "jinja2", "keras", "matplotlib", "numba", "numpy", "opencv-python-headless"),
    *("pandas", "pillow", "pydantic", "pyyaml", "scikit-learn", "scipy", "seaborn", "snakemake"),
    *("statsmodels", "tensorflow", "tensorflow-cpu", "timm", "torch", "torchvision", "tqdm"),
    "umap-learn",
)

# Labels that figures are drawn with.
_LABELS = ("identity", "expression", "valence", "arousal")


class FaceSet(NamedTuple):
    """A face set of the run."""

    name: str
    label: str
    rendered: bool
    #: Number of pictures, and of a sample what it is taken from.
    pictures: str
    people: int | None
    #: The labels that each source gives: ``["identity: rendered"]``.
    sources: list[str]
    digest: str


class Network(NamedTuple):
    """A network of the run."""

    name: str
    label: str
    architecture: str
    weights: str
    trained_on: str
    #: Seed and SHA-256 of the weights of each instance that figures show.
    instances: list[tuple[int, str]]


def read_face_sets(
    stimuli: Iterable[str | os.PathLike],
    labels: Iterable[str | os.PathLike],
    datasets: Mapping[str, Mapping],
) -> list[FaceSet]:
    """The face sets in these files, named as in the config's section `datasets`."""
    return [_read_face_set(*files, datasets) for files in zip(stimuli, labels, strict=True)]


def _read_face_set(
    stimuli: str | os.PathLike, labels: str | os.PathLike, datasets: Mapping[str, Mapping]
) -> FaceSet:
    table, sources, attributes = read_labels(stimuli, labels)
    name = attributes["dataset"]
    by_source: dict[str, list[str]] = {}
    for label in filter(sources.get, _LABELS):
        by_source.setdefault(sources[label], []).append(label)
    return FaceSet(
        name,
        datasets.get(name, {}).get("label", name),
        bool(attributes.get("rendered")),
        f"{len(table):,} {sample_in_words(attributes)}".strip(),
        table["identity"].nunique() if "identity" in table else None,
        [f"{', '.join(names)}: {source}" for source, names in by_source.items()],
        str(attributes["stimuli_digest"]),
    )


def read_networks(
    geometry: Iterable[str | os.PathLike],
    networks: Mapping[str, Mapping],
    weights: Mapping[str, Sequence[str]],
) -> list[Network]:
    """The networks of the config's section `networks`.

    Files of `analysis.geometry` say which weights an instance had. `weights` say of each network
    where its weights come from, and what they were trained on.
    """
    used = _weights_used(geometry)
    return [
        Network(
            name,
            entry.get("label", name),
            _architecture(entry),
            *(weights.get(name) or ("none", "none")),
            sorted(used.get(name, ())),
        )
        for name, entry in networks.items()
    ]


def _architecture(entry: Mapping) -> str:
    for zoo in ZOOS.keys() & entry.keys():
        return f"{ZOOS[zoo].title} {entry[zoo]}"
    return entry.get("architecture") or entry.get("torch") or entry.get("keras") or ""


def _weights_used(paths: Iterable[str | os.PathLike]) -> dict[str, set[tuple[int, str]]]:
    used: dict[str, set[tuple[int, str]]] = {}
    for path in paths:
        with store.open_read(path, "geometry") as file:
            instance = int(file.attrs["seed"]), str(file.attrs["weights_sha256"])
            used.setdefault(str(file.attrs["network"]), set()).add(instance)
    return used


def installed_versions() -> dict[str, str]:
    """Versions of Python, of facestages, and of the pinned packages that are installed."""
    return {
        "python": platform.python_version(),
        "facestages": __version__,
        **dict(_package_versions()),
    }


def _package_versions() -> Iterator[tuple[str, str]]:
    for name in PACKAGES:
        try:
            yield name, metadata.version(name)
        except metadata.PackageNotFoundError:
            continue


def config_as_yaml(config: Mapping[str, object]) -> str:
    """The config as YAML; a list of words or numbers takes one line, and so does a section."""
    return yaml.safe_dump(
        dict(config), sort_keys=False, default_flow_style=None, allow_unicode=True, width=100
    )

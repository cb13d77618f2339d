"""What a run is made of, as a page: its face sets, networks, configuration and versions."""

from __future__ import annotations

import html
import os
import platform
from collections.abc import Iterable, Mapping, Sequence
from importlib import metadata

import yaml

from facestages import __version__, store
from facestages.pages import html_table, write_page
from facestages.stimuli import read_labels
from facestages.stimuli.sample import sample_in_words

#: The packages that the project pins; of the variants of one package those that are installed.
PACKAGES = (
    *("h5py", "jax", "keras", "matplotlib", "numba", "numpy", "opencv-python-headless", "pandas"),
    *("pillow", "pydantic", "pyyaml", "scikit-learn", "scipy", "seaborn", "snakemake"),
    *("statsmodels", "tensorflow", "tensorflow-cpu", "torch", "tqdm", "umap-learn"),
)

_FACE_SET_HEAD = ("face set", "label", "pictures", "people", "rendered", "source of labels")
_FACE_SET_HEAD += ("SHA-256 of pictures and labels",)
_NETWORK_HEAD = ("network", "label", "architecture", "weights", "trained on", "seed")
_NETWORK_HEAD += ("SHA-256 of weights",)
# Labels that figures are drawn with.
_LABELS = ("identity", "expression", "valence", "arousal")


def describe_run(
    path: str | os.PathLike,
    config: Mapping[str, object],
    stimuli: Sequence[str | os.PathLike],
    geometry: Sequence[str | os.PathLike],
    weights: Mapping[str, Sequence[str]],
    absent: Sequence[str] = (),
) -> None:
    """Write the page: plain HTML, no date, the same bytes for the same run.

    Parameters
    ----------
    path : path-like
        HTML file.
    config : mapping
        The config with all its defaults; its sections ``datasets`` and ``networks`` give the
        labels.
    stimuli : sequence of path-like
        Face sets of the run.
    geometry : sequence of path-like
        Files of `analysis.geometry`: they name the weights that a network had.
    weights : mapping of str to sequence of str
        For each network where its weights come from, and what they were trained on.
    absent : sequence of str
        Lines that say what the run had to do without.

    Raises
    ------
    FacestagesError
        If a file cannot be read.
    """
    parts = []
    if absent:
        lines = "".join(f"<li>{html.escape(line)}</li>" for line in absent)
        parts.append(f"<h2>Left out</h2><ul>{lines}</ul>")
    parts += [
        "<h2>Face sets</h2>",
        html_table(_FACE_SET_HEAD, [_face_set(file, config["datasets"]) for file in stimuli]),
        "<h2>Networks</h2>",
        html_table(_NETWORK_HEAD, _networks(config["networks"], weights, _weights_used(geometry))),
        "<h2>Configuration</h2>",
        "<p>Every key in force, with the defaults of those that the config file leaves out.</p>",
        f"<pre>{html.escape(_as_yaml(config))}</pre>",
        "<h2>Versions</h2>",
        "<p>Of the environment that wrote this page; a job in a conda environment of its own had "
        "the same pins, from <code>envs/</code>.</p>",
        html_table(("package", "version"), installed_versions().items()),
    ]
    write_page(path, "This run", parts)


def installed_versions() -> dict[str, str]:
    """Versions of Python, of facestages, and of the pinned packages that are installed."""
    versions = {"python": platform.python_version(), "facestages": __version__}
    for name in PACKAGES:
        try:
            versions[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return versions


def _face_set(path: str | os.PathLike, datasets: Mapping[str, Mapping]) -> tuple[object, ...]:
    labels, sources, attributes = read_labels(path)
    name = attributes["dataset"]
    by_source: dict[str, list[str]] = {}
    for label in filter(sources.get, _LABELS):
        by_source.setdefault(sources[label], []).append(label)
    return (
        name,
        datasets.get(name, {}).get("label", name),
        f"{len(labels):,} {sample_in_words(attributes)}".strip(),
        labels["identity"].nunique() if "identity" in labels else "not known",
        "RENDERED" if attributes.get("rendered") else "no",
        "; ".join(f"{', '.join(found)}: {source}" for source, found in by_source.items()),
        attributes["stimuli_digest"],
    )


def _weights_used(paths: Iterable[str | os.PathLike]) -> dict[str, set[tuple[int, str]]]:
    """Seeds and SHA-256 of the weights that each network was opened with."""
    used: dict[str, set[tuple[int, str]]] = {}
    for path in paths:
        with store.open_read(path, "geometry") as file:
            found = int(file.attrs["seed"]), str(file.attrs["weights_sha256"])
            used.setdefault(str(file.attrs["network"]), set()).add(found)
    return used


def _networks(
    networks: Mapping[str, Mapping],
    weights: Mapping[str, Sequence[str]],
    used: Mapping[str, set[tuple[int, str]]],
) -> Iterable[tuple[object, ...]]:
    """A row for each network, seed and file of weights; one for a network that was not opened."""
    for name, entry in networks.items():
        architecture = entry.get("architecture") or entry.get("torch") or entry.get("keras")
        origin = list(weights.get(name) or ("none", "none"))
        for seed, sha256 in sorted(used.get(name, {("", "not recorded")})):
            yield name, entry.get("label", name), architecture, *origin, seed, sha256


def _as_yaml(config: Mapping[str, object]) -> str:
    # Lists of words and numbers, and the innermost sections, on one line each.
    return yaml.safe_dump(
        dict(config), sort_keys=False, default_flow_style=None, allow_unicode=True, width=100
    )

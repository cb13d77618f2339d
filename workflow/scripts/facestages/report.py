"""Reports of a run: a page about what it is made of, and Snakemake's own report."""

from __future__ import annotations

import logging
import os
import platform
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from importlib import metadata
from pathlib import Path

import yaml

from facestages import __version__, store
from facestages.architectures import ZOOS
from facestages.errors import FacestagesError
from facestages.files import atomic_path
from facestages.pages import html_table, write_page
from facestages.stimuli import read_labels
from facestages.stimuli.sample import sample_in_words
from facestages.text import escape_html

logger = logging.getLogger(__name__)

#: The packages that the project pins, in all their variants.
PACKAGES = (
    *("h5py", "jax", "keras", "matplotlib", "numba", "numpy", "opencv-python-headless", "pandas"),
    *("pillow", "pydantic", "pyyaml", "scikit-learn", "scipy", "seaborn", "snakemake"),
    *(
        "statsmodels",
        "tensorflow",
        "tensorflow-cpu",
        "timm",
        "torch",
        "torchvision",
        "tqdm",
        "umap-learn",
    ),
)

_FACE_SET_HEAD = ("face set", "label", "pictures", "people", "rendered", "source of labels")
_FACE_SET_HEAD += ("SHA-256 of pictures and labels",)
_NETWORK_HEAD = ("network", "label", "architecture", "weights", "trained on", "seed")
_NETWORK_HEAD += ("SHA-256 of weights",)
# How Snakemake's lines about its progress begin.
_PROGRESS = ("Building DAG", "Creating report", "Adding ", "Loading script code")
# How Snakemake's template begins each script of data, whose JSON is one line.
_DATA = re.compile(r'^( *<script id="[\w-]+">\n *var \w+ = )(.*)$', re.MULTILINE)
# Labels that figures are drawn with.
_LABELS = ("identity", "expression", "valence", "arousal")


def describe_run(
    path: str | os.PathLike,
    config: Mapping[str, object],
    stimuli: Sequence[str | os.PathLike],
    labels: Sequence[str | os.PathLike],
    geometry: Sequence[str | os.PathLike],
    weights: Mapping[str, Sequence[str]],
    absent: Sequence[str] = (),
) -> None:
    """Write an HTML page about what a run is made of. The same run gives the same bytes.

    Parameters
    ----------
    path : path-like
    config : mapping
        The config with all its defaults.
    stimuli, labels : sequence of path-like
        Files of the face sets of the run, in the same order.
    geometry : sequence of path-like
        Files of `analysis.geometry`, which name the weights that each network had.
    weights : mapping of str to sequence of str
        For each network, where its weights come from and what they were trained on.
    absent : sequence of str
        Lines about face sets, networks and ratings that the run had to do without.
    """
    parts = []
    if absent:
        lines = "".join(f"<li>{escape_html(line)}</li>" for line in absent)
        parts.append(f"<h2>Left out</h2><ul>{lines}</ul>")
    parts += [
        "<h2>Face sets</h2>",
        html_table(
            _FACE_SET_HEAD,
            [_face_set(*files, config["datasets"]) for files in zip(stimuli, labels, strict=True)],
        ),
        "<h2>Networks</h2>",
        html_table(_NETWORK_HEAD, _networks(config["networks"], weights, _weights_used(geometry))),
        "<h2>Configuration</h2>",
        "<p>Every key in force, with the defaults of those that the config file leaves out.</p>",
        f"<pre>{escape_html(_as_yaml(config))}</pre>",
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


def _face_set(
    stimuli: str | os.PathLike, labels: str | os.PathLike, datasets: Mapping[str, Mapping]
) -> tuple[object, ...]:
    table, sources, attributes = read_labels(stimuli, labels)
    name = attributes["dataset"]
    by_source: dict[str, list[str]] = {}
    for label in filter(sources.get, _LABELS):
        by_source.setdefault(sources[label], []).append(label)
    return (
        name,
        datasets.get(name, {}).get("label", name),
        f"{len(table):,} {sample_in_words(attributes)}".strip(),
        table["identity"].nunique() if "identity" in table else "not known",
        "RENDERED" if attributes.get("rendered") else "no",
        "; ".join(f"{', '.join(names)}: {source}" for source, names in by_source.items()),
        attributes["stimuli_digest"],
    )


def _weights_used(paths: Iterable[str | os.PathLike]) -> dict[str, set[tuple[int, str]]]:
    """Seeds and SHA-256 of the weights that each network was opened with."""
    used: dict[str, set[tuple[int, str]]] = {}
    for path in paths:
        with store.open_read(path, "geometry") as file:
            instance = int(file.attrs["seed"]), str(file.attrs["weights_sha256"])
            used.setdefault(str(file.attrs["network"]), set()).add(instance)
    return used


def _networks(
    networks: Mapping[str, Mapping],
    weights: Mapping[str, Sequence[str]],
    used: Mapping[str, set[tuple[int, str]]],
) -> Iterable[tuple[object, ...]]:
    """A row for each network, seed and file of weights; one for a network that was not opened."""
    for name, entry in networks.items():
        architecture = entry.get("architecture") or entry.get("torch") or entry.get("keras")
        for zoo in ZOOS.keys() & entry.keys():
            architecture = f"{ZOOS[zoo].title} {entry[zoo]}"
        origin = list(weights.get(name) or ("none", "none"))
        for seed, sha256 in sorted(used.get(name, {("", "not recorded")})):
            yield name, entry.get("label", name), architecture, *origin, seed, sha256


def _as_yaml(config: Mapping[str, object]) -> str:
    # A list of words or numbers takes one line, and so does an innermost section.
    return yaml.safe_dump(
        dict(config), sort_keys=False, default_flow_style=None, allow_unicode=True, width=100
    )


def keep_data_text(page: str) -> str:
    """Write ``<`` in the data of Snakemake's report so that no tag can begin or end in it.

    A label, a caption or a param with ``</script>`` would end the script that holds it, and what
    follows would become a part of the page.
    """
    return _DATA.sub(lambda found: found[1] + found[2].replace("<", r"\u003c"), page)


def write_report(
    path: str | os.PathLike,
    snakefile: str | os.PathLike,
    config: Mapping[str, object],
    targets: Sequence[str],
    stylesheet: str | os.PathLike,
) -> None:
    """Write Snakemake's report on the existing files of a run: one file that needs no network.

    A second Snakemake reads the workflow with the same config and without a profile. It runs no
    job and takes no lock, so the first one may wait for it.

    Parameters
    ----------
    path : path-like
        The report, an HTML file.
    snakefile : path-like
    config : mapping
        The whole config of the first Snakemake.
    targets : sequence of str
        Files of the run. Of these, of what is made with them and of what they are made from, the
        report shows the files that a rule marks for it.
    stylesheet : path-like
        CSS that is added to Snakemake's own.

    Raises
    ------
    FacestagesError
        If Snakemake fails; the message ends with the last lines of its output.
    """
    with tempfile.TemporaryDirectory() as folder, atomic_path(path) as partial:
        config_file = Path(folder, "config.yaml")
        config_file.write_text(yaml.safe_dump(dict(config), sort_keys=False), encoding="utf-8")
        command = [sys.executable, "-m", "snakemake", "--snakefile", str(snakefile)]
        command += ["--profile", "none", "--workflow-profile", "none"]
        command += ["--configfile", str(config_file)]
        command += ["--report", str(partial), "--report-stylesheet", str(stylesheet)]
        command += ["--", *targets]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode or not partial.stat().st_size:
            lines = done.stderr.strip().splitlines()
            reasons = [line.strip() for line in lines if not line.startswith(_PROGRESS)]
            why = " ".join(reasons[-6:])
            raise FacestagesError(f"cannot write {path}: snakemake --report failed:\n{why}")
        page = partial.read_text(encoding="utf-8")
        partial.write_text(keep_data_text(page), encoding="utf-8")
    logger.info("%s", done.stderr)

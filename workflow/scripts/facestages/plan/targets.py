"""What can be made here, and what a whole run makes."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import TYPE_CHECKING

from facestages.errors import did_you_mean
from facestages.paths import PATTERNS

if TYPE_CHECKING:
    from facestages.config import Config
    from facestages.plan import Plan


# Names of the files and folders in the folder of results.
_KINDS = {pattern.split("/")[1] for pattern in PATTERNS.values() if "<results>/" in pattern}
_FIGURE_KINDS = [Path(file).suffix for file in PATTERNS.values() if "/figures/{figure}." in file]


def can_be_made(plan: Plan, name: str) -> bool:
    """Whether a figure or a table (``figures.NAME``, ``tables.NAME``) can be made.

    It needs one face set and one network at hand, of those that it names; the rest is left out.
    Figure 1 needs nothing where code says what a network's layers are.
    """
    uses = plan.config.drawing(name).uses(optional=False)
    if name == "figures.fig1" and plan.networks.is_described_by_code(*uses.networks):
        return True
    needed = (
        ("datasets", uses.datasets),
        ("networks", uses.networks),
        ("references", uses.references),
    )
    return all(plan.at_hand(section, names) for section, names in needed if names)


def explain_target(config: Config, path: str) -> str:
    """Why no rule makes a path on the command line, and what to ask for; empty if one may."""
    if not path.startswith("results/"):
        return ""
    results, name = config.results, path.split("/")[1]
    if results.startswith("results/") and not f"{path}/".startswith(f"{results}/"):
        parts = path.split("/")[1:]
        # A path of another config has its name in front.
        parts = parts[1:] if parts[1:] and parts[0] not in _KINDS else parts
        right = "/".join([results, *parts])
        return f"{path}: the results of this config are in {results}/. Ask for {right}"
    own = f"config/{name}.yaml"
    if results == "results" and name != "config" and os.path.isfile(own):
        return (
            f"{path}: is of {own}. Name it: make CONFIG={own} {path}, or snakemake --cores all "
            f"--configfile {own} -- {path}"
        )
    rest = path.removeprefix(f"{results}/")
    if rest.split("/")[0] not in _KINDS:
        return f"{path}: no rule makes it; {did_you_mean(rest, _KINDS)}"
    found = re.fullmatch(r"figures/(\w+)(\.\w+)", rest)
    figures = [name for name, _ in config.figures if name != "caption"]
    if found and found[1] not in (*figures, "captions"):
        return f"{path}: no such figure; {did_you_mean(found[1], figures)}"
    if found and found[1] in figures and found[2] not in _FIGURE_KINDS:
        return f"{path}: a figure is made as {', '.join(_FIGURE_KINDS)}"
    return ""


def target(plan: Plan, name: str) -> str:
    """File to ask for to get a figure or a table."""
    folder, short = name.split(".")
    return (
        plan.path("figure", figure=short)
        if folder == "figures"
        else plan.path("table", table=short)
    )


def sections_needed(plan: Plan) -> dict[str, list[str]]:
    """Sections of the config that each of its sections, figures and tables needs.

    By ``datasets.NAME``, ``networks.NAME``, ``ratings.NAME``, ``references.NAME``, ``figures.NAME``
    or ``tables.NAME``: names of the first four kinds, itself among them.
    """
    config = plan.config
    needs = {
        f"{section}.{name}": [f"{section}.{name}"]
        for section, entries in (
            ("datasets", config.datasets),
            ("networks", config.networks),
            ("ratings", config.ratings),
            ("references", config.references),
        )
        for name in entries
    }
    for name, entry in config.references.items():
        needs[f"references.{name}"].append(f"datasets.{entry.dataset}")
    for name, entry in config.networks.items():
        if entry.weights == "train":
            needs[f"networks.{name}"].append(f"datasets.{entry.training.dataset}")
    for where, uses in config.uses.items():
        networks = [*uses.networks, *uses.affect_from]
        if where == "figures.fig1":
            # The code alone says what the layers of most networks are.
            networks = [n for n in networks if not plan.networks.is_described_by_code(n)]
        elif where != "tables.table1":
            networks += filter(None, (config.datasets[n].expression_from for n in uses.datasets))
        direct = [f"datasets.{name}" for name in uses.datasets]
        direct += [f"networks.{name}" for name in networks]
        direct += [f"ratings.{name}" for name in uses.ratings]
        direct += [f"references.{name}" for name in uses.references]
        needs[where] = list(dict.fromkeys(section for name in direct for section in needs[name]))
    return needs


def products(plan: Plan) -> dict[str, list[str]]:
    """Files that can be asked for, by the section of the config that describes them."""
    config = plan.config
    files = {
        f"datasets.{name}": [plan.face_sets.whole(name), plan.face_sets.labels(name)]
        for name in config.datasets
    }
    for name, entry in config.networks.items():
        if entry.weights == "train":
            models = [plan.networks.weights_file(name, seed) for seed in entry.seeds]
            files[f"networks.{name}"] = models
    for name in config.ratings:
        files[f"ratings.{name}"] = [plan.path("ratings", ratings=name)]
    for name in config.references:
        files[f"references.{name}"] = [plan.path("reference", reference=name)]
    return files | {name: [target(plan, name)] for name in config.uses}


def figures(plan: Plan) -> list[str]:
    """Figures and tables of the config that can be made, and the claims."""
    files = [target(plan, name) for name in plan.drawable]
    if "figures.fig2" in plan.drawable:
        files.append(plan.path("table", table="gradcam"))
    return [*files, plan.path("captions"), plan.path("claims_page")]


def measures(plan: Plan) -> list[str]:
    """Measures beside the paper's, of Figure 4's networks: instances, CKA and decoding.

    RSA is measured where Figure `layers` draws it.
    """
    if "figures.fig4" not in plan.drawable:
        return []
    datasets = plan.present("datasets", plan.config.figures.fig4.datasets)
    return [
        *plan.instances(),
        *(plan.path("cka", dataset=dataset) for dataset in datasets),
        *(plan.path("decoding", one) for dataset in datasets for one in plan.compared(dataset)),
    ]


def reports(plan: Plan) -> list[str]:
    """Reports of all face sets, tables of all ratings, and references, that are at hand."""
    datasets = plan.at_hand("datasets", plan.config.datasets)
    ratings = plan.at_hand("ratings", plan.config.ratings)
    references = plan.at_hand("references", plan.config.references)
    return [
        *(plan.path("stimuli_report_page", dataset=name) for name in datasets),
        *(plan.path("ratings", ratings=name) for name in ratings),
        *(plan.path("reference", reference=name) for name in references),
    ]


def captions(plan: Plan) -> list[str]:
    """Each figure's caption."""
    names = [name.split(".")[1] for name in plan.drawable if name.startswith("figures.")]
    return [plan.path("figure_caption", figure=name) for name in names]


def shown(plan: Plan) -> list[str]:
    """All that Snakemake's report shows: also each figure's caption, which old results may lack."""
    return [*figures(plan), *captions(plan), *reports(plan)]


def described_stimuli(plan: Plan) -> list[str]:
    """All face sets that are at hand."""
    names = plan.at_hand("datasets", plan.config.datasets)
    return [plan.face_sets.described(name) for name in names]


def described_labels(plan: Plan) -> list[str]:
    """Labels of `described_stimuli`, in the same order."""
    names = plan.at_hand("datasets", plan.config.datasets)
    return [plan.face_sets.labels(name) for name in names]


def described_geometry(plan: Plan) -> list[str]:
    """Geometry of the networks that figures show: these files name the weights."""
    files = []
    for name, uses in plan.config.uses.items():
        if name.startswith("figures.") and uses.datasets and name in plan.drawable:
            datasets = plan.present("datasets", uses.datasets)
            networks = plan.present("networks", uses.networks)
            files += plan.paths("geometry", plan.every_seed(datasets, networks))
    return list(dict.fromkeys(files))

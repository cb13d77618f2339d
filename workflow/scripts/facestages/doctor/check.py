"""A config, checked in a second: its keys, its files, the labels of its tables, what is blank."""

from __future__ import annotations

import os

from facestages.architectures import INSTALL_ZOO
from facestages.assets import RESOURCES, read_manifest
from facestages.config import load_config
from facestages.doctor.requirements import Requirement, list_requirements
from facestages.errors import FacestagesError
from facestages.plan import Plan
from facestages.plan.labels import missing_labels
from facestages.plan.presence import NOT_THERE, read_gated
from facestages.yaml_files import name_lines


def check_config(path: str | os.PathLike) -> list[str]:
    """Lines on what a run with this config leaves out, and on what is odd about its files.

    Raises
    ------
    FacestagesError
        If a run would end with it: because of a mistake in the config, or of a file that is not
        there or cannot be used.
    """
    try:
        return _check(path)
    except FacestagesError as error:
        raise FacestagesError(name_lines(str(error), [path])) from error


def _check(path: str | os.PathLike) -> list[str]:
    manifest = read_manifest(RESOURCES / "manifest.yaml")
    config = load_config(path, manifest)
    plan = Plan(config, manifest)
    things = list_requirements(config, manifest, read_gated())
    without = [one for one in things if one.missing and _section(one) not in plan.absent]
    if without:
        # Where a folder is not there, its pictures are not, either.
        gone = {_section(one) for one in without if one.note.endswith(NOT_THERE)}
        without = [
            one for one in without if one.note.endswith(NOT_THERE) or _section(one) not in gone
        ]
        raise FacestagesError("\n".join(f"config: {_in_words(one)}" for one in without))
    for name in plan.drawable:
        if name.startswith("figures."):
            plan.figure(name.split(".")[1])
    lines = [f"left out: {line}" for line in plan.absent.values()]
    lines += [f"labels: {line}" for line in missing_labels(plan)]
    lines += [
        f"look at: networks.{name}: {entry.zoo[0]} is not installed: {INSTALL_ZOO}"
        for name, entry in config.networks.items()
        if entry.zoo and not plan.networks.zoo_version(entry.zoo[0])
    ]
    lines += [f"look at: {_in_words(one)}" for one in things if one.note and not one.missing]
    return [*lines, f"{path}: no mistake; figures: {', '.join(plan.drawable)}"]


def _section(one: Requirement) -> str:
    return ".".join(one.key.split(".")[:2])


def _in_words(one: Requirement) -> str:
    return f"{one.key} = '{one.where}': {one.note or NOT_THERE}"

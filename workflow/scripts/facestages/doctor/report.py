"""The doctor: what a config needs from outside, how to get it, and what can be made without."""

from __future__ import annotations

import logging
import os
import textwrap
from collections.abc import Iterator, Mapping, Sequence

from facestages.config import Config
from facestages.doctor.requirements import (
    Requirement,
    Target,
    list_requirements,
    list_targets,
)
from facestages.plan import Plan
from facestages.plan.labels import missing_labels
from facestages.plan.presence import read_gated

logger = logging.getLogger(__name__)

_WIDTH = 100


def check_resources(config: Mapping, manifest: Mapping[str, Mapping]) -> None:
    """Print what a config needs from outside, how to get it, and what can be made without.

    `config` is as `Config.model_dump` gives it, `manifest` as `assets.read_manifest`.

    Raises
    ------
    SystemExit
        With status 1, if something is missing that the user must get.
    """
    checked = Config.model_validate(config)
    requirements = list_requirements(checked, manifest, read_gated())
    targets = list_targets(checked, requirements)
    lacking = missing_labels(Plan(checked))
    print("\n".join(_report(requirements, targets, lacking)), flush=True)
    missing = [requirement.key for requirement in requirements if requirement.missing]
    if missing:
        logger.error("missing: %s", ", ".join(missing))
        raise SystemExit(1)


def _report(
    requirements: Sequence[Requirement], targets: Sequence[Target], lacking: Sequence[str]
) -> Iterator[str]:
    """Lines of the whole report."""
    yield "What this config needs from outside"
    yield f"Relative paths start in {os.getcwd()}"
    yield ""
    yield from _table(requirements)
    fetched = [r for r in requirements if r.fetched_by_us and not r.found]
    # The table tells all about the user's own files, unless something is odd about them.
    there = [r for r in requirements if (r.found or r.spent) and (r.licence or r.note)]
    missing = [r for r in requirements if r.missing]
    yield from _blocks("How to get what is missing", missing)
    yield from _blocks("What a run fetches by itself", fetched)
    yield from _blocks("What is there", there, ("licence", "size", "sha256", "citation"))
    yield from _target_lines(targets)
    if lacking:
        yield from ("", "Labels that face sets lack")
    for line in lacking:
        yield textwrap.fill(line, _WIDTH, initial_indent="  ", subsequent_indent="    ")
    yield ""
    if missing:
        counted = f"{len(missing)} of {len(requirements)}"
        yield f"MISSING: {counted}. Get what is missing, or correct the paths in the config."
    else:
        yield "Nothing is missing."


def _table(requirements: Sequence[Requirement]) -> Iterator[str]:
    rows = [("thing", "status", "where")]
    rows += [(r.what, _status(r), _place(r)) for r in requirements]
    widths = [max(len(row[column]) for row in rows) for column in (0, 1)]
    for row in rows:
        yield f"{row[0]:{widths[0]}}  {row[1]:{widths[1]}}  {row[2]}"


def _status(requirement: Requirement) -> str:
    if requirement.missing:
        return "MISSING"
    if requirement.found:
        # Of the user's own files, a note says what seems odd inside.
        return "other bytes" if requirement.note and requirement.sha256 else "found"
    return "not needed now" if requirement.spent else "to be fetched"


def _place(requirement: Requirement) -> str:
    if requirement.fetched_by_us:
        return requirement.where
    return f"{requirement.key} = {requirement.where}"


def _blocks(
    title: str,
    requirements: Sequence[Requirement],
    keys: Sequence[str] = ("address", "request", "licence", "size", "files", "sha256", "citation"),
) -> Iterator[str]:
    """Lines about each thing, once for all keys that name it."""
    groups: dict[tuple, list[Requirement]] = {}
    for requirement in requirements:
        groups.setdefault((requirement.what, requirement.request), []).append(requirement)
    if groups:
        yield from ("", title)
    for (what, _), group in groups.items():
        yield from ("", f"  {what}")
        for requirement in group:
            if requirement.note:
                yield _field("looked at", f"{_place(requirement)}: {requirement.note}")
            if requirement.spent:
                yield _field("", "not needed now, as what is made of it is there")
        for key in keys:
            value = getattr(group[0], key)
            lines = [f"{v}  {k}" for k, v in value.items()] if key == "sha256" else [value]
            yield from (_field(_NAMES[key], line) for line in lines if line)
        users = dict.fromkeys(user for requirement in group for user in requirement.needed_by)
        yield _field("needed by", ", ".join(users) or "nothing in this config")


_NAMES = {
    "address": "address",
    "request": "how",
    "licence": "licence",
    "size": "size",
    "files": "look for",
    "sha256": "sha256",
    "citation": "cite",
}


def _field(name: str, text: str) -> str:
    """A named text, wrapped; paths, addresses and hashes are never broken."""
    return textwrap.fill(
        text,
        _WIDTH,
        initial_indent=f"    {name:11}",
        subsequent_indent=" " * 15,
        break_long_words=False,
        break_on_hyphens=False,
    )


def _target_lines(targets: Sequence[Target]) -> Iterator[str]:
    made = [target for target in targets if target.made]
    waiting = [target for target in targets if not target.made and target.lacking]
    now = [target for target in targets if not target.made and not target.lacking]
    if made:
        yield from ("", "Made already", *(f"  {target.path}" for target in made))
    if now:
        yield from ("", "Can be made now")
    for target in now:
        yield f"  {target.path}"
        if target.left_out:
            yield _field("without", ", ".join(target.left_out))
    if waiting and not now:
        yield from ("", "Can be made now: nothing of this config")
        yield "  The default config needs no data of others: snakemake --cores all"
    if waiting:
        yield from ("", "Waits for what is missing")
    for target in waiting:
        yield f"  {target.path}"
        yield _field("waits for", ", ".join(target.lacking))

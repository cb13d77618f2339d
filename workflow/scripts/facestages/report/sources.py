"""What a run owes to others, and what it cost: citation, assets, runtimes."""

from __future__ import annotations

import csv
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from facestages.yaml_files import read_yaml

_KINDS = {"software": "software", "unpublished": "unpublished", "article": "article"}


def bibtex(path: str | os.PathLike) -> str:
    """The entries of a ``CITATION.cff`` and of its references, as BibTeX."""
    content = read_yaml(path)
    entries = [content, *content.get("references", [])]
    return "\n\n".join(_entry(one, number) for number, one in enumerate(entries))


def _entry(given: Mapping[str, object], number: int) -> str:
    fields = {
        "title": f"{{{given['title']}}}",
        "author": " and ".join(map(_author, given["authors"])),
        "year": str(given.get("year") or str(given.get("date-released", ""))[:4]),
        "version": given.get("version", ""),
        "journal": given.get("journal", ""),
        "doi": given.get("doi", ""),
        "url": given.get("url") or given.get("repository-code", ""),
        "license": given.get("license", ""),
        "note": given.get("notes", ""),
    }
    kind = _KINDS.get(str(given.get("type", "")), "misc")
    name = "facestages" if number == 0 else f"reference{number}"
    lines = [f"  {key} = {{{value}}}," for key, value in fields.items() if value]
    return "\n".join([f"@{kind}{{{name},", *lines, "}"])


def _author(person: Mapping[str, str]) -> str:
    if "name" in person:
        # Braces keep BibTeX from taking an organisation apart.
        return f"{{{person['name']}}}"
    return f"{person['family-names']}, {person['given-names']}"


class Runtime(NamedTuple):
    """What all jobs of a rule took."""

    rule: str
    jobs: int
    seconds: float
    #: The most memory of one of them, in MB; None where Snakemake could not measure it.
    megabytes: float | None


def read_runtimes(folder: str | os.PathLike) -> list[Runtime]:
    """Runtimes by rule, from the benchmarks that Snakemake keeps in a folder, the longest first.

    Jobs without wildcards have a file of their rule's name, all others a folder. The report itself
    is left out, because a second one of the same run would differ from the first.
    """
    files: dict[str, list[Path]] = {}
    for path in sorted(Path(folder).rglob("*.tsv")):
        rule = path.relative_to(folder).parts[0].removesuffix(".tsv")
        if rule != "make_report":
            files.setdefault(rule, []).append(path)
    runtimes = [_add_up(rule, paths) for rule, paths in files.items()]
    return sorted(runtimes, key=lambda one: (-one.seconds, one.rule))


def _add_up(rule: str, paths: Sequence[Path]) -> Runtime:
    rows = [row for path in paths for row in _read_benchmark(path)]
    memory = [float(row["max_rss"]) for row in rows if row["max_rss"] not in ("NA", "-")]
    seconds = sum(float(row["s"]) for row in rows)
    return Runtime(rule, len(rows), seconds, max(memory, default=None))


def _read_benchmark(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file, delimiter="\t"))

"""The report of a run: one page that a person opens first, with nothing outside of its file."""

from __future__ import annotations

import functools
import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple
from urllib.parse import quote

import jinja2
import pandas as pd

from facestages import __version__, pages, tables
from facestages.assets import shipped
from facestages.claims.page import ABOUT, STYLES
from facestages.claims.verdicts import NOT_TESTABLE
from facestages.files import atomic_path
from facestages.report import findings, pictures, run, sources
from facestages.text import escape_html, printable_lines
from facestages.yaml_files import read_yaml

#: Folder of the template, its style and the topics of the findings.
_WORDS = "workflow/report"


class Contents(NamedTuple):
    """Files that the page shows; all paths are as the rule has them."""

    #: Figures and tables in order. Each has ``name``, ``group`` (its study), ``label`` and
    #: ``title``; a figure also ``svg``, ``png``, ``pdf``, ``numbers`` and ``caption``, a table its
    #: ``page`` and ``numbers``.
    exhibits: Sequence[Mapping[str, str]]
    #: By face set: its contact sheet.
    sheets: Mapping[str, str]
    claims: str | os.PathLike
    stimuli: Sequence[str]
    labels: Sequence[str]
    geometry: Sequence[str]
    #: The explorer's page; empty where the run makes none.
    explorer: str


class Facts(NamedTuple):
    """What the rule knows of the run."""

    #: The config with all its defaults.
    config: Mapping[str, object]
    #: For each network, where its weights come from and what they were trained on.
    weights: Mapping[str, Sequence[str]]
    #: Lines about what the run does without.
    absent: Sequence[str]
    #: Entries of the manifest of what comes from outside.
    assets: Mapping[str, Mapping]
    #: Folder of benchmarks.
    benchmarks: str


def write_report(path: str | os.PathLike, contents: Contents, facts: Facts) -> None:
    """Write the report. The same files give the same bytes."""
    claims = tables.read_tables([contents.claims])
    face_sets = run.read_face_sets(contents.stimuli, contents.labels, facts.config["datasets"])
    networks = run.read_networks(contents.geometry, facts.config["networks"], facts.weights)
    link = functools.partial(_address, page=path)
    page = _template().render(
        style=(shipped(_WORDS) / "page.css").read_text(encoding="utf-8"),
        version=__version__,
        summary=_summary(face_sets, networks),
        face_sets=face_sets,
        networks=networks,
        sheets=_sheets(contents.sheets, face_sets, link),
        verdicts=findings.count_verdicts(claims),
        findings=findings.tell_findings(claims, read_yaml(shipped(_WORDS) / "findings.yaml")),
        explorer=link(contents.explorer) if contents.explorer else "",
        studies=_studies(contents.exhibits, link),
        about_claims=ABOUT,
        signs={verdict: sign for verdict, (_, sign) in STYLES.items()},
        claims=_cards(claims, facts.config["datasets"]),
        claims_table=link(contents.claims),
        absent=facts.absent,
        config=run.config_as_yaml(facts.config),
        versions=run.installed_versions(),
        assets=facts.assets,
        bibtex=sources.bibtex(shipped("CITATION.cff")),
        runtimes=sources.read_runtimes(facts.benchmarks),
    )
    with atomic_path(path) as partial:
        partial.write_text(page, encoding="utf-8")


def _template() -> jinja2.Template:
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(shipped(_WORDS)),
        autoescape=True,
        # Control characters of layers and files become visible, as in all that is written.
        finalize=lambda value: printable_lines(value) if type(value) is str else value,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    return environment.get_template("page.html.j2")


def _address(path: str | os.PathLike, page: str | os.PathLike) -> str:
    """Address of a file, as seen from the page."""
    return quote(Path(os.path.relpath(path, os.path.dirname(page) or ".")).as_posix())


def _summary(face_sets: Sequence[run.FaceSet], networks: Sequence[run.Network]) -> list[str]:
    """Sentences on what was asked of what."""
    seen = [one for one in networks if one.instances and one.architecture != "pixels"]
    instances = sum(len(one.instances) for one in seen)
    sentences = [
        f"{_count(len(seen), 'network')} in {_count(instances, 'instance')} (the same network with "
        f"other weights) looked at {_count(len(face_sets), 'face set')}."
    ]
    if any(one.architecture == "pixels" for one in networks):
        sentences.append("The pictures themselves, pixel by pixel, stand beside the networks.")
    rendered = [one.label for one in face_sets if one.rendered]
    if rendered and len(rendered) == len(face_sets):
        sentences.append("All faces are RENDERED, not photographs.")
    elif rendered:
        sentences.append(f"RENDERED, not photographs: {'; '.join(rendered)}.")
    if any("declared" in source for one in face_sets for source in one.sources):
        sentences.append("Valence and arousal are DECLARED positions, not ratings.")
    return sentences


def _count(number: int, word: str) -> str:
    return f"{number} {word}" + "s" * (number != 1)


def _sheets(
    sheets: Mapping[str, str], face_sets: Sequence[run.FaceSet], link: Callable[[str], str]
) -> list[dict[str, object]]:
    labels = {one.name: one for one in face_sets}
    return [
        {"face_set": labels[name], "picture": pictures.embed_sheet(path), "link": link(path)}
        for name, path in sheets.items()
        if name in labels
    ]


def _studies(
    exhibits: Sequence[Mapping[str, str]], link: Callable[[str], str]
) -> dict[str, list[dict[str, object]]]:
    """Figures and tables by study."""
    figures = [one for one in exhibits if "svg" in one]
    embedded = {
        one["name"]: picture
        for one, picture in zip(figures, pictures.embed_figures(figures), strict=True)
    }
    studies: dict[str, list[dict[str, object]]] = {}
    for one in exhibits:
        words = one.get("caption") or shipped(_WORDS) / f"{one['name']}.rst"
        caption = pictures.read_caption(words)
        title = caption.title or one["title"]
        links = {
            f"{word} ({Path(one[form]).suffix[1:].upper()})": link(one[form])
            for form, word in (("numbers", "Numbers"), ("pdf", "Print"), ("svg", "Drawing"))
            if form in one
        }
        studies.setdefault(one["group"], []).append(
            {
                "name": one["name"],
                "heading": ": ".join(dict.fromkeys(filter(None, (one["label"], title)))),
                "caption": caption,
                "links": links,
                "picture": embedded.get(one["name"]),
                "table": _table(one["page"], one["label"]) if "page" in one else "",
            }
        )
    return studies


def _table(path: str | os.PathLike, label: str) -> str:
    """The body of a page of tables, whose headings are below those of the report's figures."""
    # Labels are escaped there, so that these are its own tags.
    body = pages.read_parts(path).replace("<h2>", "<h5>").replace("</h2>", "</h5>")
    before, *parts = body.replace("</table>", "</table></div>").split("<table>")
    frame = f'<div class="wide" role="region" tabindex="0" aria-label="{escape_html(label)}, part '
    return before + "".join(
        f'{frame}{number}"><table>{part}' for number, part in enumerate(parts, 1)
    )


def _cards(claims: pd.DataFrame, datasets: Mapping[str, Mapping]) -> dict[str, list[dict]]:
    """Claims by whether they are tested: those that are first."""
    cards: dict[str, list[dict]] = {"tested": [], "untested": []}
    rows = claims.to_dict("records")
    for row in (row for row in rows if not row["dataset"]):
        of_sets = [one for one in rows if one["id"] == row["id"] and one["dataset"]]
        cards["untested" if row["verdict"] == NOT_TESTABLE else "tested"].append(
            {
                **row,
                "checks": _checks(row),
                "tags": findings.tags(row),
                "reasons": row["why"].split("; "),
                "face_sets": [
                    {
                        "label": datasets.get(one["dataset"], {}).get("label", one["dataset"]),
                        "verdict": one["verdict"],
                        "checks": _checks(one),
                    }
                    for one in of_sets
                ]
                if len(of_sets) > 1
                else [],
            }
        )
    return cards


def _checks(row: Mapping[str, str]) -> list[dict[str, object]]:
    return [
        {
            "what": check.what,
            "expected": check.expected,
            "numbers": findings.list_numbers(check.numbers),
            "range": findings.shorten_numbers(check.numbers, 1),
            "answer": findings.answer_in_words(check.answer, 2),
        }
        for check in findings.decisive_checks(row)
    ]

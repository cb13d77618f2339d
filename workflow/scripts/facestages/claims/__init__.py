"""What was claimed, and whether it holds here: computed from the tables of a run.

Each claim of ``resources/claims.yaml`` names the numbers that decide it and what they should be. No
verdict is written by hand; the rules are those of `claims.verdicts`.
"""

from __future__ import annotations

import itertools
import os
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

import pandas as pd

from facestages import storage, tables
from facestages.claims.checks import (
    PEOPLE,
    Finding,
    World,
    check_form,
    describe,
    find_numbers,
    short,
)
from facestages.claims.numbers import group_people
from facestages.claims.verdicts import NOT_TESTABLE, VERDICTS, compare, judge
from facestages.errors import FacestagesError, did_you_mean, shorten
from facestages.yaml_files import read_yaml

_TEXTS = ("id", "where", "claim", "reported", "because")
# Lists of checks: those that decide, those of the paper's own measure, and what else it says.
_LISTS = ("decisive", "as_published", "further")
_COLUMNS = [
    *("id", "dataset", "where", "claim", "reported", "ours"),
    *("value", "ci_low", "ci_high", "p", "n"),
    *("rule", "verdict", "agreement", "as_published", "why", "faces", "because", "files"),
]
# Most numbers of one kind that are listed; of more, only the lowest and the highest are.
_LISTED = 6


# Numbers by list of checks, and what has none.
_Found = tuple[dict[str, list[Finding]], list[str]]


class _Judged(NamedTuple):
    """What is found for the checks of a claim, and what is not."""

    findings: Mapping[str, list[Finding]]
    outcomes: Mapping[str, list[bool | None]]
    missing: list[str]
    verdict: str


def judge_claims(
    claims: str | os.PathLike,
    files: Mapping[str, Sequence[str]],
    networks: Mapping[str, Mapping[str, object]],
    datasets: Mapping[str, Mapping[str, object]],
    absent: Mapping[str, str],
) -> pd.DataFrame:
    """Judge every claim: over all face sets, and on each of them.

    Parameters
    ----------
    claims : path-like
        ``resources/claims.yaml``.
    files : mapping of str to sequence of str
        CSV files of each table that a claim may name; an empty list if the run lacks the table.
    networks : mapping
        By name: ``label``; ``paper``, the network of the paper that it is, or None; and ``kinds``
        and ``roles``, which the keys ``networks`` and ``role`` of a check select.
    datasets : mapping
        By name: ``label``, ``paper``, ``rendered``, and ``of_paper``: whether it is the very face
        set of the paper.
    absent : mapping of str to str
        Why a table, a network of the paper or a face set of the paper is not there.

    Returns
    -------
    pandas.DataFrame
        A row for each claim, whose `dataset` is empty, and after it one for each face set that
        decides it: ``id, dataset, where, claim, reported, ours, value, ci_low, ci_high, p, n, rule,
        verdict, agreement, as_published, why, faces, because, files``. `ours` are the decisive
        numbers; `value`, its 95 % interval and p are given if there is one. `agreement` says
        whether the face sets agree. `as_published` is the verdict by the paper's own measures
        alone. `because` says why the decisive measure was chosen.

    Raises
    ------
    FacestagesError
        If an entry of `claims` is not as described there.
    """
    entries = _read_claims(claims)
    read = {name: tables.read_tables(paths) for name, paths in files.items() if paths}
    read |= {name: group_people(read[name]) for name in PEOPLE.values() if name in read}
    world = World(read, files, networks, datasets, absent)
    rows = [row for entry in entries for row in _judge(entry, world)]
    return pd.DataFrame(rows, columns=_COLUMNS)


def _read_claims(path: str | os.PathLike) -> list[dict]:
    entries = read_yaml(path).get("claims")
    is_list = isinstance(entries, list) and all(isinstance(entry, dict) for entry in entries)
    if not entries or not is_list:
        raise FacestagesError(f"{path}: must have the key 'claims' with a list of claims")
    for entry in entries:
        name = shorten(entry.get("id", entry))
        for key in _TEXTS:
            if key not in entry:
                raise FacestagesError(f"claims: entry {name}: key '{key}' is missing")
        for key in entry:
            if key not in (*_TEXTS, *_LISTS, "either"):
                hint = did_you_mean(key, (*_TEXTS, *_LISTS, "either"))
                raise FacestagesError(f"claims: {name}: unknown key '{shorten(key)}': {hint}")
        lists = [*_ways(entry), *(entry.get(key, []) for key in _LISTS[1:])]
        if not all(isinstance(checks, list) for checks in lists) or not all(_ways(entry)):
            raise FacestagesError(
                f"claims: {name}: needs the key 'decisive' with a list of checks, or 'either' with "
                f"lists of them"
            )
        for check in itertools.chain(*lists):
            check_form(check, name)
    return entries


def _ways(entry: Mapping) -> list[list[Mapping]]:
    """Lists of decisive checks, of which the one that holds best counts."""
    return entry.get("either", [entry.get("decisive")])


def _judge(entry: Mapping, world: World) -> Iterator[dict[str, object]]:
    """Rows of `judge_claims` of one claim."""
    ways = [_find({**entry, "decisive": way}, world) for way in _ways(entry)]
    whole = _best(ways)
    named = dict.fromkeys(
        one.dataset for findings, _ in ways for one in findings["decisive"] if one.dataset
    )
    on_sets = {name: _best([_of_face_set(way, name) for way in ways]) for name in named}
    verdicts = {world.datasets[name]["label"]: one.verdict for name, one in on_sets.items()}
    used = dict.fromkeys(
        check["table"] for way in _ways(entry) for check in [*way, *_others(entry)]
    )
    common = {key: str(entry[key]) for key in _TEXTS}
    common["files"] = " ".join(_where(world.files[name]) for name in used if name in world.tables)
    yield {**common, **_describe(whole), "dataset": "", "agreement": _agreement(verdicts)}
    for name, judged in on_sets.items():
        yield {**common, **_describe(judged), "dataset": name, "agreement": ""}


def _others(entry: Mapping) -> list[Mapping]:
    return [check for key in _LISTS[1:] for check in entry.get(key, [])]


def _find(entry: Mapping, world: World) -> _Found:
    """Numbers by list of checks, and what has none. A decisive check without any ends all."""
    findings, missing = {}, []
    for name in _LISTS:
        found = [find_numbers(check, world) for check in entry.get(name, [])]
        findings[name] = [one for numbers, _ in found for one in numbers]
        missing += [line for _, lines in found for line in lines]
        if name == "decisive" and not all(numbers for numbers, _ in found):
            return {key: [] for key in _LISTS}, missing
    return findings, missing


def _of_face_set(way: _Found, dataset: str) -> _Found:
    findings = {name: [one for one in of if one.dataset == dataset] for name, of in way[0].items()}
    return findings, []


def _best(ways: Sequence[_Found]) -> _Judged:
    """The way of judging with the best verdict."""
    judged = []
    for findings, missing in ways:
        among = len(findings["decisive"])
        outcomes = {
            name: [
                compare(one.number, one.check, len(ways), among if name == "decisive" else len(of))
                for one in of
            ]
            for name, of in findings.items()
        }
        others = [*outcomes["as_published"], *outcomes["further"]]
        verdict = judge(outcomes["decisive"], others)
        judged.append(_Judged(findings, outcomes, missing, verdict))
    return min(judged, key=lambda one: VERDICTS.index(one.verdict))


def _describe(judged: _Judged) -> dict[str, object]:
    """The part of a row of `judge_claims` that follows from some numbers."""
    decisive = judged.findings["decisive"]
    every = [one for of in judged.findings.values() for one in of]
    faces = {one.rendered for one in every} - {None}
    row: dict[str, object] = {
        "ours": _ours(decisive),
        "rule": "; ".join(dict.fromkeys(one.wanted for one in decisive)),
        "verdict": judged.verdict,
        "as_published": "",
        "faces": " and ".join("rendered" if kind else "photographs" for kind in sorted(faces)),
    }
    if judged.verdict == NOT_TESTABLE:
        return {**row, "why": "; ".join(dict.fromkeys(judged.missing))}
    if judged.findings["as_published"]:
        row["as_published"] = judge(judged.outcomes["as_published"])
    if len(decisive) == 1:
        number = decisive[0].number
        row |= {"value": number.value, "ci_low": number.low, "ci_high": number.high}
        row |= {"p": number.p, "n": number.n}
    return {**row, "why": _explain(judged, every, faces)}


def _where(paths: Sequence[str]) -> str:
    paths = [storage.path_in_run(path) for path in paths]
    if len(paths) == 1:
        return paths[0]
    start = os.path.commonpath(paths)
    return f"{start}/ ({len(paths)} tables)"


def _ours(findings: Sequence[Finding]) -> str:
    """The numbers in words, grouped by what they are."""
    kinds: dict[str, list[Finding]] = {}
    for one in findings:
        kinds.setdefault(one.check.get("say", ""), []).append(one)
    parts = []
    for say, of in kinds.items():
        text = _list_numbers(of)
        parts.append(f"{say}: {text}" if say else text)
    return "; ".join(parts)


def _list_numbers(of: Sequence[Finding]) -> str:
    if len(of) <= _LISTED:
        return ", ".join(map(str, of))
    values = [one.number.value for one in of]
    return f"{short(min(values))} to {short(max(values))} ({len(of)} numbers)"


def _agreement(verdicts: Mapping[str, str]) -> str:
    """Whether the verdicts on the face sets, by their labels, agree."""
    if len(verdicts) < 2:
        return ""
    different = dict.fromkeys(verdicts.values())
    if len(different) == 1:
        return f"the {len(verdicts)} face sets agree"
    parts = (
        f"{verdict} on {', '.join(label for label, one in verdicts.items() if one == verdict)}"
        for verdict in different
    )
    return "the face sets differ: " + "; ".join(parts)


def _explain(judged: _Judged, every: Sequence[Finding], faces: set[bool]) -> str:
    parts = []
    for name, of in judged.findings.items():
        answers: dict[str, list[tuple[Finding, bool | None]]] = {}
        for one, outcome in zip(of, judged.outcomes[name], strict=True):
            answers.setdefault(one.wanted, []).append((one, outcome))
        lead = {"decisive": "", "as_published": "PAPER'S MEASURE: ", "further": "FURTHER: "}[name]
        parts += [f"{lead}{wanted}: {_answer(of)}" for wanted, of in answers.items()]
    parts += [f"not tested: {reason}" for reason in dict.fromkeys(judged.missing)]
    parts += dict.fromkeys(note for one in every for note in one.notes)
    if True in faces:
        parts.append("judged on rendered faces")
    return "; ".join(parts)


def _answer(of: Sequence[tuple[Finding, bool | None]]) -> str:
    """Whether some numbers are as expected, and which are not."""
    words = {True: "yes", False: "no", None: "open"}
    if len(of) == 1:
        one, outcome = of[0]
        return f"{words[outcome]}, {describe(one.number)}"
    counts = []
    for outcome, word in words.items():
        names = [f"{one.what} {describe(one.number)}" for one, answer in of if answer is outcome]
        if names and outcome is True:
            counts.append(f"yes in {len(names)} of {len(of)}")
        elif names:
            more = f" and {len(names) - _LISTED} more" if len(names) > _LISTED else ""
            counts.append(f"{word} in {' / '.join(names[:_LISTED])}{more}")
    return ", ".join(counts)

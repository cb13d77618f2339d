"""What the paper claims, and whether it holds here: computed from the tables of a run.

Each claim of ``resources/claims.yaml`` names the numbers that bear on it and what they should be.
No verdict is written by hand. A claim *holds* if all its checks are met, *fails* if none is, and
*holds in part* otherwise; without numbers in the run it is *not testable here*.
"""

from __future__ import annotations

import itertools
import math
import os
from collections.abc import Mapping, Sequence

import pandas as pd

from facestages import tables
from facestages.claims.checks import (
    STAND_IN,
    Check,
    World,
    check_form,
    explain_lack,
    make_checks,
    short,
)
from facestages.errors import FacestagesError, shorten
from facestages.yaml_files import read_yaml

HOLDS, IN_PART, FAILS = "holds", "holds in part", "fails"
NOT_TESTABLE = "not testable here"
_RANKS = (NOT_TESTABLE, FAILS, IN_PART, HOLDS)
_ENTRY = ("id", "where", "claim", "paper")
_NUMBERS = ("value", "ci_low", "ci_high", "n")
# Most numbers of one kind that are listed; of more, only the lowest and the highest are.
_LISTED = 6


def judge_claims(
    claims: str | os.PathLike,
    files: Mapping[str, Sequence[str]],
    networks: Mapping[str, Mapping[str, object]],
    datasets: Mapping[str, Mapping[str, object]],
    absent: Mapping[str, str],
) -> pd.DataFrame:
    """Judge every claim.

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
        By name: ``label``, ``paper`` and ``rendered``.
    absent : mapping of str to str
        Why a table, a network of the paper or a face set of the paper is not there.

    Returns
    -------
    pandas.DataFrame
        One row for each claim: ``id, where, claim, paper, ours, value, ci_low, ci_high, n, rule,
        verdict, as_claimed, careful, why, faces, files``. `value` and its 95 % interval (over
        identities, unless a check says otherwise) are given if the claim rests on one number.
        `as_claimed` is the verdict by the paper's own measures, `careful` the one by measures that
        survive a review.

    Raises
    ------
    FacestagesError
        If an entry of `claims` is not as described there.
    """
    entries = _read_claims(claims)
    read = {name: tables.read_tables(paths) for name, paths in files.items() if paths}
    world = World(read, files, networks, datasets, absent)
    return pd.DataFrame([_judge(entry, world) for entry in entries])


def _read_claims(path: str | os.PathLike) -> list[dict]:
    entries = read_yaml(path).get("claims")
    is_list = isinstance(entries, list) and all(isinstance(entry, dict) for entry in entries)
    if not entries or not is_list:
        raise FacestagesError(f"{path}: must have the key 'claims' with a list of claims")
    for entry in entries:
        name = shorten(entry.get("id", entry))
        for key in _ENTRY:
            if key not in entry:
                raise FacestagesError(f"claims: entry {name}: key '{key}' is missing")
        ways = _ways(entry)
        if not isinstance(ways, list) or not all(isinstance(checks, list) for checks in ways):
            raise FacestagesError(
                f"claims: {name}: needs the key 'checks' with a list of checks, or 'either' with "
                f"lists of them"
            )
        for check in itertools.chain(*ways):
            check_form(check, name)
    return entries


def _ways(entry: Mapping) -> list[list[Mapping]]:
    """Lists of checks, of which the one that holds best counts."""
    return entry.get("either", [entry.get("checks")])


def _judge(entry: Mapping, world: World) -> dict[str, object]:
    entry_text = {key: str(entry[key]) for key in _ENTRY}
    judged = [_apply(checks, entry_text["id"], world) for checks in _ways(entry)]
    return {**entry_text, **max(judged, key=lambda row: _RANKS.index(row["verdict"]))}


def _apply(wanted: Sequence[Mapping], claim: str, world: World) -> dict[str, object]:
    """The part of a row of `judge_claims` that follows from some checks."""
    checks, lacking = [], []
    for check in wanted:
        numbers, missing = make_checks(check, claim, world)
        checks += numbers
        lacking += missing
        if not numbers and not missing:
            lacking.append(explain_lack(check, world))
    used = dict.fromkeys(check["table"] for check in wanted if check["table"] in world.tables)
    row = {
        "ours": _ours(checks),
        "as_claimed": "",
        "careful": "",
        **dict.fromkeys(_NUMBERS),
        "rule": "; ".join(dict.fromkeys(check.wanted for check in checks)),
        "files": " ".join(_where(world.files[name]) for name in used),
    }
    if not checks:
        why = "; ".join(dict.fromkeys(lacking))
        return {**row, "verdict": NOT_TESTABLE, "why": why, "faces": ""}
    if len({check[:6] for check in checks}) == 1:
        row |= {key: checks[0]._asdict()[key] for key in _NUMBERS}
    faces = {check.rendered for check in checks} - {None}
    # A claim about a network of the paper holds at most in part where another one stands in.
    partly = bool(lacking) or any(STAND_IN in note for check in checks for note in check.notes)
    for kind, careful in (("as_claimed", False), ("careful", True)):
        of_kind = [check.met for check in checks if check.careful == careful]
        row[kind] = verdict(of_kind) if of_kind else ""
    return {
        **row,
        "verdict": verdict([check.met for check in checks], partly),
        "why": _explain(checks, lacking, faces),
        "faces": " and ".join("rendered" if kind else "photographs" for kind in sorted(faces)),
    }


def verdict(met: Sequence[bool | None], lacking: bool = False) -> str:
    """The verdict from whether each check is met; None if its value meets it, but not its interval.

    With `lacking`, some checks could not be made, and a claim holds at most in part.
    """
    if all(one is True for one in met) and not lacking:
        return HOLDS
    return FAILS if all(one is False for one in met) else IN_PART


def _where(paths: Sequence[str]) -> str:
    if len(paths) == 1:
        return str(paths[0])
    start = os.path.commonpath([str(path) for path in paths])
    return f"{start}/ ({len(paths)} tables)"


def _ours(checks: Sequence[Check]) -> str:
    """The numbers in words, grouped by what they are."""
    kinds: dict[str, list[Check]] = {}
    for check in dict.fromkeys(check._replace(wanted="", met=None) for check in checks):
        kinds.setdefault(check.say, []).append(check)
    parts = []
    for say, of in kinds.items():
        if len(of) > _LISTED:
            values = [check.value for check in of]
            text = f"{short(min(values))} to {short(max(values))} ({len(of)} numbers)"
        else:
            text = ", ".join(f"{check.what} {_number(check)}".strip() for check in of)
        parts.append(f"{say}: {text}" if say and len(kinds) > 1 else text)
    return "; ".join(parts)


def _number(check: Check) -> str:
    text = short(check.value)
    if not math.isnan(check.ci_low):
        text += f" [{short(check.ci_low)}, {short(check.ci_high)}]"
    return text


def _explain(checks: Sequence[Check], lacking: Sequence[str], faces: set[bool]) -> str:
    parts = []
    for wanted in dict.fromkeys(check.wanted for check in checks):
        of = [check for check in checks if check.wanted == wanted]
        parts.append(f"{wanted}: {_answer(of)}")
    parts += [f"not tested: {reason}" for reason in dict.fromkeys(lacking)]
    parts += dict.fromkeys(note for check in checks for note in check.notes)
    if True in faces:
        parts.append("judged on rendered faces")
    return "; ".join(parts)


def _answer(of: Sequence[Check]) -> str:
    """Whether the checks for one expectation are met, and which are not."""
    if len(of) == 1:
        return {True: "yes", None: "yes, but its interval reaches beyond", False: "no"}[of[0].met]
    answer = f"{sum(check.met is not False for check in of)} of {len(of)}"
    for met, words in ((False, "not"), (None, "interval reaches beyond in")):
        names = [check.what for check in of if check.met is met]
        if names:
            answer += f", {words} {' / '.join(names)}"
    return answer

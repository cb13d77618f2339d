"""What the paper claims, and whether it holds here: computed from the tables of a run.

Each claim of ``resources/claims.yaml`` names the numbers that bear on it and what they should be.
A verdict is never written by hand: *holds* if all its checks are met, *fails* if none is, *holds in
part* otherwise, and *not testable here* where the run has no such numbers.
"""

from __future__ import annotations

import html
import math
import os
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd

from facestages import pages, tables
from facestages.errors import FacestagesError, did_you_mean
from facestages.files import read_yaml

HOLDS, IN_PART, FAILS = "holds", "holds in part", "fails"
NOT_TESTABLE = "not testable here"

_EXPECTATIONS = ("above", "below", "near")
_CHECK_KEYS = (
    *("table", "select", "minus", "each", "networks", "paper_network", "paper_dataset", "role"),
    *("photographs", "declared", "faces", "column", "size", "expect", "bound", "within", "say"),
    "careful",
)
_RANKS = (NOT_TESTABLE, FAILS, IN_PART, HOLDS)


class Check(NamedTuple):
    """One number beside what it should be."""

    what: str
    value: float
    ci_low: float
    ci_high: float
    n: int | None
    #: What the number is, e.g. ``identity silhouette``.
    say: str
    #: What it should be, e.g. ``identity silhouette above 0``.
    wanted: str
    #: True: so is the whole interval; None: the value is, the interval is not; False: it is not.
    met: bool | None
    rendered: bool | None
    notes: tuple[str, ...]
    #: Whether it is the version that survives a review, and not the paper's own measure.
    careful: bool


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
        CSV files of each table that a claim may name; none where the run has no such table.
    networks : mapping
        By name: ``label``, ``paper`` (the network of the paper that it is, or None), ``kinds`` and
        ``roles``: what ``networks`` and ``role`` of a check may name.
    datasets : mapping
        By name: ``label``, ``paper`` and ``rendered``.
    absent : mapping of str to str
        Why a table, a network of the paper or a face set of the paper is not there.

    Returns
    -------
    pandas.DataFrame
        One row a claim: ``id, where, claim, paper, ours, value, ci_low, ci_high, n, rule, verdict,
        as_claimed, careful, why, faces, files``. `value` and its interval (95 %, over people where
        not said otherwise) are there where a claim rests on one number; `as_claimed` and `careful`
        are the verdicts by the paper's own measures, and by those that survive a review.

    Raises
    ------
    FacestagesError
        If an entry of `claims` is not as described there.
    """
    entries = read_yaml(claims)["claims"]
    known = {name: tables.read_tables(paths) for name, paths in files.items() if paths}
    world = _World(known, files, networks, datasets, absent)
    return pd.DataFrame([_judge(entry, world) for entry in entries])


class _World(NamedTuple):
    tables: Mapping[str, pd.DataFrame]
    files: Mapping[str, Sequence[str]]
    networks: Mapping[str, Mapping[str, object]]
    datasets: Mapping[str, Mapping[str, object]]
    absent: Mapping[str, str]


def _judge(entry: Mapping, world: _World) -> dict[str, object]:
    for key in ("id", "where", "claim", "paper"):
        if key not in entry:
            raise FacestagesError(f"claims: entry {entry.get('id', entry)}: key '{key}' is missing")
    said = {key: str(entry[key]) for key in ("id", "where", "claim", "paper")}
    judged = [
        _apply(checks, entry["id"], world) for checks in entry.get("either", [entry.get("checks")])
    ]
    return {**said, **max(judged, key=lambda row: _RANKS.index(row["verdict"]))}


def _apply(wanted: Sequence[Mapping], claim: str, world: _World) -> dict[str, object]:
    """What comes of some checks, as part of a row of `judge_claims`."""
    checks, lacking = [], []
    for check in wanted:
        found, missing = _checks(check, claim, world)
        checks += found
        lacking += missing
        if not found and not missing:
            lacking.append(_why_nothing(check, world))
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
        row |= {key: getattr(checks[0], key) for key in _NUMBERS}
    faces = {check.rendered for check in checks} - {None}
    # What a stand-in shows is no more than a part of what is claimed of the paper's network.
    partly = bool(lacking) or any(_STAND_IN in note for check in checks for note in check.notes)
    for kind, careful in (("as_claimed", False), ("careful", True)):
        of_kind = [check.met for check in checks if check.careful == careful]
        row[kind] = verdict(of_kind) if of_kind else ""
    return {
        **row,
        "verdict": verdict([check.met for check in checks], partly),
        "why": _explain(checks, lacking, faces),
        "faces": " and ".join("rendered" if kind else "photographs" for kind in sorted(faces)),
    }


_NUMBERS = ("value", "ci_low", "ci_high", "n")
_STAND_IN = "is not among the paper's networks"


def verdict(met: Sequence[bool | None], lacking: bool = False) -> str:
    """Verdict from what each check says.

    Parameters
    ----------
    met : sequence of bool or None
        None: met by the number, not by its whole interval.
    lacking : bool
        Whether some checks could not be made.
    """
    if all(one is True for one in met) and not lacking:
        return HOLDS
    return FAILS if all(one is False for one in met) else IN_PART


def _checks(check: Mapping, claim: str, world: _World) -> tuple[list[Check], list[str]]:
    """What a check of the list finds, and why some of its numbers are not there."""
    for key in check:
        if key not in _CHECK_KEYS:
            hint = did_you_mean(key, _CHECK_KEYS)
            raise FacestagesError(f"claims: {claim}: unknown key '{key}': {hint}")
    if check.get("expect") not in _EXPECTATIONS:
        hint = did_you_mean(check.get("expect"), _EXPECTATIONS)
        raise FacestagesError(f"claims: {claim}: expect = '{check.get('expect')}': {hint}")
    table = world.tables.get(check["table"])
    if table is None:
        return [], []
    rows = _of_paper(table, check, world)
    chosen = _select(rows, check["select"])
    # Networks and face sets are not averaged, whether they are named or not.
    named = [column for column in check.get("each", []) if column in chosen]
    each = list(dict.fromkeys([*named, *(c for c in _APART if c in chosen)]))
    found, missing = [], []
    for names, group in chosen.groupby(each, sort=False) if each else [((), chosen)]:
        group_of = dict(zip(each, names, strict=True))
        told = [c for c in each if c in named or chosen[c].nunique() > 1]
        what = ", ".join(filter(None, (_label(c, group_of[c], world) for c in told)))
        summary = _summarise(group, check)
        if summary and check.get("minus"):
            second = {**check["select"], **check["minus"]}
            other = _summarise(_select(_select(rows, group_of), second), check)
            summary = other and _difference(summary, other)
        if summary is None:
            notes = [*group.get("note", pd.Series(dtype=str)).dropna().unique()]
            say = ", ".join(filter(None, [what, check.get("say")]))
            missing.append(f"{say} ({'; '.join(filter(None, notes)) or 'not measured'})")
        else:
            found.append(_compare(check, what, summary, group, world))
    return found, missing


_APART = ("network", "dataset", "name")


def _of_paper(table: pd.DataFrame, check: Mapping, world: _World) -> pd.DataFrame:
    """Rows of the networks and face sets that a check is about."""
    for key, asked in (("kinds", check.get("networks")), ("roles", check.get("role"))):
        if asked:
            names = [name for name, entry in world.networks.items() if asked in entry[key]]
            table = table[table["network"].isin(names)]
    if check.get("declared") is False:
        table = table[~table["label_source"].str.contains("declared")]
    for kind, entries, column in (
        ("paper_network", world.networks, "network"),
        ("paper_dataset", world.datasets, "dataset"),
    ):
        if kind in check:
            names = [name for name, entry in entries.items() if entry["paper"] == check[kind]]
            table = table[table[column if column in table else "name"].isin(names)]
    if check.get("photographs"):
        rendered = {name for name, entry in world.datasets.items() if entry["rendered"]}
        for column in ("dataset", "item", "name"):
            if column in table:
                table = table[~table[column].isin(rendered)]
    return table


def _select(table: pd.DataFrame, wanted: Mapping[str, object]) -> pd.DataFrame:
    for column, value in wanted.items():
        if column not in table:
            return table.iloc[:0]
        values = value if isinstance(value, list) else [value]
        table = table[table[column].map(_plain).isin(list(map(_plain, values)))]
    return table


def _plain(value: object) -> str:
    """A value as text; a column of whole numbers in which some are missing holds 1 as 1.0."""
    return f"{value:g}" if isinstance(value, float) else str(value)


class _Summary(NamedTuple):
    value: float
    ci_low: float
    ci_high: float
    n: int | None


def _summarise(rows: pd.DataFrame, check: Mapping) -> _Summary | None:
    """Mean over seeds, the widest interval; None where there is no number."""
    column, size = check.get("column", "value"), check.get("size", False)
    rows = rows[rows[column].notna()]
    if rows.empty:
        return None
    values = rows[column].abs() if size else rows[column]
    known = column == "value" and "ci_low" in rows
    low, high = (
        rows[side].astype(float) if known else pd.Series(dtype=float)
        for side in ("ci_low", "ci_high")
    )
    if size:
        # The size of something between -0.2 and 0.1 is between 0 and 0.2.
        ends = np.sort(np.abs(np.stack([low, high])), axis=0) if len(low) else np.empty((2, 0))
        crosses = (low * high < 0).to_numpy()
        low, high = pd.Series(np.where(crosses, 0.0, ends[0])), pd.Series(ends[1])
    n = rows["n"].max() if "n" in rows else math.nan
    ends = (low.min() if len(low) else math.nan, high.max() if len(high) else math.nan)
    return _Summary(values.mean(), *ends, None if pd.isna(n) else int(n))


def _difference(one: _Summary, other: _Summary) -> _Summary:
    """Difference, with the widest interval that the two intervals allow."""
    low, high = one.ci_low - other.ci_high, one.ci_high - other.ci_low
    return _Summary(one.value - other.value, low, high, one.n)


def _compare(
    check: Mapping, what: str, summary: _Summary, group: pd.DataFrame, world: _World
) -> Check:
    bound = float(check["bound"])
    value, low, high = summary.value, summary.ci_low, summary.ci_high
    say, careful = check.get("say", ""), "CAREFUL: " if check.get("careful") else ""
    if check["expect"] == "near":
        within = float(check["within"])
        of = f"within {within:g} of {_short(bound)}" if within else f"exactly {_short(bound)}"
        wanted = f"{careful}{say} {of}".strip()
        met: bool | None = bool(abs(value - bound) <= within)
    else:
        above = check["expect"] == "above"
        wanted = f"{careful}{say} {check['expect']} {_short(bound)}".strip()
        met = bool(value > bound if above else value < bound)
        edge = low if above else high
        if met and not math.isnan(edge) and not (edge > bound if above else edge < bound):
            met = None
    return Check(
        what,
        *summary,
        say,
        wanted,
        met,
        _rendered(group, world, check.get("faces")),
        tuple(_notes(check, what, group, world)),
        bool(check.get("careful")),
    )


def _rendered(group: pd.DataFrame, world: _World, otherwise: str | None) -> bool | None:
    """Whether the faces are renders; of faces that are none of the run's, what the check says."""
    if "rendered" in group and group["rendered"].notna().any():
        return bool(group["rendered"].astype(float).max())
    columns = [column for column in ("dataset", "item", "name") if column in group]
    named = {name for column in columns for name in group[column].unique()} & set(world.datasets)
    if named:
        return any(world.datasets[name]["rendered"] for name in named)
    return False if otherwise == "photographs" else None


def _notes(check: Mapping, what: str, group: pd.DataFrame, world: _World) -> Iterator[str]:
    if "note" in group:
        for note in group["note"].dropna().unique():
            if "CIRCULAR" in note:
                yield f"{what}: {note}" if what else note
    if "label_source" in group and group["label_source"].astype(str).str.contains("declared").any():
        yield "valence and arousal are declared, not rated"
    if {"networks", "paper_network"} & check.keys() or "network" not in group:
        return
    if check.get("role") == "pixels":
        return
    for name in group["network"].unique():
        if name in world.networks and not world.networks[name]["paper"]:
            yield f"{world.networks[name]['label']} {_STAND_IN}"


def _label(column: str, name: object, world: _World) -> str:
    entries = {"network": world.networks, "dataset": world.datasets, "name": world.networks}
    entry = entries.get(column, {}).get(name)
    return str(entry["label"]) if entry else str(name)


def _why_nothing(check: Mapping, world: _World) -> str:
    """Why a check found no number."""
    if check["table"] not in world.tables:
        return world.absent.get(check["table"], f"the run makes no {check['table']}")
    for kind in ("paper_network", "paper_dataset"):
        if kind in check:
            name = check[kind]
            entries = world.networks if kind == "paper_network" else world.datasets
            if name in world.absent:
                return world.absent[name]
            if not any(entry["paper"] == name for entry in entries.values()):
                return f"the config has no {name}"
    if check.get("photographs"):
        return "only rendered faces stand in for the paper's"
    chosen = ", ".join(f"{key} {value}" for key, value in check["select"].items())
    return f"{check['table']} has no {chosen}"


def _where(paths: Sequence[str]) -> str:
    if len(paths) == 1:
        return str(paths[0])
    start = os.path.commonpath([str(path) for path in paths])
    return f"{start}/ ({len(paths)} tables)"


# So many numbers of one kind are listed; of more, the lowest and the highest.
_LISTED = 6


def _ours(checks: Sequence[Check]) -> str:
    """The numbers themselves, those of one kind together."""
    kinds: dict[str, list[Check]] = {}
    for check in dict.fromkeys(check._replace(wanted="", met=None) for check in checks):
        kinds.setdefault(check.say, []).append(check)
    parts = []
    for say, of in kinds.items():
        if len(of) > _LISTED:
            values = [check.value for check in of]
            text = f"{_short(min(values))} to {_short(max(values))} ({len(of)} numbers)"
        else:
            text = ", ".join(f"{check.what} {_number(check)}".strip() for check in of)
        parts.append(f"{say}: {text}" if say and len(kinds) > 1 else text)
    return "; ".join(parts)


def _number(check: Check) -> str:
    text = _short(check.value)
    if not math.isnan(check.ci_low):
        text += f" [{_short(check.ci_low)}, {_short(check.ci_high)}]"
    return text


def _short(number: float) -> str:
    """Three digits; whole numbers in full."""
    return f"{number:,.0f}" if number >= 100 and number == round(number) else f"{number:.3g}"


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
    """Whether some checks of one kind are met, and which are not."""
    if len(of) == 1:
        return {True: "yes", None: "yes, but its interval reaches beyond", False: "no"}[of[0].met]
    answer = f"{sum(check.met is not False for check in of)} of {len(of)}"
    for met, words in ((False, "not"), (None, "interval reaches beyond in")):
        names = [check.what for check in of if check.met is met]
        if names:
            answer += f", {words} {' / '.join(names)}"
    return answer


# --------------------------------------------------------------------------------------- as a page

_COLORS = {HOLDS: "#009E73", IN_PART: "#E69F00", FAILS: "#D55E00", NOT_TESTABLE: "#808080"}
_SIGNS = {HOLDS: "✓", IN_PART: "◐", FAILS: "✗", NOT_TESTABLE: "–"}
_HEADS = {
    "id": "",
    "where": "Where",
    "claim": "Claim",
    "paper": "Paper",
    "ours": "Here",
    "verdict": "Verdict",
    "careful": "Careful version",
    "why": "Why",
    "faces": "Faces",
}


def write_claims(table: pd.DataFrame, path: str | os.PathLike, title: str) -> None:
    """Write the table of `judge_claims` as one HTML page that needs nothing else.

    Parameters
    ----------
    table : pandas.DataFrame
    path : path-like
    title : str
    """
    counts = table["verdict"].value_counts()
    summary = ", ".join(f"{counts[v]} {v}" for v in _COLORS if v in counts)
    about = (
        f"{summary}. Every verdict is computed from the tables of this run: a claim holds if all "
        f"its checks are met, fails if none is, and holds in part otherwise. Some checks are the "
        f"paper's own measures; those marked CAREFUL are the versions that survive a review, and "
        f"what they say alone is the careful version. A direction is met "
        f"with the whole 95 % interval, a number of the paper by the value alone. Intervals are "
        f"over people, or over a network's instances where a check says so, those of Table 1's "
        f"accuracies over pictures, taken as independent; that of a difference is the widest that "
        f"the two intervals allow."
    )
    if table["faces"].str.contains("rendered").any():
        about += " Where the table says so, faces are RENDERED, not photographs."
    rows = (_cells(row) for row in table.to_dict("records"))
    pages.write_page(
        path, title, [pages.paragraph(about), pages.html_rows([*_HEADS.values()], rows)]
    )


def _cells(row: Mapping[str, object]) -> Iterator[str]:
    for column in _HEADS:
        text = ";<br>".join(map(html.escape, str(row[column]).split("; ")))
        kind = "small" if column in ("ours", "why") else column
        if column in ("verdict", "careful") and row[column]:
            color, sign = _COLORS[row[column]], _SIGNS[row[column]]
            text = f'<span style="color:{color}">{sign}</span>&nbsp;{text}'
        yield f'<td class="{kind}">{text}</td>'

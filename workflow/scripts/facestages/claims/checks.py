"""The numbers of a run that bear on a claim, each compared with what the claim expects."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd

from facestages.errors import FacestagesError, did_you_mean, shorten

_EXPECTATIONS = ("above", "below", "near")
# Kind of value of each key of a check, and in words.
_TEXT, _YES, _NUMBER = (str, "text"), (bool, "true or false"), ((int, float), "a number")
_COLUMNS = (dict, "columns with values")
_KEYS = {
    **dict.fromkeys(("table", "networks", "paper_network", "paper_dataset", "role"), _TEXT),
    **dict.fromkeys(("faces", "column", "expect", "say"), _TEXT),
    **dict.fromkeys(("photographs", "declared", "size", "careful"), _YES),
    **dict.fromkeys(("bound", "within"), _NUMBER),
    **dict.fromkeys(("select", "minus"), _COLUMNS),
    "each": (list, "a list of columns"),
}
_REQUIRED = ("table", "select", "expect", "bound")
# Columns whose values are never averaged over.
_APART = ("network", "dataset", "name")
#: End of the note about a network that stands in for one of the paper's.
STAND_IN = "is not among the paper's networks"


class Check(NamedTuple):
    """A number of the run beside what a claim expects."""

    what: str
    value: float
    ci_low: float
    ci_high: float
    n: int | None
    #: What the number is, e.g. ``identity silhouette``.
    say: str
    #: What it should be, e.g. ``identity silhouette above 0``.
    wanted: str
    #: True: the whole interval is as wanted; None: the value alone is; False: it is not.
    met: bool | None
    rendered: bool | None
    notes: tuple[str, ...]
    #: Whether this is the version that survives a review, and not the paper's own measure.
    careful: bool


class World(NamedTuple):
    """The tables of a run, and what it is made of; see `claims.judge_claims`."""

    tables: Mapping[str, pd.DataFrame]
    files: Mapping[str, Sequence[str]]
    networks: Mapping[str, Mapping[str, object]]
    datasets: Mapping[str, Mapping[str, object]]
    absent: Mapping[str, str]


def check_form(check: object, claim: str) -> None:
    """Raise `FacestagesError` if a check of a claim is not as ``claims.yaml`` describes."""
    if not isinstance(check, dict):
        raise FacestagesError(f"claims: {claim}: a check must be keys and values: {shorten(check)}")
    for key, value in check.items():
        if key not in _KEYS:
            hint = did_you_mean(key, _KEYS)
            raise FacestagesError(f"claims: {claim}: unknown key '{shorten(key)}': {hint}")
        kind, words = _KEYS[key]
        if not isinstance(value, kind) or (isinstance(value, bool) and kind is not bool):
            raise FacestagesError(
                f"claims: {claim}: {key} = '{shorten(value)}': must be {words}. Correct it"
            )
    for key in (*_REQUIRED, *(["within"] if check.get("expect") == "near" else [])):
        if key not in check:
            raise FacestagesError(f"claims: {claim}: a check lacks the key '{key}'. Add it")
    if check["expect"] not in _EXPECTATIONS:
        hint = did_you_mean(check["expect"], _EXPECTATIONS)
        raise FacestagesError(f"claims: {claim}: expect = '{shorten(check['expect'])}': {hint}")


def make_checks(check: Mapping, claim: str, world: World) -> tuple[list[Check], list[str]]:
    """Apply one check of a claim to the tables.

    Returns
    -------
    checks : list of Check
        One for each network and face set that the check is about.
    missing : list of str
        Those without a number, and why.

    Raises
    ------
    FacestagesError
        If a column that it compares holds no numbers.
    """
    table = world.tables.get(check["table"])
    if table is None:
        return [], []
    rows = _of_paper(table, check, world)
    chosen = _select(rows, check["select"])
    # Networks and face sets are never averaged, even if the check does not name them in `each`.
    named = [column for column in check.get("each", []) if column in chosen]
    each = list(dict.fromkeys([*named, *(c for c in _APART if c in chosen)]))
    checks, missing = [], []
    for names, group in chosen.groupby(each, sort=False) if each else [((), chosen)]:
        group_of = dict(zip(each, names, strict=True))
        telling = [c for c in each if c in named or chosen[c].nunique() > 1]
        what = ", ".join(filter(None, (_label(c, group_of[c], world) for c in telling)))
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
            checks.append(_compare(check, what, summary, group, world))
    return checks, missing


def _of_paper(table: pd.DataFrame, check: Mapping, world: World) -> pd.DataFrame:
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
    """A value as text. Whole numbers lose ".0", which pandas adds in a column with gaps."""
    return f"{value:g}" if isinstance(value, float) else str(value)


class _Summary(NamedTuple):
    value: float
    ci_low: float
    ci_high: float
    n: int | None


def _summarise(rows: pd.DataFrame, check: Mapping) -> _Summary | None:
    """Mean of some rows, with an interval that covers all of theirs; None without a number."""
    column, size = check.get("column", "value"), check.get("size", False)
    rows = rows[rows[column].notna()] if column in rows else rows.iloc[:0]
    if rows.empty:
        return None
    if not pd.api.types.is_numeric_dtype(rows[column]):
        raise FacestagesError(
            f"claims: column '{shorten(column)}' of {check['table']} holds text, which has no bound"
        )
    values = rows[column].abs() if size else rows[column]
    has_interval = column == "value" and "ci_low" in rows
    low, high = (
        rows[side].astype(float) if has_interval else pd.Series(dtype=float)
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
    check: Mapping, what: str, summary: _Summary, group: pd.DataFrame, world: World
) -> Check:
    bound = float(check["bound"])
    value, low, high = summary.value, summary.ci_low, summary.ci_high
    say, careful = check.get("say", ""), "CAREFUL: " if check.get("careful") else ""
    if check["expect"] == "near":
        within = float(check["within"])
        of = f"within {within:g} of {short(bound)}" if within else f"exactly {short(bound)}"
        wanted = f"{careful}{say} {of}".strip()
        met: bool | None = bool(abs(value - bound) <= within)
    else:
        above = check["expect"] == "above"
        wanted = f"{careful}{say} {check['expect']} {short(bound)}".strip()
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


def _rendered(group: pd.DataFrame, world: World, otherwise: str | None) -> bool | None:
    """Whether the faces are rendered, by the run or, for faces outside it, by the check."""
    if "rendered" in group and group["rendered"].notna().any():
        return bool(group["rendered"].astype(float).max())
    columns = [column for column in ("dataset", "item", "name") if column in group]
    named = {name for column in columns for name in group[column].unique()} & set(world.datasets)
    if named:
        return any(world.datasets[name]["rendered"] for name in named)
    return False if otherwise == "photographs" else None


def _notes(check: Mapping, what: str, group: pd.DataFrame, world: World) -> Iterator[str]:
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
            yield f"{world.networks[name]['label']} {STAND_IN}"


def _label(column: str, name: object, world: World) -> str:
    entries = {"network": world.networks, "dataset": world.datasets, "name": world.networks}
    entry = entries.get(column, {}).get(name)
    return str(entry["label"]) if entry else str(name)


def explain_lack(check: Mapping, world: World) -> str:
    """Why no number of the run bears on a check."""
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


def short(number: float) -> str:
    """A number with three digits; whole numbers above 100 in full."""
    return f"{number:,.0f}" if number >= 100 and number == round(number) else f"{number:.3g}"

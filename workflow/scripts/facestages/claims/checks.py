"""The numbers of a run that bear on a claim."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

import pandas as pd

from facestages.claims.numbers import Number, measure_rows, subtract
from facestages.errors import FacestagesError, did_you_mean, shorten

_EXPECTATIONS = ("above", "below", "near")
# Kind of value of each key of a check, and in words.
_TEXT, _YES, _NUMBER = (str, "text"), (bool, "true or false"), ((int, float), "a number")
_COLUMNS = (dict, "columns with values")
_KEYS = {
    **dict.fromkeys(("table", "networks", "paper_network", "paper_dataset", "role"), _TEXT),
    **dict.fromkeys(("faces", "observers", "less", "p", "expect", "say", "otherwise_if"), _TEXT),
    **dict.fromkeys(("of_paper", "declared", "size", "exact"), _YES),
    **dict.fromkeys(("bound", "within"), _NUMBER),
    **dict.fromkeys(("select", "minus", "otherwise"), _COLUMNS),
    "each": (list, "a list of columns"),
}
_REQUIRED = ("table", "select", "expect", "bound")
# Columns whose values are never averaged over.
_APART = ("network", "dataset", "name")
#: The tables of the pseudo-values of people, by the table that they belong to.
PEOPLE = {"separability": "separability_people", "subspaces": "subspaces_people"}


class Finding(NamedTuple):
    """A number of the run that a check is about."""

    check: Mapping
    #: Network, face set and what else tells it from the others of the check.
    what: str
    #: Name of the face set; empty if the number is of none.
    dataset: str
    number: Number
    rendered: bool | None
    notes: tuple[str, ...]

    @property
    def wanted(self) -> str:
        """What the number should be, e.g. ``identity silhouette above 0``."""
        bound, within = short(float(self.check["bound"])), self.check.get("within")
        if self.check["expect"] != "near":
            wanted = f"{self.check['expect']} {bound}"
        else:
            wanted = f"within {within:g} of {bound}" if within else f"exactly {bound}"
        p = f", {self.check['p']} below 0.05" if "p" in self.check else ""
        return f"{self.check.get('say', '')} {wanted}{p}".strip()

    def __str__(self) -> str:
        return f"{self.what} {describe(self.number)}".strip()


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


def find_numbers(check: Mapping, world: World) -> tuple[list[Finding], list[str]]:
    """The numbers that a check is about: one for each network and face set.

    Returns
    -------
    findings : list of Finding
    missing : list of str
        What has no number, and why.

    Raises
    ------
    FacestagesError
        If a column that it compares holds no numbers.
    """
    table = world.tables.get(check["table"])
    if table is None:
        return [], [_explain_lack(check, world)]
    rows = _of_paper(table, check, world)
    chosen = _select(rows, check["select"])
    if chosen.empty:
        return [], [_explain_lack(check, world)]
    # Networks and face sets are never averaged, even if the check does not name them in `each`.
    named = [column for column in check.get("each", []) if column in chosen]
    each = list(dict.fromkeys([*named, *(c for c in _APART if c in chosen)]))
    findings, missing = [], {}
    for names, group in chosen.groupby(each, sort=False) if each else [((), chosen)]:
        group_of = dict(zip(each, names, strict=True))
        telling = [c for c in each if c in named or chosen[c].nunique() > 1]
        what = ", ".join(filter(None, (_label(c, group_of[c], world) for c in telling)))
        number, group = _number(check, rows, group, group_of, world)
        if number is None:
            notes = [*group.get("note", pd.Series(dtype=str)).dropna().unique()]
            reason = "; ".join(filter(None, notes)) or "not measured"
            missing.setdefault(reason, []).append(what)
            continue
        dataset, rendered = _face_set(group, world, check.get("faces"))
        notes = tuple(_notes(check, what, group, world))
        findings.append(Finding(check, what, dataset, number, rendered, notes))
    return findings, [_say_missing(check, *one) for one in missing.items()]


def _say_missing(check: Mapping, reason: str, names: Sequence[str]) -> str:
    """What has no number for one reason."""
    lacking = " / ".join(filter(None, names))
    say = ": ".join(filter(None, [check.get("say"), lacking]))
    return f"{say} ({reason})" if say else reason


def _number(
    check: Mapping, rows: pd.DataFrame, group: pd.DataFrame, group_of: Mapping, world: World
) -> tuple[Number | None, pd.DataFrame]:
    """The number of one network and face set, and the rows that it is of."""
    people = world.tables.get(PEOPLE.get(check["table"]))
    number, selected = measure_rows(group, check, people), check["select"]
    if number is None and "otherwise" in check and _lacks(group, check.get("otherwise_if", "")):
        selected = {**selected, **check["otherwise"]}
        group = _select(_select(rows, group_of), selected)
        number = measure_rows(group, check, people)
    if number is not None and check.get("minus"):
        changed = {**selected, **check["minus"]}
        same = {key: value for key, value in group_of.items() if key not in check["minus"]}
        other = measure_rows(_select(_select(rows, same), changed), check, people)
        number = other and subtract(number, other, are_independent="dataset" in check["minus"])
    return number, group


def _lacks(rows: pd.DataFrame, reason: str) -> bool:
    """Whether rows have no number for a reason that their notes name."""
    return not reason or rows["note"].str.contains(reason, regex=False).any()


def _of_paper(table: pd.DataFrame, check: Mapping, world: World) -> pd.DataFrame:
    """Rows of the networks and face sets that a check is about."""
    for key, asked in (("kinds", check.get("networks")), ("roles", check.get("role"))):
        if asked:
            names = [name for name, entry in world.networks.items() if asked in entry[key]]
            table = table[table["network"].isin(names)]
    if check.get("observers") == "people":
        table = table[table["simulated"] == 0]
    if check.get("declared") is False:
        table = table[~table["label_source"].str.contains("declared")]
    for kind, entries, column in (
        ("paper_network", world.networks, "network"),
        ("paper_dataset", world.datasets, "dataset"),
    ):
        if kind in check:
            names = [name for name, entry in entries.items() if entry["paper"] == check[kind]]
            table = table[table[column if column in table else "name"].isin(names)]
    if check.get("of_paper"):
        others = {name for name, entry in world.datasets.items() if not entry["of_paper"]}
        for column in ("dataset", "item", "name"):
            if column in table:
                table = table[~table[column].isin(others)]
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


def _face_set(group: pd.DataFrame, world: World, otherwise: str | None) -> tuple[str, bool | None]:
    """The face set of some rows, and whether its faces are rendered.

    Of faces outside the run, the check says in `otherwise` what they are.
    """
    columns = [column for column in ("dataset", "item", "name") if column in group]
    named = [name for column in columns for name in group[column].unique()]
    named = [name for name in named if name in world.datasets]
    if named:
        return named[0], bool(world.datasets[named[0]]["rendered"])
    return "", False if otherwise == "photographs" else None


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
            yield f"{world.networks[name]['label']} is not among the paper's networks"


def _label(column: str, name: object, world: World) -> str:
    entries = {"network": world.networks, "dataset": world.datasets, "name": world.networks}
    entry = entries.get(column, {}).get(name)
    return str(entry["label"]) if entry else str(name)


def _explain_lack(check: Mapping, world: World) -> str:
    """Why no number of the run bears on a check."""
    if check["table"] not in world.tables:
        return world.absent.get(check["table"], f"the run makes no {check['table']}")
    if check.get("observers") == "people" and world.tables[check["table"]]["simulated"].any():
        return "the observers of this run are simulated, no people"
    asked = check.get("networks")
    if asked and not any(asked in entry["kinds"] for entry in world.networks.values()):
        return f"the config has no network of the kind '{asked}'"
    for kind in ("paper_network", "paper_dataset"):
        if kind in check:
            name = check[kind]
            entries = world.networks if kind == "paper_network" else world.datasets
            if name in world.absent:
                return world.absent[name]
            if not any(entry["paper"] == name for entry in entries.values()):
                return f"the config has no {name}"
    if check.get("of_paper"):
        return "other faces stand in for the paper's, so its numbers are not expected here"
    chosen = ", ".join(f"{key} {value}" for key, value in check["select"].items())
    return f"{check['table']} has no {chosen}"


def describe(number: Number) -> str:
    """A number with its interval, and with its p-value if it has one."""
    text = short(number.value)
    if number.low == number.low:  # not NaN
        text += f" [{short(number.low)}, {short(number.high)}]"
    return text if number.p != number.p else f"{text} (p = {number.p:.2g})"


def short(number: float) -> str:
    """A number with three digits; whole numbers above 100 in full."""
    return f"{number:,.0f}" if number >= 100 and number == round(number) else f"{number:.3g}"

"""The page of the claims: each claim with the checks that decide it, from ``claims.yaml``."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from docs.pages.markdown import section, table

from facestages.assets import RESOURCES
from facestages.claims.checks import Finding
from facestages.yaml_files import read_yaml

_LISTS = {
    "decisive": "decides",
    "as_published": "the paper's own measure",
    "further": "what else it says",
}
_PAPER = {"paper_network": "the paper's {}", "paper_dataset": "the paper's face set {}"}


def claim_tables() -> str:
    """A section for each claim: who made it, what is reported, and its checks."""
    return "\n".join(map(_describe, read_yaml(RESOURCES / "claims.yaml")["claims"]))


def _describe(claim: Mapping) -> str:
    rows = [
        (role, _wanted(check), _of(check), f"`{check['table']}`", _rows(check))
        for role, checks in _checks(claim)
        for check in checks
    ]
    heads = ("", "what it should be", "of", "table", "rows")
    about = f"{claim['where']}. Reported: {claim['reported']}."
    because = f"*Why this measure:* {claim['because']}"
    return section(f"{claim['id']}: {claim['claim']}", about, "", because, "", table(heads, rows))


def _checks(claim: Mapping) -> Iterator[tuple[str, list[Mapping]]]:
    for number, checks in enumerate(claim.get("either", ()), 1):
        yield f"decides (way {number})", checks
    for key, role in _LISTS.items():
        yield role, claim.get(key, [])


def _wanted(check: Mapping) -> str:
    return Finding(check, "", "", None, None, ()).wanted


def _of(check: Mapping) -> str:
    """Networks and face sets that a check is about."""
    parts = [words.format(check[key]) for key, words in _PAPER.items() if key in check]
    for key in ("networks", "role"):
        if key in check:
            parts.append(f"networks: {check[key]}")
    if check.get("of_paper"):
        parts.append("no stand-ins")
    return ", ".join(parts) or "all"


def _rows(check: Mapping) -> str:
    """Rows that are compared, with what is subtracted from them."""
    text = _values(check["select"])
    if "minus" in check:
        text += f", minus the same with {_values(check['minus'])}"
    if "less" in check:
        text += f", less `{check['less']}`"
    return text


def _values(columns: Mapping) -> str:
    return ", ".join(f"{name} = {value}" for name, value in columns.items())

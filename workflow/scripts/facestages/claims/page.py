"""The page that shows the verdicts on the paper's claims."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping

import pandas as pd

from facestages import pages
from facestages.claims import FAILS, HOLDS, IN_PART, NOT_TESTABLE
from facestages.text import escape_html

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
    """Write the table of `claims.judge_claims` as an HTML page."""
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
        text = ";<br>".join(map(escape_html, str(row[column]).split("; ")))
        kind = "small" if column in ("ours", "why") else column
        if column in ("verdict", "careful") and row[column]:
            color, sign = _COLORS[row[column]], _SIGNS[row[column]]
            text = f'<span style="color:{color}">{sign}</span>&nbsp;{text}'
        yield f'<td class="{kind}">{text}</td>'

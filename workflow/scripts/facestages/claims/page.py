"""The page that shows the verdicts on claims."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping

import pandas as pd

from facestages import pages
from facestages.claims.verdicts import FAILS, HOLDS, IN_PART, NOT_TESTABLE, UNDECIDED
from facestages.text import escape_html

#: A colour and a sign for each verdict; the sign is for those who see no difference in colour.
STYLES = {
    HOLDS: ("#007A5A", "✓"),
    IN_PART: ("#B26A00", "◐"),
    UNDECIDED: ("#56697A", "○"),
    FAILS: ("#B84300", "✗"),
    NOT_TESTABLE: ("#6B6B6B", "–"),
}
_HEADS = {
    "id": "",
    "where": "Where",
    "claim": "Claim",
    "reported": "Reported",
    "ours": "Here: the decisive numbers",
    "verdict": "Verdict",
    "as_published": "By the published measures",
    "why": "Why",
    "faces": "Faces",
}
#: How a verdict is reached.
ABOUT = (
    "Every verdict is computed from the tables of this run. Each claim has decisive checks, which "
    "were chosen before any number was known. A claim holds if all its decisive numbers are as "
    "expected, each with its whole 95 % interval. It holds in part if further checks, which are "
    "named, contradict it. It fails if a decisive number contradicts it, with an interval widened "
    "for the number of comparisons. It is undecided if the run neither shows nor refutes it. "
    "Intervals are over people, or over a network's instances where a check says so; those of "
    "Table 1's accuracies are over pictures, taken as independent. Silhouettes are compared person "
    "by person."
)


def write_claims(
    table: pd.DataFrame, path: str | os.PathLike, title: str, datasets: Mapping[str, Mapping]
) -> None:
    """Write the table of `claims.judge_claims` as an HTML page.

    `datasets` gives the ``label`` of each face set, as in `claims.judge_claims`.
    """
    whole = table[table["dataset"] == ""]
    counts = whole["verdict"].value_counts()
    about = ", ".join(f"{counts[v]} {v}" for v in STYLES if v in counts) + f". {ABOUT}"
    if whole["faces"].str.contains("rendered").any():
        about += " Where the table says so, faces are RENDERED, not photographs."
    rows = (_cells(row, table, datasets) for row in whole.to_dict("records"))
    pages.write_page(
        path, title, [pages.paragraph(about), pages.html_rows([*_HEADS.values()], rows)]
    )


def _cells(row: Mapping, table: pd.DataFrame, datasets: Mapping[str, Mapping]) -> Iterator[str]:
    for column in _HEADS:
        kind = "small" if column in ("ours", "why") else column
        text = _lines(str(row[column]))
        if column in ("verdict", "as_published"):
            text = _verdict(row[column])
        if column == "verdict":
            of_sets = table[(table["id"] == row["id"]) & (table["dataset"] != "")]
            text += _by_face_set(of_sets, row["agreement"], datasets)
        if column == "why":
            text = f"<i>{escape_html(str(row['because']))}</i><br>{text}"
        yield f'<td class="{kind}">{text}</td>'


def _by_face_set(rows: pd.DataFrame, agreement: str, datasets: Mapping[str, Mapping]) -> str:
    """The verdict on each face set, if there are several."""
    if not agreement:
        return ""
    lines = (
        f"{escape_html(str(datasets[name]['label']))}: {_verdict(verdict)}"
        for name, verdict in zip(rows["dataset"], rows["verdict"], strict=True)
    )
    return '<div class="small">' + "<br>".join(lines) + "</div>"


def _verdict(verdict: str) -> str:
    if not verdict:
        return ""
    color, sign = STYLES[verdict]
    return f'<span style="color:{color}">{sign}&nbsp;{escape_html(verdict)}</span>'


def _lines(text: str) -> str:
    return ";<br>".join(map(escape_html, text.split("; ")))

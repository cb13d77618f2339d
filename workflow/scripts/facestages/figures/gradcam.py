"""Table of Grad-CAM: how much of the maps is on eyes, brows and mouth, beside controls."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pandas as pd

from facestages import pages
from facestages.files import atomic_path
from facestages.stimuli import REGIONS
from facestages.tables import markdown_table
from facestages.text import escape_markdown

_NOTES = (
    "Grad-CAM (Selvaraju et al. 2017) of the network's own answer, from logits. A number is the "
    "region's share of the map over its share of the picture: 1 is what a map without any aim "
    "would have. In brackets the 95 % interval over people.",
    "Shuffled: the same network with the entries of every weight kernel shuffled (Adebayo et al. "
    "2018); similarity is Spearman's correlation of the two maps. Where it is high, the map is not "
    "about what the network learned.",
)


def gradcam_table(
    rows: pd.DataFrame, networks: Mapping[str, str], expressions: Sequence[str]
) -> pd.DataFrame:
    """Shares of the maps in words, a row for each network, layer, and all faces or an expression.

    `rows` are those of `recording.attribution.explain_gradcam`; `networks` gives the name in
    figures of each network, in order.
    """
    words = []
    groups = dict(list(rows.groupby(["network", "layer", "expression"], sort=False)))
    for name, label in networks.items():
        for layer in dict.fromkeys(rows["layer"][rows["network"] == name]):
            for faces in ("all", *expressions):
                if (name, layer, faces) in groups:
                    cells = _describe(groups[name, layer, faces], faces)
                    words.append({"Network": label, "Layer": layer, **cells})
    return pd.DataFrame(words)


def _describe(rows: pd.DataFrame, faces: str) -> dict[str, str]:
    by = rows.groupby("measure", sort=False)[["value", "ci_low", "ci_high"]].first()
    regions = {}
    for region in REGIONS:
        shuffled = _number(by, f"randomised_enrichment_{region}", interval=False)
        regions[region.capitalize()] = f"{_number(by, f'enrichment_{region}')}; shuffled {shuffled}"
    empty = f"{by.loc['empty_maps', 'value']:.0%}" if "empty_maps" in by.index else "not known"
    return {
        "Faces": f"{faces} ({int(rows['n'].max())})",
        **regions,
        "Empty maps": empty,
        "Similarity to shuffled": _number(by, "randomisation_similarity"),
    }


def _number(by: pd.DataFrame, measure: str, interval: bool = True) -> str:
    if measure not in by.index or pd.isna(by.loc[measure, "value"]):
        return "not known"
    value, low, high = by.loc[measure]
    return f"{value:.2f}" + (f" [{low:.2f}, {high:.2f}]" if interval and pd.notna(low) else "")


def write_gradcam_table(
    table: pd.DataFrame, rows: pd.DataFrame, dataset: str, markdown: str, html: str
) -> None:
    """Write the table of `gradcam_table`, made from `rows`, as Markdown and as a page, with notes.

    `dataset` is the face set's name in figures.
    """
    faces = f"Faces: {dataset}"
    if rows["rendered"].max() == 1:
        faces += ", all RENDERED, not photographs"
    shares = rows[rows["measure"].str.startswith("share")]["note"]
    regions = dict.fromkeys(note.partition("; ")[0] for note in shares.fillna("") if note)
    notes = [*_NOTES, f"{faces}. Regions: {'; '.join(regions)}."]
    title = "Grad-CAM: share of the maps on eyes, brows and mouth"
    lines = (f"{escape_markdown(note)}\n" for note in notes)
    with atomic_path(markdown) as partial:
        text = [f"{title}\n", markdown_table(table), *lines]
        partial.write_text("\n".join(text), encoding="utf-8")
    pages.write_page(html, title, [pages.html_frame(table), *map(pages.paragraph, notes)])

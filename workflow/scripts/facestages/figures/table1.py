"""Table 1: the networks and the face sets, with the paper's values beside the measured ones."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence

import numpy as np
import pandas as pd

from facestages import pages, store
from facestages.accuracy import Tested, score_answers, score_held_out
from facestages.errors import FacestagesError
from facestages.files import atomic_path
from facestages.stimuli import read_labels
from facestages.stimuli.sample import sample_in_words
from facestages.tables import markdown_table, read_report, read_tables
from facestages.text import escape_latex, escape_markdown
from facestages.yaml_files import read_yaml

_COLUMNS = ("part", "name", "label", "measure", "item", "value", "ci_low", "ci_high")
_COLUMNS += ("n", "seeds", "seed_sd", "text", "paper", "paper_text")

# What a reader of Table 1 must know.
_NOTES = (
    "Accuracies are means over seeds. Intervals: Wilson's 95 % score interval of a share of n "
    "pictures, taken as independent; they do not hold the spread over seeds. Balanced accuracy is "
    "the mean recall of the classes shown; a network that always names the most frequent class has "
    "that class's share.",
    "Shares of a network's labels are those of its training data, as far as they are known. The "
    "test leaves out pictures whose expression is none of the network's classes.",
)
_RENDERED = (
    "Rendered faces stand in for the paper's sets; their labels are declared, not human ratings."
)


def make_table1(
    networks: Mapping[str, Mapping],
    datasets: Mapping[str, Mapping],
    test: Mapping[str, str] | None,
    paper: str | os.PathLike,
) -> pd.DataFrame:
    """Both parts of Table 1 as one tidy table.

    Parameters
    ----------
    networks : mapping of str to mapping
        By name: ``label``, ``classes`` (or None), ``weights`` and ``trained_on`` (in words),
        ``seeds``, ``paper`` (its name in the paper, or None), and files: ``layers`` of
        `networks.listing.describe_layers`, ``reports`` of the training of each seed,
        and ``predictions`` of each seed on the test set.
    datasets : mapping of str to mapping
        By name: ``label``, ``paper`` and the files ``stimuli`` and ``labels``.
    test : mapping or None
        ``name``, ``label`` and the files ``stimuli`` and ``labels`` of the test set.
    paper : path-like
        ``resources/paper.yaml``.

    Returns
    -------
    pandas.DataFrame
        A row a measurement of a ``part`` (network or face set); ``item`` is the class, the test
        set, ...; ``paper`` or ``paper_text`` is what the paper says.
    """
    published = read_yaml(paper)["table1"]
    tested = test and {**test, "table": read_labels(test["stimuli"], test["labels"])[0]}
    rows = []
    for name, entry in networks.items():
        of_paper = published["networks"].get(entry["paper"], {})
        base = {"part": "network", "name": name, "label": entry["label"]}
        rows += [base | row for row in _describe_network(name, entry, tested, of_paper)]
    for name, entry in datasets.items():
        of_paper = published["datasets"].get(entry["paper"], {})
        base = {"part": "face set", "name": name, "label": entry["label"]}
        rows += [base | row for row in _describe_dataset(entry, of_paper)]
    return pd.DataFrame(rows, columns=_COLUMNS)


def _describe_network(
    name: str, entry: Mapping, test: Mapping | None, of_paper: Mapping
) -> Iterator[dict]:
    parameters = int(read_tables([entry["layers"]])["network_parameters"].iloc[0])
    yield {"measure": "parameters", "value": parameters}
    yield {"measure": "seeds", "value": len(entry["seeds"])}
    yield {"measure": "weights", "text": entry["weights"]}
    reports = [read_report(path) for path in entry["reports"]]
    first = reports[0] if reports else {"dataset": entry["trained_on"], "n_train": np.nan}
    training = {"text": first["dataset"], "n": first["n_train"]}
    yield {"measure": "training data", **training, "paper_text": of_paper.get("data")}
    measured, published = first.get("shares", {}), of_paper.get("shares", {})
    for item in entry["classes"] or ():
        shares = {"value": measured.get(item), "paper": published.get(item)}
        yield {"measure": "class", "item": item, **shares}
    if reports:
        of_test = {"item": first["dataset"], "text": first["test_part"]}
        yield from _tested_rows("held-out", of_test, score_held_out(reports), entry["classes"])
    if entry["predictions"]:
        tables = [read_tables([path]) for path in entry["predictions"]]
        try:
            tested = score_answers(test["table"], tables, entry["classes"])
        except FacestagesError as error:
            raise FacestagesError(f"network {name} on face set {test['name']}: {error}") from error
        yield from _tested_rows("test", {"item": test["name"]}, tested, entry["classes"])
    if entry["classes"]:
        yield {"measure": "chance", "value": 1 / len(entry["classes"])}
    for item in of_paper.get("accuracy", ()):
        yield {"measure": "paper accuracy", "item": item["test"], "paper": item["value"]}


def _tested_rows(
    kind: str, of_test: Mapping, tested: Tested, classes: Sequence[str]
) -> Iterator[dict]:
    """Accuracy of a ``held-out`` or ``test`` set, and what it is to be seen beside."""
    yield {"measure": f"{kind} accuracy", **of_test, **tested.accuracy}
    balanced, chance = tested.balanced, 1 / len(classes)
    beyond = {name: value - chance for name, value in balanced.items()}
    yield {"measure": f"{kind} balanced accuracy", **of_test, **balanced}
    yield {"measure": f"{kind} balanced accuracy less chance", **of_test, **beyond}
    yield {"measure": f"{kind} majority", **of_test, "value": tested.majority}
    for item, value in tested.recall.items():
        yield {"measure": f"{kind} recall", "item": item, "value": value, "n": tested.shown[item]}


def _describe_dataset(entry: Mapping, of_paper: Mapping) -> Iterator[dict]:
    labels, sources, attributes = read_labels(entry["stimuli"], entry["labels"])
    with store.open_read(entry["stimuli"], "stimuli") as file:
        height, width = file["images"].shape[1:3]
    people = len({*labels["identity"]} - {""}) if "identity" in labels else np.nan
    sample = {"text": sample_in_words(attributes)}
    yield {"measure": "pictures", "value": len(labels), "paper": of_paper.get("n"), **sample}
    yield {"measure": "people", "value": people, "paper": of_paper.get("people")}
    yield {"measure": "rows", "value": height, "paper": of_paper.get("rows")}
    yield {"measure": "columns", "value": width, "paper": of_paper.get("columns")}
    kind = "rendered" if attributes.get("rendered") else "pictures of people"
    yield {"measure": "kind", "text": kind, "paper_text": entry["paper"]}
    yield {"measure": "labels", "paper_text": of_paper.get("labels")}
    if "expression" in labels:
        counts = labels["expression"].value_counts(sort=False).drop("", errors="ignore")
        for item, n in counts.items():
            share = {"measure": "expression", "item": item, "value": n / len(labels), "n": n}
            yield {**share, "text": sources["expression"]}


# ------------------------------------------------------------------------------- for readers


def network_table(table: pd.DataFrame) -> pd.DataFrame:
    """Part (a) of Table 1 in words, one row a network; from `make_table1`."""
    rows = []
    for _, of in _parts(table, "network"):
        by = of.set_index("measure")
        data, n = by.loc["training data", ["text", "n"]]
        classes = of[of["measure"] == "class"]
        rows.append(
            {
                "Network": of["label"].iloc[0],
                "Weights": by.loc["weights", "text"],
                "Training data": f"{data} (n = {n:,.0f})" if _is_there(n) else data,
                "Labels (shares)": _shares(classes) or "no expressions",
                "Parameters": f"{by.loc['parameters', 'value']:,.0f}",
                "Seeds": f"{by.loc['seeds', 'value']:.0f}",
                "Held-out accuracy [95 %]": _accuracy(of, "held-out"),
                "Test accuracy [95 %]": _accuracy(of, "test"),
                "Paper": _published(of, by.loc["training data", "paper_text"]),
            }
        )
    return pd.DataFrame(rows)


def dataset_table(table: pd.DataFrame) -> pd.DataFrame:
    """Part (b) of Table 1 in words, one row a face set; from `make_table1`."""
    rows = []
    for _, of in _parts(table, "face set"):
        by = of.set_index("measure")
        expressions = of[of["measure"] == "expression"]
        source = f" ({expressions['text'].iloc[0]})" if len(expressions) else ""
        paper, words = by["paper"], by["paper_text"]
        size = f"{paper['columns']:.0f}x{paper['rows']:.0f}" if _is_there(paper["rows"]) else ""
        people = f"{paper['people']:.0f} people" if _is_there(paper["people"]) else ""
        n = f"n = {paper['pictures']:,.0f}" if _is_there(paper["pictures"]) else ""
        sample = by.loc["pictures", "text"]
        counterpart = [words["kind"], n, people, words["labels"], size]
        rows.append(
            {
                "Face set": of["label"].iloc[0],
                "Kind": by.loc["kind", "text"],
                "n": " ".join(filter(_is_there, [_number(by.loc["pictures", "value"]), sample])),
                "People": _number(by.loc["people", "value"]),
                "Expressions (shares)": _shares(expressions) + source,
                "Pixels": f"{by.loc['columns', 'value']:.0f}x{by.loc['rows', 'value']:.0f}",
                "Paper": ", ".join(filter(_is_there, counterpart)),
            }
        )
    return pd.DataFrame(rows)


def _parts(table: pd.DataFrame, part: str):
    return table[table["part"] == part].groupby("name", sort=False)


def _is_there(value: object) -> bool:
    return not pd.isna(value) and value != ""


def _number(value: float) -> str:
    return f"{value:,.0f}" if _is_there(value) else "not known"


def _shares(rows: pd.DataFrame) -> str:
    """Items, with their shares where these are known."""
    return ", ".join(
        f"{row.item} {row.value:.1%}" if _is_there(row.value) else row.item
        for row in rows.itertuples()
    )


def _accuracy(of: pd.DataFrame, kind: str) -> str:
    rows = of[of["measure"] == f"{kind} accuracy"].to_dict("records")
    if not rows:
        return ""
    row, by = rows[0], of.drop_duplicates("measure").set_index("measure")["value"]
    spread = f", seeds' SD {row['seed_sd']:.1%}" if _is_there(row["seed_sd"]) else ""
    how = f": {row['text']}" if _is_there(row["text"]) else ""
    return (
        f"{row['value']:.1%} [{row['ci_low']:.1%}, {row['ci_high']:.1%}] on {row['n']:,.0f} of "
        f"{row['item']}{how}{spread}; balanced {by[f'{kind} balanced accuracy']:.1%}; chance "
        f"{by['chance']:.1%}, most frequent class {by[f'{kind} majority']:.1%}; recall: "
        f"{_shares(of[of['measure'] == f'{kind} recall'])}"
    )


def _published(of: pd.DataFrame, data: object) -> str:
    """What the paper says of a network: data, shares of the labels, accuracy."""
    shares = of[(of["measure"] == "class") & of["paper"].notna()]
    accuracy = of[of["measure"] == "paper accuracy"]
    parts = [
        data,
        ", ".join(f"{row.item} {row.paper:.1%}" for row in shares.itertuples()),
        ", ".join(f"{row.paper:.2%} ({row.item})" for row in accuracy.itertuples()),
    ]
    return "; ".join(filter(_is_there, parts))


def list_notes(table: pd.DataFrame) -> list[str]:
    """What a reader of Table 1 must know."""
    is_rendered = ((table["measure"] == "kind") & (table["text"] == "rendered")).any()
    return [*_NOTES, *([_RENDERED] if is_rendered else [])]


def to_markdown(table: pd.DataFrame, absent: Sequence[str] = ()) -> str:
    """Both parts of Table 1 as Markdown, with their notes and the lines `absent`."""
    notes = [*list_notes(table), *absent]
    parts = [f"{title}\n\n{markdown_table(rows)}" for title, rows in _titled(table)]
    return "\n".join([*parts, *(f"{escape_markdown(note)}\n" for note in notes)])


def to_latex(table: pd.DataFrame, absent: Sequence[str] = ()) -> str:
    """As `to_markdown`, in LaTeX with the package booktabs."""
    notes, parts = [*list_notes(table), *absent], []
    for title, rows in _titled(table):
        head, *lines = (
            " & ".join(map(escape_latex, row)) + r" \\"
            for row in (rows.columns, *rows.itertuples(index=False))
        )
        width = 0.94 / rows.shape[1]
        columns = f"*{{{rows.shape[1]}}}{{p{{{width:.3f}\\linewidth}}}}"
        body = "\n".join([r"\toprule", head, r"\midrule", *lines, r"\bottomrule"])
        begin = f"\\begin{{tabular}}{{@{{}}{columns}@{{}}}}"
        parts.append(f"% {title}\n{begin}\n{body}\n\\end{{tabular}}\n")
    return "\n".join(["% needs \\usepackage{booktabs}", *parts, *map(escape_latex, notes)]) + "\n"


def _titled(table: pd.DataFrame) -> Iterator[tuple[str, pd.DataFrame]]:
    yield "Table 1a: networks", network_table(table)
    yield "Table 1b: face sets", dataset_table(table)


def write_table1(
    table: pd.DataFrame,
    markdown: str | os.PathLike,
    latex: str | os.PathLike,
    html: str | os.PathLike,
    absent: Sequence[str] = (),
) -> None:
    """Write Table 1 as Markdown, as LaTeX and as a page; `absent` lines say what is left out."""
    absent = [f"LEFT OUT: {line}." for line in absent]
    for path, text in ((markdown, to_markdown(table, absent)), (latex, to_latex(table, absent))):
        with atomic_path(path) as partial:
            partial.write_text(text, encoding="utf-8")
    parts = (
        part
        for title, rows in _titled(table)
        for part in (f"<h2>{title}</h2>", pages.html_frame(rows))
    )
    pages.write_page(
        html, "Table 1", [*parts, *map(pages.paragraph, [*list_notes(table), *absent])]
    )

"""Table 1: the networks and the face sets, with the paper's values beside the measured ones."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas as pd
from scipy.stats import binomtest

from facestages import pages, store
from facestages.errors import FacestagesError
from facestages.files import atomic_path, read_yaml
from facestages.stimuli import read_labels
from facestages.stimuli.sample import sample_in_words
from facestages.tables import markdown_table, read_tables

_COLUMNS = ("part", "name", "label", "measure", "item", "value", "ci_low", "ci_high")
_COLUMNS += ("n", "seeds", "seed_sd", "text", "paper", "paper_text")


_LATEX = {sign: f"\\{sign}" for sign in "&%_#${}"}
_LATEX |= {"\\": r"\textbackslash{}", "^": r"\^{}", "~": r"\~{}"}

# What the paper's file calls differently.
_PAPER = {"pictures": "n"}


def mean_accuracy(accuracies: Sequence[float], n: int) -> dict[str, float]:
    """Mean accuracy over seeds, with the interval that the number of test pictures gives.

    Parameters
    ----------
    accuracies : sequence of float
        Accuracy of each seed on the same number of pictures.
    n : int
        Number of test pictures.

    Returns
    -------
    dict
        ``value``, ``ci_low`` and ``ci_high`` (Wilson's 95 % score interval of a share of n
        independent pictures), ``n``, ``seeds``, and ``seed_sd``, the standard deviation over seeds,
        which the interval does not hold; NaN for one seed.
    """
    mean = float(np.mean(accuracies))
    interval = binomtest(round(mean * n), n).proportion_ci(0.95, method="wilson")
    spread = float(np.std(accuracies, ddof=1)) if len(accuracies) > 1 else float("nan")
    return {
        "value": mean,
        "ci_low": float(interval.low),
        "ci_high": float(interval.high),
        "n": n,
        "seeds": len(accuracies),
        "seed_sd": spread,
    }


def accuracy_on(
    labels: pd.DataFrame, predictions: Sequence[pd.DataFrame], classes: Sequence[str]
) -> dict[str, float]:
    """Accuracy of a network's seeds on a face set.

    Parameters
    ----------
    labels : pandas.DataFrame of n rows
        The face set's ``stimulus_id`` and ``expression``.
    predictions : sequence of pandas.DataFrame
        For each seed, of `recording.predictions.predict_expressions`.
    classes : sequence of str
        The network's classes; pictures of other expressions are left out.

    Returns
    -------
    dict
        As `mean_accuracy`.

    Raises
    ------
    FacestagesError
        If the predictions are of other pictures, or no picture has one of the classes.
    """
    if "expression" not in labels:
        raise FacestagesError("the face set has no expressions; name another one as 'test'")
    known = labels["expression"].isin(classes).to_numpy()
    if not known.any():
        raise FacestagesError(f"no picture has one of the expressions {', '.join(classes)}")
    truth = labels.loc[known, "expression"].to_numpy()
    right = []
    for table in predictions:
        if list(table["stimulus_id"]) != list(labels["stimulus_id"]):
            raise FacestagesError(
                "the predictions are of other pictures; delete them and run again"
            )
        right.append(float((table.loc[known, "expression"].to_numpy() == truth).mean()))
    return mean_accuracy(right, int(known.sum()))


def held_out_accuracy(reports: Sequence[Mapping]) -> dict[str, float]:
    """Accuracy on the pictures that training did not see, as `train_network` reported it."""
    sizes = {report["n"] for report in reports}
    if len(sizes) > 1:
        raise FacestagesError(f"the seeds were tested on different numbers of pictures: {sizes}")
    return mean_accuracy([report["accuracy"] for report in reports], sizes.pop())


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
        By name: ``label``, ``paper`` and the file ``stimuli``.
    test : mapping or None
        ``name``, ``label`` and the file ``stimuli`` of the test set.
    paper : path-like
        ``resources/paper.yaml``.

    Returns
    -------
    pandas.DataFrame
        A row a measurement: ``part`` (network or face set), ``name``, ``label``, ``measure``,
        ``item`` (the class, the test set, ...), ``value``, its interval, ``n``, ``seeds``,
        ``seed_sd``, ``text``, and the ``paper``'s value or
        ``paper_text``.
    """
    said = read_yaml(paper)["table1"]
    tested = {**test, "labels": read_labels(test["stimuli"])[0]} if test else None
    rows = []
    for name, entry in networks.items():
        rows += _describe_network(name, entry, tested, said["networks"].get(entry["paper"], {}))
    for name, entry in datasets.items():
        rows += _describe_dataset(name, entry, said["datasets"].get(entry["paper"], {}))
    return pd.DataFrame(rows, columns=_COLUMNS)


def _describe_network(name: str, entry: Mapping, test: Mapping | None, said: Mapping) -> list[dict]:
    base = {"part": "network", "name": name, "label": entry["label"]}
    parameters = int(read_tables([entry["layers"]])["network_parameters"].iloc[0])
    rows = [
        {**base, "measure": "parameters", "value": parameters},
        {**base, "measure": "seeds", "value": len(entry["seeds"])},
        {**base, "measure": "weights", "text": entry["weights"]},
    ]
    told = [json.loads(Path(path).read_text(encoding="utf-8")) for path in entry["reports"]]
    data = told[0]["dataset"] if told else entry["trained_on"]
    n_train = told[0]["n_train"] if told else np.nan
    rows.append(
        {
            **base,
            "measure": "training data",
            "text": data,
            "n": n_train,
            "paper_text": said.get("data"),
        }
    )
    shares = told[0].get("shares", {}) if told else {}
    for item in entry["classes"] or ():
        row = {**base, "measure": "class", "item": item, "value": shares.get(item)}
        rows.append({**row, "paper": said.get("shares", {}).get(item)})
    published = {item["test"]: item["value"] for item in said.get("accuracy", ())}
    if told:
        row = {"measure": "held-out accuracy", "item": data, "text": told[0]["test_part"]}
        rows.append({**base, **row, **held_out_accuracy(told)})
    if entry["predictions"]:
        tables = [read_tables([path]) for path in entry["predictions"]]
        try:
            measured = accuracy_on(test["labels"], tables, entry["classes"])
        except FacestagesError as error:
            raise FacestagesError(f"network {name} on face set {test['name']}: {error}") from error
        rows.append({**base, "measure": "test accuracy", "item": test["name"], **measured})
    for item, value in published.items():
        rows.append({**base, "measure": "paper accuracy", "item": item, "paper": value})
    return rows


def _describe_dataset(name: str, entry: Mapping, said: Mapping) -> list[dict]:
    labels, sources, known = read_labels(entry["stimuli"])
    base = {"part": "face set", "name": name, "label": entry["label"]}
    with store.open_read(entry["stimuli"], "stimuli") as file:
        rows, columns = file["images"].shape[1:3]
    measured = {
        "pictures": len(labels),
        "people": labels["identity"].nunique() if "identity" in labels else np.nan,
        "rows": rows,
        "columns": columns,
    }
    table = [
        {
            **base,
            "measure": measure,
            "value": value,
            "paper": said.get(_PAPER.get(measure, measure)),
        }
        for measure, value in measured.items()
    ]
    table[0]["text"] = sample_in_words(known)
    kind = "rendered" if known.get("rendered") else "pictures of people"
    table.append({**base, "measure": "kind", "text": kind, "paper_text": entry["paper"]})
    table.append({**base, "measure": "labels", "paper_text": said.get("labels")})
    if "expression" in labels:
        counts = labels["expression"].value_counts(sort=False).drop("", errors="ignore")
        for item, n in counts.items():
            share = {"measure": "expression", "item": item, "value": n / len(labels), "n": n}
            table.append({**base, **share, "text": sources["expression"]})
    return table


# ------------------------------------------------------------------------------- for readers

#: What a reader of Table 1 must know.
NOTES = (
    "Accuracies are means over seeds. Intervals: Wilson's 95 % score interval of a share of n "
    "pictures, taken as independent; they do not hold the spread over seeds.",
    "Shares of a network's labels are those of its training data, as far as they are known. The "
    "test leaves out pictures whose expression is none of the network's classes.",
    "Rendered faces stand in for the paper's sets; their labels are declared, not human ratings.",
)


def network_table(table: pd.DataFrame) -> pd.DataFrame:
    """Part (a) of Table 1 in words, one row a network; from `make_table1`."""
    rows = []
    for _, of in _parts(table, "network"):
        training = of[of["measure"] == "training data"].iloc[0]
        classes = of[of["measure"] == "class"]
        held_out, test = (_accuracy(of, f"{kind} accuracy") for kind in ("held-out", "test"))
        rows.append(
            {
                "Network": of["label"].iloc[0],
                "Weights": of.loc[of["measure"] == "weights", "text"].iloc[0],
                "Training data": _with_n(training["text"], training["n"]),
                "Labels (shares)": ", ".join(map(_class_words, classes.itertuples()))
                or "no expressions",
                "Parameters": f"{_value(of, 'parameters'):,.0f}",
                "Seeds": f"{_value(of, 'seeds'):.0f}",
                "Held-out accuracy [95 %]": held_out,
                "Test accuracy [95 %]": test,
                "Paper": _paper_words(of, training["paper_text"]),
            }
        )
    return pd.DataFrame(rows)


def dataset_table(table: pd.DataFrame) -> pd.DataFrame:
    """Part (b) of Table 1 in words, one row a face set; from `make_table1`."""
    rows = []
    for _, of in _parts(table, "face set"):
        by = of.set_index("measure")
        expressions = of[of["measure"] == "expression"]
        shares = ", ".join(map(_class_words, expressions.itertuples()))
        source = f" ({expressions['text'].iloc[0]})" if len(expressions) else ""
        said, words = by["paper"], by["paper_text"]
        size = f"{said['columns']:.0f}x{said['rows']:.0f}" if _is_there(said["rows"]) else ""
        people = f"{said['people']:.0f} people" if _is_there(said["people"]) else ""
        n = f"n = {said['pictures']:,.0f}" if _is_there(said["pictures"]) else ""
        sample = by.loc["pictures", "text"]
        counterpart = [words["kind"], n, people, words["labels"], size]
        rows.append(
            {
                "Face set": of["label"].iloc[0],
                "Kind": by.loc["kind", "text"],
                "n": " ".join(filter(_is_there, [_number(by.loc["pictures", "value"]), sample])),
                "People": _number(by.loc["people", "value"]),
                "Expressions (shares)": shares + source,
                "Pixels": f"{by.loc['columns', 'value']:.0f}x{by.loc['rows', 'value']:.0f}",
                "Paper": ", ".join(filter(_is_there, counterpart)),
            }
        )
    return pd.DataFrame(rows)


def _parts(table: pd.DataFrame, part: str):
    return table[table["part"] == part].groupby("name", sort=False)


def _is_there(value: object) -> bool:
    return not pd.isna(value) and value != ""


def _value(of: pd.DataFrame, measure: str) -> float:
    return of.loc[of["measure"] == measure, "value"].iloc[0]


def _number(value: float) -> str:
    return f"{value:,.0f}" if _is_there(value) else "not known"


def _with_n(text: str, n: float) -> str:
    return f"{text} (n = {n:,.0f})" if _is_there(n) else text


def _class_words(row) -> str:
    return f"{row.item} {row.value:.1%}" if _is_there(row.value) else row.item


def _accuracy(of: pd.DataFrame, measure: str) -> str:
    found = of[of["measure"] == measure]
    if found.empty:
        return ""
    row = found.iloc[0]
    spread = f", seeds' SD {row['seed_sd']:.1%}" if _is_there(row["seed_sd"]) else ""
    how = f": {row['text']}" if _is_there(row["text"]) else ""
    return (
        f"{row['value']:.1%} [{row['ci_low']:.1%}, {row['ci_high']:.1%}] on {row['n']:,.0f} of "
        f"{row['item']}{how}{spread}"
    )


def _paper_words(of: pd.DataFrame, data: object) -> str:
    """What the paper says of a network: data, shares of the labels, accuracy."""
    shares = of[(of["measure"] == "class") & of["paper"].notna()]
    accuracy = of[of["measure"] == "paper accuracy"]
    parts = [
        data,
        ", ".join(f"{row.item} {row.paper:.1%}" for row in shares.itertuples()),
        ", ".join(f"{row.paper:.2%} ({row.item})" for row in accuracy.itertuples()),
    ]
    return "; ".join(filter(_is_there, parts))


def to_markdown(table: pd.DataFrame, notes: Sequence[str] = NOTES) -> str:
    """Both parts of Table 1 as Markdown, with their notes."""
    parts = [f"{title}\n\n{markdown_table(rows)}" for title, rows in _titled(table)]
    return "\n".join([*parts, *(f"{note}\n" for note in notes)])


def to_latex(table: pd.DataFrame, notes: Sequence[str] = NOTES) -> str:
    """Both parts of Table 1 as LaTeX, with package booktabs, and their notes."""
    parts = []
    for title, rows in _titled(table):
        lines = [" & ".join(map(_latex, row)) + r" \\" for row in rows.itertuples(index=False)]
        width = 0.94 / rows.shape[1]
        columns = f"*{{{rows.shape[1]}}}{{p{{{width:.3f}\\linewidth}}}}"
        head = " & ".join(map(_latex, rows)) + r" \\"
        body = "\n".join([r"\toprule", head, r"\midrule", *lines, r"\bottomrule"])
        begin = f"\\begin{{tabular}}{{@{{}}{columns}@{{}}}}"
        parts.append(f"% {title}\n{begin}\n{body}\n\\end{{tabular}}\n")
    return "\n".join(["% needs \\usepackage{booktabs}", *parts, *map(_latex, notes)]) + "\n"


def _titled(table: pd.DataFrame):
    yield "Table 1a: networks", network_table(table)
    yield "Table 1b: face sets", dataset_table(table)


def _latex(text: str) -> str:
    return "".join(_LATEX.get(sign, sign) for sign in text)


def write_table1(
    table: pd.DataFrame,
    markdown: str | os.PathLike,
    latex: str | os.PathLike,
    page: str | os.PathLike,
    absent: Sequence[str] = (),
) -> None:
    """Write Table 1 for readers: as Markdown, as LaTeX and as an HTML page.

    `absent` are lines that say what is left out.
    """
    notes = [*NOTES, *(f"LEFT OUT: {line}." for line in absent)]
    for path, text in ((markdown, to_markdown(table, notes)), (latex, to_latex(table, notes))):
        with atomic_path(path) as partial:
            partial.write_text(text, encoding="utf-8")
    parts = (
        part
        for title, rows in _titled(table)
        for part in (f"<h2>{title}</h2>", pages.html_frame(rows))
    )
    pages.write_page(page, "Table 1", [*parts, *map(pages.paragraph, notes)])

"""The report of a face set: counts, pictures left out and why, and agreement of labels."""

from __future__ import annotations

import json
import logging
import os
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

import pandas as pd

from facestages.action_units import agreement
from facestages.expressions import EXPRESSIONS
from facestages.files import atomic_path
from facestages.stimuli import Irregularity, read_irregular, read_labels, read_report
from facestages.stimuli.copies import describe_copies
from facestages.stimuli.sample import pictures_in_words
from facestages.text import escape_markdown

logger = logging.getLogger(__name__)

#: Key of a reader's report: lines on what seems odd about the user's files.
ODD = "to_look_at"

_UNLABELLED = "unlabelled"
_LONGEST_TABLE = 100


def report_stimuli(
    stimuli: str | os.PathLike,
    labels: str | os.PathLike,
    predictions: Sequence[str | os.PathLike] = (),
    classes: Mapping[str, Sequence[str]] | None = None,
    expression_from: str | None = None,
    measured: str | os.PathLike | None = None,
) -> dict[str, object]:
    """Describe a face set.

    Parameters
    ----------
    stimuli, labels : path-like
        The files of the face set; see `stimuli.read_labels`.
    predictions : sequence of path-like
        Tables of `recording.predictions.predict_expressions`, to be compared with the face set's
        label ``expression``.
    classes : mapping of str to sequence of str, optional
        The expressions that each of these networks can give. Pictures of others are not counted in
        the agreement; without classes, all are.
    expression_from : str, optional
        The network among them whose predictions the analyses take as the label.
    measured : path-like, optional
        The sample of the face set that analyses and `predictions` use, if not the whole.

    Returns
    -------
    dict
        Values of JSON's types: ``dataset``, ``n``, ``people``, ``rendered``, ``sample`` (the
        pictures of the analyses in words, empty if all), ``label_sources``, ``counts`` (session ->
        identity -> expression -> n), ``irregular`` (file, reason, outcome of each),
        ``expression_of_analyses`` (source of the label that the analyses take), ``predicted`` (by
        network and expression: n), ``agreement`` (by network: n, percent, Cohen's kappa,
        confusion, and ``not_counted``, the pictures of expressions that it cannot give, by
        expression), ``source`` (report of the reader of the files).
    """
    table, sources, attributes = read_labels(stimuli, labels)
    sample, _, of_sample = read_labels(measured or stimuli, labels)
    _warn_of_lost(str(attributes["dataset"]), table, sample)
    expression = sample.get("expression", pd.Series("", index=sample.index))
    predicted, compared = {}, {}
    for path in predictions:
        with_network, network_sources, _ = read_labels(measured or stimuli, labels, path)
        network = network_sources["expression"].removeprefix("network:")
        prediction = with_network["expression"]
        predicted[network] = {k: int(n) for k, n in prediction.value_counts().items()}
        known = (classes or {}).get(network, [*expression.unique()])
        other = expression[~expression.isin([*known, ""])]
        compared[network] = agreement(expression.drop(other.index), prediction.drop(other.index))
        compared[network]["not_counted"] = {k: int(n) for k, n in other.value_counts().items()}
    taken = f"network:{expression_from}" if expression_from else sources.get("expression")
    return {
        "dataset": str(attributes["dataset"]),
        "n": len(table),
        "people": len({*table["identity"]} - {""}) if "identity" in table else None,
        "rendered": bool(attributes.get("rendered", 0)),
        "sample": pictures_in_words(len(sample), of_sample) if "sampled" in of_sample else "",
        "label_sources": sources,
        "counts": _counts(table),
        "irregular": [item._asdict() for item in read_irregular(stimuli)],
        "expression_of_analyses": taken,
        "predicted": predicted,
        "agreement": compared,
        "source": _join_reports(
            read_report(stimuli), read_report(labels), [*describe_copies(stimuli, table)]
        ),
    }


def _warn_of_lost(dataset: str, table: pd.DataFrame, sample: pd.DataFrame) -> None:
    if "expression" in table:
        lost = set(table["expression"]) - set(sample["expression"])
        if lost:
            logger.warning(
                "face set '%s': the sample has no picture of %s; give another "
                "analysis.most_pictures, for another step from picture to picture",
                dataset,
                ", ".join(sorted(name or "no expression" for name in lost)),
            )


def _join_reports(of_pictures: dict, of_labels: dict, odd: Sequence[str]) -> dict:
    """The reports of both readers of a source, with further odd lines; of videos, by person."""
    joined = {**of_pictures, **of_labels}
    odd = [*of_pictures.get(ODD, ()), *of_labels.get(ODD, ()), *odd]
    joined |= {ODD: odd} if odd else {}
    if "subjects" in of_labels:
        people = of_pictures["subjects"].items()
        joined["subjects"] = {name: {**of, **of_labels["subjects"][name]} for name, of in people}
    return joined


def _counts(labels: pd.DataFrame) -> dict[str, dict[str, dict[str, int]]]:
    """Count pictures by session, identity and expression; a missing label counts as unlabelled."""
    columns = {"session": "", "identity": _UNLABELLED, "expression": _UNLABELLED}
    table = pd.DataFrame(
        {name: labels[name].replace("", empty) if name in labels else empty
         for name, empty in columns.items()},
        index=labels.index,
    )  # fmt: skip
    counts: dict = {}
    for (session, identity, expression), n in table.value_counts(sort=False).sort_index().items():
        counts.setdefault(session, {}).setdefault(identity, {})[expression] = int(n)
    return counts


def write_report(
    report: dict, title: str, json_out: str | os.PathLike, markdown_out: str | os.PathLike
) -> None:
    """Write a report of `report_stimuli` as JSON and as Markdown.

    `title` is the face set's name in figures.
    """
    with atomic_path(json_out) as partial:
        partial.write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")
    with atomic_path(markdown_out) as partial:
        partial.write_text(_markdown(report, title), encoding="utf-8")


def _markdown(report: dict, title: str) -> str:
    """The whole report. An empty line follows each block, but not the last list."""
    text = "".join(f"{block}\n\n" for block in _blocks(report, title))
    source = {k: v for k, v in report["source"].items() if k not in ("subjects", ODD)}
    if source:
        text += "\n".join(["## From the reader of the files\n", *_nested_list(source), ""])
    return text


def _blocks(report: dict, title: str) -> Iterator[str]:
    yield f"# {escape_markdown(title)} (`{report['dataset']}`)"
    people = f" of {report['people']} people" if report["people"] else ""
    kind = " The faces are **rendered**, not photographs." if report["rendered"] else ""
    yield f"{report['n']:,} pictures{people}.{kind}"
    if report["sample"]:
        yield f"**The analyses take {report['sample']}.**"
    if odd := report["source"].get(ODD):
        yield "## To look at"
        yield "\n".join(f"- {escape_markdown(line)}" for line in odd)
    yield "## Labels and their sources"
    yield "\n".join(_source_list(report["label_sources"]))
    taken, own_source = report["expression_of_analyses"], report["label_sources"].get("expression")
    if taken != own_source:
        yield f"**The analyses take expressions from `{taken}`**: circular for that network itself."
    yield from _count_tables(report["counts"])
    yield "## Pictures left out or taken otherwise"
    irregular = [Irregularity(**item) for item in report["irregular"]]
    lines = [f"{item.file}: {item.reason}; {item.outcome}" for item in irregular]
    yield "\n".join(f"- {escape_markdown(line)}" for line in lines) or "None."
    if report["predicted"]:
        yield "## Expressions that networks see"
        yield _predicted_table(report["predicted"])
    for network, result in report["agreement"].items():
        yield f"## Agreement with `network:{network}`"
        yield from _agreement_table(result, own_source)
    if report["source"].get("subjects"):
        yield from _video_tables(report["source"]["subjects"])


def _source_list(label_sources: dict[str, str]) -> Iterator[str]:
    by_source: dict[str, list[str]] = {}
    for label, source in label_sources.items():
        by_source.setdefault(source, []).append(label)
    for source, names in by_source.items():
        shown = ", ".join(names) if len(names) <= 16 else f"{len(names)} labels ({names[0]}, ...)"
        yield f"- {escape_markdown(f'{source}: {shown}')}"


def _count_tables(counts: dict) -> Iterator[str]:
    expressions = _in_order(
        {name for people in counts.values() for row in people.values() for name in row}
    )
    for session, people in counts.items():
        named = f", session {session}" if session else ""
        yield f"## Pictures by person and expression{named}"
        total: Counter[str] = Counter()
        for row in people.values():
            total.update(row)
        n_people = len(people.keys() - {_UNLABELLED})
        listed = people if len(people) <= _LONGEST_TABLE else {}
        rows = [
            [identity, *(row.get(name, 0) for name in expressions), sum(row.values())]
            for identity, row in [*listed.items(), (f"{n_people} people", total)]
        ]
        yield _table(["identity", *expressions, "all"], rows)


def _predicted_table(predicted: dict[str, dict[str, int]]) -> str:
    columns = _in_order({name for counts in predicted.values() for name in counts})
    rows = [
        [network, *(counts.get(name, 0) for name in columns)]
        for network, counts in predicted.items()
    ]
    return _table(["network", *columns], rows)


def _in_order(expressions: set[str]) -> list[str]:
    """Sort expressions: those of `EXPRESSIONS` in its order, then the others by name."""
    return [*filter(expressions.__contains__, EXPRESSIONS), *sorted(expressions - {*EXPRESSIONS})]


def _agreement_table(result: dict, source: str | None) -> Iterator[str]:
    other = result["not_counted"]
    if other:
        listed = ", ".join(f"{name} {other[name]:,}" for name in _in_order({*other}))
        yield f"Pictures not counted, as the network cannot name them: {escape_markdown(listed)}."
    if not result["n"]:
        yield "No picture has both labels." if not other else "No picture is left."
        return
    kappa = "not defined" if result["kappa"] is None else f"{result['kappa']:.3f}"
    yield (
        f"Cohen's kappa {kappa}, agreement {result['percent']:.1f} %, on the "
        f"{result['n']:,} pictures that have both labels. Rows: the face set's own label "
        f"({escape_markdown(str(source))}); columns: the network's prediction."
    )
    confusion = {label: row for label, row in result["confusion"].items() if any(row.values())}
    columns = _in_order({name for row in confusion.values() for name, n in row.items() if n})
    rows = [[label, *(row.get(name, 0) for name in columns)] for label, row in confusion.items()]
    yield _table(["", *columns], rows)


def _video_tables(subjects: dict[str, dict]) -> Iterator[str]:
    """Length of each video, and number of its frames that each threshold labels."""
    yield "## Videos"
    columns = ("frames_in_video", "label_lines", "frames_chosen")
    yield _table(
        ["subject", "frames in the video", "label lines", "frames chosen"],
        [[name, *(numbers[column] for column in columns)] for name, numbers in subjects.items()],
    )
    for which, what in (
        ("counts_by_threshold", "All frames"),
        ("chosen_counts_by_threshold", "Chosen frames"),
    ):
        yield f"## {what} by the intensity from which on an action unit counts"
        first = next(iter(subjects.values()))[which]
        rows = [
            [name, threshold, *counts.values()]
            for name, numbers in subjects.items()
            for threshold, counts in numbers[which].items()
        ]
        yield _table(["subject", "intensity", *next(iter(first.values()))], rows)


def _table(head: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    rule = ["---", *["---:"] * (len(head) - 1)]
    cells = ([escape_markdown(str(cell)) for cell in row] for row in (head, *rows))
    first, *rest = (f"| {' | '.join(row)} |" for row in cells)
    return "\n".join([first, f"| {' | '.join(rule)} |", *rest])


def _nested_list(value: dict, indent: str = "") -> Iterator[str]:
    for key, item in value.items():
        if isinstance(item, dict) and item and indent == "":
            yield f"- {escape_markdown(key)}:"
            yield from _nested_list(item, "  ")
        else:
            text = ", ".join(map(str, item)) if isinstance(item, list) else item
            shown = text if text not in ("", {}) else "none"
            yield f"{indent}- {escape_markdown(f'{key}: {shown}')}"

"""The page that all figures share: panel letters, notes, caption, table of numbers and files."""

from __future__ import annotations

import importlib
import itertools
import os
import re
import string
import textwrap
from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

import pandas as pd
from matplotlib import pyplot as plt
from matplotlib.figure import Figure

from facestages import tables
from facestages.analysis.labels import CIRCULAR
from facestages.errors import FacestagesError
from facestages.figures import style
from facestages.files import atomic_path
from facestages.stimuli.sample import sample_in_words

#: Said of pictures of the head model, in captions, tables and reports.
RENDERED = "RENDERED, not photographs"

#: What bars and bands are in all figures of silhouettes and read-outs.
INTERVALS = "95 % intervals over people, of several seeds the widest"


class Drawing(NamedTuple):
    """What `draw` of a figure's module returns.

    Attributes
    ----------
    figure : matplotlib.figure.Figure
    numbers : pandas.DataFrame
        The numbers drawn.
    caption : str
        The text below the figure.
    """

    figure: Figure
    numbers: pd.DataFrame
    caption: str


def draw(
    name: str,
    inputs: Mapping[str, str | Iterable[str]],
    settings: Mapping[str, object],
    output: Mapping[str, str],
) -> None:
    """Draw a figure and write its files.

    Parameters
    ----------
    name : str
        Module of `figures` whose function ``draw`` draws it.
    inputs : mapping
        Named inputs of the rule; see `read_inputs`.
    settings : mapping
        Further keyword arguments of ``draw``.
    output : mapping of str to str
        See `save`.
    """
    module = importlib.import_module(f"facestages.figures.{name}")
    save(module.draw(**read_inputs(inputs), **settings), output)


def read_inputs(inputs: Mapping[str, str | Iterable[str]]) -> dict[str, object]:
    """Keyword arguments of ``draw`` from a rule's named inputs.

    Parameters
    ----------
    inputs : mapping of str to str or list of str
        A list holds CSV files of the same columns. ``needed`` holds files that must be there, and
        whose paths the settings name.

    Returns
    -------
    dict
        A path as it is, a list as one table; ``needed`` and empty lists are dropped.
    """
    return {
        key: value if isinstance(value, str) else tables.read_tables(value)
        for key, value in inputs.items()
        if key != "needed" and len(value)
    }


def finish(
    figure: Figure,
    numbers: pd.DataFrame,
    sentences: Iterable[str],
    absent: Iterable[str] = (),
    columns: int = 128,
) -> Drawing:
    """Write the caption below a figure.

    Parameters
    ----------
    figure : matplotlib.figure.Figure
        Its layout is constrained, or has room at its lower edge.
    numbers : pandas.DataFrame
    sentences : iterable of str
    absent : iterable of str
        See `left_out`.
    columns : int
        Characters of a line.
    """
    caption = " ".join([*sentences, *left_out(absent)])
    figure.supxlabel(textwrap.fill(caption, columns), fontsize=7, ha="left", x=0.01)
    return Drawing(figure, numbers, caption)


def save(drawing: Drawing, output: Mapping[str, str | os.PathLike]) -> None:
    """Write all files of a figure.

    Parameters
    ----------
    drawing : Drawing
    output : mapping of str to path-like
        Files by form: ``pdf``, ``svg`` and ``png`` of the figure; ``numbers`` as CSV; ``table``,
        the same as Markdown; ``caption`` as reStructuredText.
    """
    # What marks emphasis in reStructuredText stands for itself here.
    caption = re.sub(r"([*`_|\\])", r"\\\1", drawing.caption) + "\n"
    style.save_figure(drawing.figure, {kind: output[kind] for kind in ("pdf", "svg", "png")})
    for form, path in output.items():
        if form == "numbers":
            tables.write_table(path, drawing.numbers)
        elif form == "table":
            _write_text(path, tables.markdown_table(drawing.numbers))
        elif form == "caption":
            _write_text(path, caption)


def _write_text(path: str | os.PathLike, text: str) -> None:
    with atomic_path(path) as partial:
        partial.write_text(text, encoding="utf-8")


def letters() -> Iterator[str]:
    """Letters of panels: a to z, then aa, ab, ..."""
    for length in itertools.count(1):
        yield from map("".join, itertools.product(string.ascii_lowercase, repeat=length))


def add_line_legend(
    figure: Figure, names: Mapping[str, str], lines: Mapping[str, Mapping], columns: int
) -> None:
    """Name lines above all panels.

    Parameters
    ----------
    figure : matplotlib.figure.Figure
    names : mapping of str to str
        Name in figures of each network or label.
    lines : mapping of str to mapping
        Colour, marker and dash of those that are drawn, in order.
    columns : int
    """
    handles = [plt.Line2D([], [], **line) for line in lines.values()]
    titles = [names[name] for name in lines]
    place = {"loc": "outside upper center", "ncols": columns, "frameon": False}
    figure.legend(handles, titles, handlelength=3.2, **place)


# ------------------------------------------------------------------------- nothing to draw


def nothing_to_draw(figure: str, why: str) -> FacestagesError:
    """The error of a figure without content.

    Parameters
    ----------
    figure : str
        ``"Figure 4"``, ``"the figure of layers"``.
    why : str
        What is missing, and what to check.
    """
    return FacestagesError(f"{figure} has nothing to draw: {why}")


def require_values(numbers: pd.DataFrame, figure: str, why: str) -> None:
    """Raise `nothing_to_draw` if no row has a value."""
    if not numbers["value"].notna().any():
        raise nothing_to_draw(figure, why)


# ------------------------------------------------------------------- sentences of captions


def left_out(lines: Iterable[str]) -> list[str]:
    """A sentence for each line that says what is missing and why."""
    return [f"LEFT OUT: {line.rstrip('.')}." for line in lines]


def rendered(is_rendered: bool) -> list[str]:
    """The sentence on faces of the head model, if all faces are."""
    return [f"All faces are {RENDERED}."] if is_rendered else []


def declared(sources: pd.Series) -> list[str]:
    """The sentence on valence and arousal that nobody rated, if a source of labels says so."""
    is_declared = sources.astype(str).str.contains("declared")
    return ["Valence and arousal are DECLARED positions, not ratings."] * bool(is_declared.any())


def is_circular(notes: pd.Series) -> pd.Series:
    """Which notes say that a network is scored with its own answers."""
    return notes.astype(str).str.contains(CIRCULAR, regex=False)


def circular(
    table: pd.DataFrame, networks: Mapping[str, str], datasets: Mapping[str, str] | None = None
) -> list[str]:
    """A sentence for each network that is scored with its own answers.

    Parameters
    ----------
    table : pandas.DataFrame
        Columns ``network``, ``note``, and ``dataset`` where `datasets` are given.
    networks : mapping of str to str
        Name in figures of each network.
    datasets : mapping of str to str, optional
        That of each face set, where a figure shows several.
    """
    keys = ["network"] if datasets is None else ["dataset", "network"]
    rows = table[is_circular(table["note"])].drop_duplicates(keys)
    on = [""] * len(rows) if datasets is None else " on " + rows["dataset"].map(datasets)
    names = rows["network"].map(networks) + on
    return [f"CIRCULAR: {name} is scored with its own labels." for name in names]


def count_seeds(table: pd.DataFrame, networks: Mapping[str, str]) -> str:
    """Number of seeds of each network: ``"NN1 10, Pixels 1"``.

    Parameters
    ----------
    table : pandas.DataFrame
        From `figures.seeds.mean_over_seeds`.
    networks : mapping of str to str
        Name in figures of each network, in order.
    """
    seeds = table.groupby("network")["seeds"].max()
    return ", ".join(f"{networks[name]} {seeds[name]}" for name in networks if name in seeds)


def count_pictures(scores: pd.DataFrame) -> str:
    """Number of pictures of a face set, by label where not every picture has every label.

    Parameters
    ----------
    scores : pandas.DataFrame
        Measurements on one face set: ``label``, ``n``; of a sample ``pictures_of``, ``sampled``.
    """
    counts = scores.groupby("label", sort=False)["n"].max()
    if counts.nunique() <= 1:
        words = [str(int(counts.max()))]
    else:
        words = [", ".join(f"{int(n)} ({label})" for label, n in counts.items())]
    samples = scores.reindex(columns=["pictures_of", "sampled"]).dropna()
    for sample in samples.astype({"pictures_of": int}).head(1).to_dict("records"):
        words.append(sample_in_words(sample))
    return " ".join(words)


def name_space(components: int | str) -> str:
    """``"first 10 principal components"``, or ``"full space"``."""
    return "full space" if components == "all" else f"first {components} principal components"

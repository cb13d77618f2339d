"""The page that all figures share: panel letters, notes, caption, table of numbers and files."""

from __future__ import annotations

import importlib
import itertools
import os
import string
import textwrap
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
from matplotlib import pyplot as plt
from matplotlib.artist import Artist
from matplotlib.figure import Figure
from matplotlib.text import Text

from facestages import tables
from facestages.analysis.labels import CIRCULAR
from facestages.errors import FacestagesError
from facestages.figures import fonts, style
from facestages.files import atomic_path
from facestages.stimuli.sample import sample_in_words
from facestages.text import escape_rst

#: What captions, tables and reports say of pictures of the head model.
RENDERED = "RENDERED, not photographs"

#: What bars show of one seed.
OVER_PEOPLE = "95 % intervals over people"

#: What bars and bands show in all figures of silhouettes and decoding.
INTERVALS = f"{OVER_PEOPLE}, for several seeds from the lowest to the highest end"


# A caption on a figure: points of its type, characters and inches of a line.
_SMALL, _COLUMNS = 6.5, 122
_LINE = _SMALL * 1.25 / 72
# Characters of a line of a title.
_TITLE_COLUMNS = 105


# Words of sentences that stand below a figure also without its caption.
_ALWAYS = (RENDERED, "DECLARED", "CIRCULAR", "SIMULATED")

# What a paragraph of `escape_rst` begins with.
_EMPTY = "\\ "


class Drawing(NamedTuple):
    """What `draw` of a figure's module returns."""

    figure: Figure
    #: The numbers drawn.
    numbers: pd.DataFrame
    #: What the figure shows, in a sentence without its full stop.
    title: str
    caption: str


def draw(
    name: str,
    inputs: Mapping[str, str | Iterable[str]],
    settings: Mapping[str, object],
    output: Mapping[str, str],
    look: Mapping[str, object] | None = None,
) -> None:
    """Draw a figure with ``draw`` of the module `name`, and `save` it.

    Its keyword arguments are the rule's `inputs` (see `read_inputs`) and `settings`; `look` has the
    fields of `figures.style.Look`.
    """
    style.choose_look(**(look or {}))
    module = importlib.import_module(f"facestages.figures.{name}")
    save(module.draw(**read_inputs(inputs), **settings), output)


def read_inputs(inputs: Mapping[str, str | Iterable[str]]) -> dict[str, object]:
    """Keyword arguments of ``draw`` from a rule's named inputs.

    A path stays as it is. A list holds CSV files of the same columns and becomes one table; an
    empty list is dropped. So is ``needed``: files that are not read, or whose paths the settings
    name.
    """
    return {
        key: value if isinstance(value, str) else tables.read_tables(value)
        for key, value in inputs.items()
        if key != "needed" and len(value)
    }


def finish(
    figure: Figure,
    numbers: pd.DataFrame,
    title: str,
    sentences: Iterable[str],
    absent: Iterable[str] = (),
) -> Drawing:
    """A figure with its title and caption, which stands below it if the config wants it there.

    What `_ALWAYS` marks stands there in any case, because a figure is shown without its caption.
    The caption ends with what is `absent` (see `left_out`), and with scripts for which there is no
    font.
    """
    sentences = [*sentences, *left_out(absent)]
    style.fit(figure)
    marked = [sentence for sentence in sentences if any(word in sentence for word in _ALWAYS)]
    text = " ".join(sentences if style.has_caption() else marked)
    below = _write_below(figure, text) if text else None
    if no_font := fonts.use_fonts(figure):
        sentences.append(no_font)
    caption = " ".join(sentences)
    if below and style.has_caption():
        below.set_text(textwrap.fill(caption, _COLUMNS))
    return Drawing(figure, numbers, title, caption)


def _write_below(figure: Figure, caption: str) -> Text:
    """Make a figure higher, and write the caption into the room at its lower edge."""
    text = textwrap.fill(caption, _COLUMNS)
    before = figure.get_figheight()
    after = before + (text.count("\n") + 2) * _LINE
    figure.set_figheight(after)
    share = before / after
    engine = figure.get_layout_engine()
    if engine is None:
        for axis in figure.axes:
            left, bottom, wide, high = axis.get_position().bounds
            axis.set_position((left, 1 - (1 - bottom) * share, wide, high * share))
        for one in figure.texts:
            one.set_y(1 - (1 - one.get_position()[1]) * share)
    else:
        engine.set(rect=(0, 1 - share, 1, share))
        # A legend that has a place of its own would have no room in the layout.
        style.settle(figure)
    for legend in figure.legends:
        legend.set_bbox_to_anchor((0, 1 - share, 1, share), figure.transFigure)
    below = figure.text(0.01, _LINE / 2 / after, text, fontsize=_SMALL, va="bottom")
    below.set_in_layout(False)
    return below


def save(drawing: Drawing, output: Mapping[str, str | os.PathLike]) -> None:
    """Write the files of a figure.

    By form they are ``pdf``, ``svg`` and ``png`` of the figure; ``numbers`` as CSV; ``table``, the
    numbers as Markdown; and ``caption`` as reStructuredText.
    """
    forms = {kind: output[kind] for kind in ("pdf", "svg", "png")}
    no_font = style.save_figure(drawing.figure, forms)
    if no_font not in drawing.caption:
        drawing = drawing._replace(caption=f"{drawing.caption} {no_font}")
    for form, path in output.items():
        if form == "numbers":
            tables.write_table(path, drawing.numbers)
        elif form == "table":
            _write_text(path, tables.markdown_table(drawing.numbers))
        elif form == "caption":
            _write_text(path, caption_text(drawing))


def caption_text(drawing: Drawing) -> str:
    """A figure's title, in bold, and its caption, as reStructuredText."""
    title = escape_rst(drawing.title).removeprefix(_EMPTY)
    return f"**{title}.**\n\n{escape_rst(drawing.caption)}\n"


def write_captions(paths: Sequence[str | os.PathLike], output: str | os.PathLike) -> None:
    """Write the titles and captions of figures, which `save` has written, into one Markdown file.

    What the captions escape for reStructuredText is escaped for Markdown too.
    """
    parts = []
    for path in map(Path, paths):
        title, _, caption = path.read_text(encoding="utf-8").partition("\n\n")
        parts.append(f"## {path.stem}\n\n{title}\n\n{caption.removeprefix(_EMPTY)}")
    _write_text(output, "\n\n".join(part.strip() for part in parts) + "\n")


def _write_text(path: str | os.PathLike, text: str) -> None:
    with atomic_path(path) as partial:
        partial.write_text(text, encoding="utf-8")


def new_figure(height: float) -> Figure:
    """An empty figure across the page, `height` millimetres high."""
    style.use_style()
    size = (style.PAGE_WIDTH, height * style.MILLIMETRE)
    return plt.figure(figsize=size, layout="constrained")


def new_panels(rows: int, columns: int, height: float, **options) -> tuple[Figure, np.ndarray]:
    """A figure of `new_figure`, and its panels (rows, columns)."""
    figure = new_figure(height)
    return figure, figure.subplots(rows, columns, squeeze=False, **options)


def letters() -> Iterator[str]:
    """Letters of panels: a to z, then aa, ab, ..."""
    for length in itertools.count(1):
        yield from map("".join, itertools.product(string.ascii_lowercase, repeat=length))


def add_title(figure: Figure, title: str) -> None:
    """Write what a figure shows above its panels, each part of it on lines of its own."""
    width = style.columns(_TITLE_COLUMNS)
    text = "\n".join(
        textwrap.fill(part[:1].upper() + part[1:], width) for part in title.split("; ")
    )
    figure.suptitle(text, x=0.01, ha="left", fontsize=8, fontweight="bold")


def add_line_legend(
    figure: Figure, names: Mapping[str, str], lines: Mapping[str, Mapping], columns: int
) -> None:
    """Name `lines`, a look by network or label, above all panels; `names` are those in figures."""
    handles = [plt.Line2D([], [], **line) for line in lines.values()]
    add_legend(figure, handles, [names[name] for name in lines], columns, handlelength=3.2)


def add_legend(
    figure: Figure, handles: Sequence[Artist], names: Sequence[str], columns: int, **options
) -> None:
    """Add a legend above all panels."""
    place = {"loc": "outside upper center", "ncols": columns, "frameon": False, **options}
    figure.legend(handles, names, **place)


# ------------------------------------------------------------------------- nothing to draw


def nothing_to_draw(figure: str, why: str) -> FacestagesError:
    """The error of a figure without content: what is missing, and what to check."""
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
    """The sentence on rendered faces, where all are."""
    return [f"All faces are {RENDERED}."] if is_rendered else []


def hidden(is_shown: np.ndarray) -> list[str]:
    """The sentence on faces that may not be shown, where there are any."""
    if is_shown.all():
        return []
    return [
        f"{(~is_shown).sum():,} of {len(is_shown):,} faces may not be shown; where one of them "
        f"stands, a placeholder is drawn."
    ]


def rendered_among(table: pd.DataFrame, datasets: Mapping[str, str]) -> list[str]:
    """As `rendered`, of several face sets: which of them are, where not all are.

    The table has the columns ``dataset`` and ``rendered``; `datasets` give the names in figures.
    """
    sets = set(table.loc[table["rendered"] == 1, "dataset"])
    if sets >= set(datasets):
        return rendered(True)
    some = ", ".join(title for name, title in datasets.items() if name in sets)
    return [f"{RENDERED}: {some}."] if some else []


def without_label(table: pd.DataFrame, datasets: Mapping[str, str]) -> list[str]:
    """The sentence on face sets of which a label has no value at all; columns as above."""
    counts = table.groupby(["label", "dataset"], sort=False)["value"].count()
    lacking = [pair for pair, count in counts.items() if not count]
    listed = "; ".join(f"{label} ({datasets[dataset]})" for label, dataset in lacking)
    return [f"Nothing is drawn of {listed}."] if listed else []


def declared(sources: pd.Series) -> list[str]:
    """The sentence on valence and arousal that nobody rated, where a label's source says so."""
    is_declared = sources.astype(str).str.contains("declared")
    return ["Valence and arousal are DECLARED positions, not ratings."] * bool(is_declared.any())


def is_circular(notes: pd.Series) -> pd.Series:
    """Which notes say that a network is scored with its own answers."""
    return notes.astype(str).str.contains(CIRCULAR, regex=False)


def circular(
    table: pd.DataFrame, networks: Mapping[str, str], datasets: Mapping[str, str] | None = None
) -> list[str]:
    """A sentence for each network that is scored with its own answers.

    The table has the columns ``network`` and ``note``. `networks` and, where a figure shows several
    face sets, `datasets` give the names in figures.
    """
    keys = ["network"] if datasets is None else ["dataset", "network"]
    rows = table[is_circular(table["note"])].drop_duplicates(keys)
    on = [""] * len(rows) if datasets is None else " on " + rows["dataset"].map(datasets)
    names = rows["network"].map(networks) + on
    return [f"CIRCULAR: {name} is scored with its own labels." for name in names]


def count_seeds(table: pd.DataFrame, networks: Mapping[str, str]) -> str:
    """Seeds behind each mean, by network: ``"NN1 6 to 10, Pixels 1"``.

    The table is that of `figures.seeds.mean_over_seeds`.
    """
    seeds = table[table["value"].notna()].groupby("network")["seeds"]
    counts = {
        name: f"{low} to {high}" if low < high else str(high)
        for name, low, high in zip(seeds.min().index, seeds.min(), seeds.max(), strict=True)
    }
    return ", ".join(f"{networks[name]} {counts[name]}" for name in networks if name in counts)


def count_pictures(scores: pd.DataFrame) -> str:
    """Number of pictures of a face set, by label where not all labels have as many.

    The table has the columns ``label`` and ``n``, and of a sample ``pictures_of`` and ``sampled``.
    """
    counts = scores.groupby("label", sort=False)["n"].max()
    counts = counts[counts > 0] if counts.any() else counts
    if counts.nunique() <= 1:
        words = [str(int(counts.max()))]
    else:
        words = [", ".join(f"{int(n)} ({label})" for label, n in counts.items())]
    return " ".join([*words, *describe_sample(scores)])


def differ_in_people(scores: pd.DataFrame, datasets: Mapping[str, str]) -> list[str]:
    """The sentence on face sets of different numbers of people, side by side.

    The table has the columns ``dataset``, ``label`` and ``n_groups``; `datasets` are names in
    figures.
    """
    of_identity = scores[scores["label"] == "identity"].reindex(columns=["dataset", "n_groups"])
    people = of_identity.dropna().groupby("dataset")["n_groups"].max()
    if people.nunique() < 2:
        return []
    listed = (f"{title} {people[name]:.0f}" for name, title in datasets.items() if name in people)
    return [
        f"People: {', '.join(listed)}; silhouettes of identity fall with their number, so that the "
        f"course over layers compares, but not the height."
    ]


def describe_sample(scores: pd.DataFrame) -> list[str]:
    """``["of 130,815 (every 7th of each person)"]`` of a sample, ``[]`` of a whole face set."""
    samples = scores.reindex(columns=["pictures_of", "sampled"]).dropna().head(1)
    records = samples.astype({"pictures_of": int}).to_dict("records")
    return [sample_in_words(sample) for sample in records]


def name_space(components: int | str) -> str:
    """``"first 10 principal components"``, or ``"full space"``."""
    return "full space" if components == "all" else f"first {components} principal components"


def spell(value: float, low: float = np.nan, high: float = np.nan) -> str:
    """``"−0.12 [−0.20, 0.01]"``, or the value alone where it has no interval."""
    value, low, high = (f"{number:.2f}".replace("-", "−") for number in (value, low, high))
    return value if low == "nan" else f"{value} [{low},\u00a0{high}]"


def spell_p(p: float) -> str:
    """``"p = 0.012"``, or ``"p < 0.001"``."""
    return "p < 0.001" if p < 0.001 else f"p = {p:.3f}"

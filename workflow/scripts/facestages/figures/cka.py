"""How similar the layers of all networks are: debiased CKA, as a matrix."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes

from facestages.figures import page

# More names of layers than these would overlap beside the matrix; every second or third is shown.
_MOST_NAMES = 45

# Height of a heading, in parts of the matrix.
_HEADING = 0.028

_ONE, _OTHER = ["network", "layer"], ["other_network", "other_layer"]


def draw(
    similarities: pd.DataFrame,
    *,
    dataset: str,
    networks: Mapping[str, str],
    absent: Sequence[str] = (),
) -> page.Drawing:
    """Draw the similarity of every two layers of the networks' first seeds.

    Parameters
    ----------
    similarities : pandas.DataFrame
        Rows of `analysis.cka.compare_layers`.
    dataset, networks : str, mapping of str to str
        Name in figures of the face set, and of each network, in order.
    absent : sequence of str
        A line for each network that is left out.

    Returns
    -------
    figures.page.Drawing
        Numbers: ``panel`` matrix holds the rows drawn; ``panel`` seeds the mean, lowest and highest
        similarity of a layer to itself in two seeds, for networks with several.

    Raises
    ------
    FacestagesError
        If nothing was compared.
    """
    table = similarities[similarities["value"].notna()]
    table = table[table["network"].isin(networks) & table["other_network"].isin(networks)]
    page.require_values(table, "the figure of CKA", f"no two layers on {dataset}")
    first = table.groupby("network")["seed"].min()
    drawn = table[
        (table["seed"] == table["network"].map(first))
        & (table["other_seed"] == table["other_network"].map(first))
    ].assign(panel="matrix")
    seeds = _between_seeds(table).assign(panel="seeds")
    figure, axes = page.new_panels(1, 1, 171)
    _draw_matrix(axes[0, 0], _matrix(drawn, networks), networks)
    numbers = pd.concat([drawn, seeds], ignore_index=True)
    title = _title(drawn, networks)
    sentences = _caption(drawn, seeds, dataset, networks)
    return page.finish(figure, numbers, title, sentences, absent)


def _matrix(drawn: pd.DataFrame, networks: Mapping[str, str]) -> pd.DataFrame:
    """Similarities of layers (rows and columns: network, layer), network by network."""
    swapped = drawn.rename(columns=dict(zip(_ONE + _OTHER, _OTHER + _ONE, strict=True)))
    pairs = pd.concat([drawn, swapped]).drop_duplicates(_ONE + _OTHER)
    layers = pairs[_ONE].drop_duplicates()
    layers = pd.concat([layers[layers["network"] == name] for name in networks])
    places = pd.MultiIndex.from_frame(layers)
    matrix = pairs.set_index(_ONE + _OTHER)["value"].unstack(_OTHER)
    matrix = matrix.reindex(index=places, columns=places.set_names(_OTHER))
    # A layer is not compared with itself in one seed.
    return matrix.mask(np.eye(len(places), dtype=bool), 1.0)


def _between_seeds(table: pd.DataFrame) -> pd.DataFrame:
    """How similar a layer is to itself in another seed, by network and layer."""
    pairs = table.query("network == other_network and layer == other_layer and seed != other_seed")
    keys = ["dataset", "rendered", "network", "layer", "measure"]
    groups = pairs.groupby(keys, sort=False, as_index=False)["value"]
    return groups.agg(value="mean", lowest="min", highest="max", pairs="size")


def _draw_matrix(axis: Axes, matrix: pd.DataFrame, networks: Mapping[str, str]) -> None:
    """A heat map with the names of layers on two sides, and those of networks above."""
    layers = matrix.index.get_level_values("layer")
    step = -(-len(matrix) // _MOST_NAMES)
    names = [name if place % step == 0 else "" for place, name in enumerate(layers)]
    sns.heatmap(
        matrix,
        # The upper triangle would mirror the lower one.
        mask=np.triu(np.ones(matrix.shape, dtype=bool), 1),
        vmin=0,
        vmax=1,
        cmap="viridis",
        square=True,
        xticklabels=names,
        yticklabels=names,
        cbar_ax=axis.inset_axes((0.62, 0.93, 0.3, 0.02)),
        cbar_kws={"orientation": "horizontal", "label": "Debiased CKA"},
        # The cells of some hundred layers would make a large PDF and SVG.
        rasterized=True,
        ax=axis,
    )
    axis.set(xlabel="", ylabel="")
    axis.tick_params(length=1.5, labelsize=5)
    sizes = matrix.index.get_level_values("network").value_counts(sort=False)
    top = len(matrix)
    for name, start in (sizes.cumsum() - sizes)[::-1].items():
        if start:
            axis.plot([0, start + sizes[name]], [start, start], color="white", linewidth=1.2)
            axis.plot([start, start], [start, len(matrix)], color="white", linewidth=1.2)
        # Each heading stands above the diagonal at its own rows, and above the one below it.
        top = min(start, top - _HEADING * len(matrix))
        place = {"va": "bottom", "ha": "left", "fontsize": 6.5}
        axis.text(start + 0.3, top - 0.15, networks[name], **place)


def _title(drawn: pd.DataFrame, networks: Mapping[str, str]) -> str:
    is_within = drawn["network"] == drawn["other_network"]
    means = [drawn.loc[rows, "value"].mean() for rows in (is_within, ~is_within)]
    parts = [
        f"{mean:.2f} {where}"
        for mean, where in zip(means, ("within", "between"), strict=True)
        if np.isfinite(mean)
    ]
    plural = "networks" if len(networks) > 1 else "one network"
    return f"Mean similarity of two layers: {' and '.join(parts)} {plural}"


def _caption(drawn, seeds, dataset, networks) -> list[str]:
    sentences = [
        f"Debiased linear CKA of every two recorded layers on {dataset}: 1 where two layers tell "
        f"the same pictures apart, 0 where they have nothing in common. The first of several seeds "
        f"is drawn; intervals over people are in the table of numbers."
    ]
    for name, layers in seeds.groupby("network", sort=False):
        low, high = layers.loc[layers["value"].idxmin()], layers.loc[layers["value"].idxmax()]
        sentences.append(
            f"{networks[name]}: a layer in two seeds is alike by {low['value']:.2f} "
            f"({low['layer']}) to {high['value']:.2f} ({high['layer']})."
        )
    sentences += page.rendered((drawn["rendered"] == 1).all())
    return [*sentences, f"Pictures: {int(drawn['n'].max())}."]

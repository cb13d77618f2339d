"""How alike the layers of all networks are: debiased CKA, as a matrix."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from facestages.errors import FacestagesError
from facestages.figures import style

# So many names of layers can stand beside a matrix of a page's width.
_MOST_NAMES = 45


def draw_cka(
    similarities: pd.DataFrame,
    *,
    dataset: str,
    networks: Mapping[str, str],
    absent: Sequence[str] = (),
) -> tuple[Figure, pd.DataFrame, str]:
    """Draw the similarity of every two layers of the networks' first seeds.

    Parameters
    ----------
    similarities : pandas.DataFrame
        Rows of `analysis.cka.compare_layers`.
    dataset : str
        The face set's name in figures.
    networks : mapping of str to str
        Name in figures of each network, in order.
    absent : sequence of str
        A line for each network that is left out.

    Returns
    -------
    figure : matplotlib.figure.Figure
    numbers : pandas.DataFrame
        The rows drawn; and of networks with several seeds, ``panel`` seeds, the mean, lowest and
        highest similarity of a layer to itself in two seeds.
    caption : str

    Raises
    ------
    FacestagesError
        If nothing was compared.
    """
    table = similarities[similarities["value"].notna()]
    table = table[table["network"].isin(networks) & table["other_network"].isin(networks)]
    if table.empty:
        raise FacestagesError(f"the figure of CKA has nothing to draw: no two layers on {dataset}")
    first = table.groupby("network")["seed"].min()
    drawn = table[
        (table["seed"] == table["network"].map(first))
        & (table["other_seed"] == table["other_network"].map(first))
    ].assign(panel="matrix")
    matrix, places = _matrix(drawn, networks)
    seeds = _between_seeds(table)
    style.use_style()
    figure, axis = plt.subplots(
        figsize=(style.PAGE_WIDTH, 0.95 * style.PAGE_WIDTH), layout="constrained"
    )
    image = axis.imshow(matrix, cmap="viridis", vmin=0, vmax=1, interpolation="nearest")
    _name_layers(axis, places, networks)
    bar = figure.colorbar(image, ax=axis, shrink=0.5, pad=0.01)
    bar.set_label("Debiased CKA")
    caption = _caption(drawn, seeds, dataset, networks)
    caption = " ".join([caption, *(f"LEFT OUT: {line}." for line in absent)])
    style.add_caption(figure, caption)
    return figure, pd.concat([drawn, seeds.assign(panel="seeds")], ignore_index=True), caption


def _matrix(
    drawn: pd.DataFrame, networks: Mapping[str, str]
) -> tuple[np.ndarray, list[tuple[str, str]]]:
    """Similarities (layers, layers), and the network and name of each layer."""
    ends = [drawn[["network", "layer"]], drawn[["other_network", "other_layer"]]]
    known = pd.concat([end.set_axis(["network", "layer"], axis=1) for end in ends])
    known = known.drop_duplicates()
    places = [
        (name, layer) for name in networks for layer in known["layer"][known["network"] == name]
    ]
    number = {place: row for row, place in enumerate(places)}
    matrix = np.eye(len(places))
    for row in drawn.itertuples():
        one, other = (
            number[row.network, row.layer],
            number[row.other_network, row.other_layer],
        )
        matrix[one, other] = matrix[other, one] = row.value
    return matrix, places


def _between_seeds(table: pd.DataFrame) -> pd.DataFrame:
    """How alike a layer is to itself in another instance, by network and layer."""
    same = (table["network"] == table["other_network"]) & (table["layer"] == table["other_layer"])
    own = table[same & (table["seed"] != table["other_seed"])]
    keys = ["dataset", "rendered", "network", "layer", "measure"]
    return (
        own.groupby(keys, sort=False)["value"]
        .agg(value="mean", lowest="min", highest="max", pairs="size")
        .reset_index()
    )


def _name_layers(
    axis: Axes, places: Sequence[tuple[str, str]], networks: Mapping[str, str]
) -> None:
    """Names of layers on both sides, and a line and a name for each network."""
    if len(places) <= _MOST_NAMES:
        names = [layer for _, layer in places]
        axis.set_yticks(range(len(places)), names, fontsize=5)
        axis.set_xticks(range(len(places)), names, fontsize=5, rotation=90)
    else:
        axis.set_xticks([])
        axis.set_yticks([])
    start = 0
    for name, label in networks.items():
        size = sum(network == name for network, _ in places)
        if not size:
            continue
        if start:
            for line in (axis.axhline, axis.axvline):
                line(start - 0.5, color="white", linewidth=1.2)
        middle = start + size / 2 - 0.5
        axis.annotate(
            label,
            (middle, 1),
            (0, 4),
            xycoords=("data", "axes fraction"),
            textcoords="offset points",
            ha="left",
            va="bottom",
            rotation=30,
            fontsize=7,
        )
        start += size
    axis.spines[:].set_visible(False)
    axis.tick_params(length=1.5)


def _caption(drawn, seeds, dataset, networks) -> str:
    parts = [
        f"Debiased linear CKA of every two recorded layers on {dataset}: 1 where two layers tell "
        f"the same pictures apart, 0 where they have nothing in common. Of networks with several "
        f"seeds the first is drawn; intervals over people are in the table of numbers."
    ]
    for name, own in seeds.groupby("network", sort=False):
        low, high = own.loc[own["value"].idxmin()], own.loc[own["value"].idxmax()]
        parts.append(
            f"{networks[name]}: a layer in two seeds is alike by {low['value']:.2f} "
            f"({low['layer']}) to {high['value']:.2f} ({high['layer']})."
        )
    if (drawn["rendered"] == 1).all():
        parts.append("All faces are RENDERED, not photographs.")
    return " ".join([*parts, f"Pictures: {int(drawn['n'].max())}."])

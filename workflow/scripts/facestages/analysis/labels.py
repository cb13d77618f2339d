"""Labels of pictures: which pictures have one, who is shown, and where a label comes from."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import pandas as pd

#: Note where a network is measured against labels that it gave itself.
CIRCULAR = "CIRCULAR: the labels are this network's own predictions"

#: Note of a layer in which all pictures lie on one point.
NO_GEOMETRY = "the layer gives the same output for every picture"


def is_labelled(table: pd.DataFrame, label: str) -> np.ndarray:
    """Whether each picture has a label, shape (n,); False for all if the face set lacks it."""
    if label not in table:
        return np.zeros(len(table), bool)
    return (table[label].notna() & (table[label] != "")).to_numpy()


def no_label(label: str) -> str:
    """Note of a measurement whose label the face set lacks."""
    return f"the face set has no label '{label}'"


def read_people(labels: pd.DataFrame) -> np.ndarray | None:
    """Identity of each picture, shape (n,); None if there are fewer than two identities.

    A picture without an identity counts as an identity by itself.
    """
    if "identity" not in labels:
        return None
    # No identity has the end of a line in it.
    alone = pd.Series([f"{number}\n" for number in range(len(labels))], labels.index)
    people = labels["identity"].where(labels["identity"] != "", alone)
    return people.to_numpy() if people.nunique() > 1 else None


def is_circular(source: str | None, network: str) -> bool:
    """Whether a label's source, as `stimuli.read_labels` gives it, is this network itself."""
    return source == f"network:{network}"


def circular_note(sources: Iterable[str | None], network: str) -> str:
    """`CIRCULAR` if one of these sources is this network itself, else nothing."""
    return CIRCULAR if any(is_circular(source, network) for source in sources) else ""


def join_notes(*notes: str) -> str:
    """Notes as one; empty ones are left out."""
    return "; ".join(filter(None, notes))


def describe_source(source: str, network_label: str = "") -> str:
    """A label's source in a few words, e.g. for a panel's title.

    Parameters
    ----------
    source : str
        As `stimuli.read_labels` gives it: ``rendered: ...``, ``human``, ``network:<name>``.
    network_label : str
        What to call that network instead of its name in the config.
    """
    kind, _, name = source.partition(":")
    if kind == "network":
        return f"{network_label or name} outputs"
    return {"rendered": "declared", "human": "human norms"}.get(kind, source)

"""The numbers of the figure of controls: low-level properties, equal numbers, components."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from facestages.analysis.labels import join_notes
from facestages.analysis.resampling import pseudo_interval
from facestages.analysis.subsamples import explain_gap

SILHOUETTE = "silhouette"
BOTH = "silhouette_few_of_both"

# The stage at which each label is expected to be most separate.
STAGES = {"identity": "middle", "expression": "final"}

# By measure on equal numbers: its panel of the numbers, and its name in the figure.
EQUAL = {
    "silhouette_few_pictures": ("few pictures", "Pictures"),
    "silhouette_few_people": ("few people", "People"),
    BOTH: ("few of both", "Both"),
}

# Columns that tell measurements on one face set apart.
_ON_A_SET = ["network", "layer", "stage", "label", "components"]
COLUMNS = [
    *("panel", "dataset", "rendered", "network", "stage", "layer", "label", "measure"),
    *("components", "value", "ci_low", "ci_high", "seeds", "n", "note"),
]


def low_level(summary: pd.DataFrame, conditions: Mapping, pixels: Mapping) -> pd.DataFrame:
    """Identity silhouettes of each face set, and how far those of the first change."""
    scores = summary[
        summary["dataset"].isin(conditions)
        & summary["network"].isin(pixels)
        & (summary["label"] == "identity")
        & (summary["measure"] == SILHOUETTE)
    ]
    by_set = {name: scores[scores["dataset"] == name].set_index(_ON_A_SET) for name in conditions}
    base, *others = by_set.values()
    changes = []
    for other in others:
        shared = other.index.intersection(base.index)
        one, two = base.loc[shared], other.loc[shared]
        change = _less(two, one).assign(measure="change")
        left = _share(two, one).assign(measure="share_left")
        changes += [change.reset_index(), left.reset_index()]
    return pd.concat([scores, *changes], ignore_index=True)


def _share(part: pd.DataFrame, whole: pd.DataFrame) -> pd.DataFrame:
    """One table as a share of another of the same index, with the widest intervals they allow.

    There is none where the whole may be 0.
    """
    least, most = whole["ci_low"].where(whole["ci_low"] > 0), whole["ci_high"]
    return part.assign(
        value=part["value"] / whole["value"],
        ci_low=np.minimum(part["ci_low"] / least, part["ci_low"] / most).where(least.notna()),
        ci_high=np.maximum(part["ci_high"] / least, part["ci_high"] / most),
    )


def _less(one: pd.DataFrame, other: pd.DataFrame) -> pd.DataFrame:
    """One table less another of the same index, with the widest intervals that theirs allow."""
    return one.assign(
        value=one["value"] - other["value"],
        ci_low=one["ci_low"] - other["ci_high"],
        ci_high=one["ci_high"] - other["ci_low"],
    )


def equal_numbers(
    subsamples: pd.DataFrame | None,
    many: tuple[str, str],
    few: tuple[str, str],
    networks: Mapping[str, str],
) -> pd.DataFrame:
    """Identity silhouettes of both face sets as they are and on equal numbers, and their gap."""
    if subsamples is None:
        return pd.DataFrame(columns=COLUMNS)
    scores = subsamples[subsamples["stage"] == STAGES["identity"]]
    rows = []
    for network in networks:
        of_network = scores[scores["network"] == network]
        of_sets = [of_network[of_network["dataset"] == name] for name, _ in (many, few)]
        rows += [_silhouette_row(group) for of_set in of_sets for group in _by_measure(of_set)]
        if all(map(len, of_sets)):
            rows += _gap_rows(*of_sets, (many[1], few[1]))
    return pd.DataFrame(rows, columns=COLUMNS)


def _by_measure(of_set: pd.DataFrame) -> list[pd.DataFrame]:
    return [group for _, group in of_set.groupby("measure", sort=False)]


def _silhouette_row(group: pd.DataFrame) -> dict[str, object]:
    """A silhouette, a mean over seeds, with Student's interval over people."""
    of_people = group.groupby("identity")["pseudo_value"].mean()
    # With very few people, the interval would leave the range of silhouettes.
    low, high = np.clip(pseudo_interval(of_people.to_numpy()), -1, 1)
    ends = {"value": of_people.mean(), "ci_low": low, "ci_high": high}
    seeds = {"seeds": group["seed"].nunique()}
    return group.iloc[0].to_dict() | ends | seeds | {"panel": "equal numbers"}


def _gap_rows(
    of_many: pd.DataFrame, of_few: pd.DataFrame, names: tuple[str, str]
) -> list[dict[str, object]]:
    """What part of the gap between two face sets equal numbers explain."""
    sets = (of_many, of_few)
    tables = [
        of_set.pivot_table("pseudo_value", "identity", "measure", dropna=False) for of_set in sets
    ]
    rows = []
    for measure, (panel, _) in EQUAL.items():
        row = of_many.iloc[0].to_dict() | {"panel": panel, "measure": "gap_explained"}
        row |= {"seeds": of_many["seed"].nunique(), "n": sum(map(len, tables)), "value": np.nan}
        lacking = [
            str(of_set["note"].iloc[0])
            for of_set in sets
            if not of_set["pseudo_value"].notna().all()
        ]
        if lacking:
            rows.append(row | {"note": lacking[0]})
            continue
        explained = explain_gap(*(table[[SILHOUETTE, measure]].to_numpy() for table in tables))
        firsts = [of_set[of_set["measure"] == measure].iloc[0] for of_set in sets]
        words = [
            f"{name}: {first['n']} pictures of {first['people']} people"
            for name, first in zip(names, firsts, strict=True)
        ]
        is_unequal = panel != "few pictures" and len({first["people"] for first in firsts}) > 1
        unequal = "people still differ, lower analysis.people" if is_unequal else ""
        note = join_notes("; ".join(words), unequal, explained.note)
        rows.append(
            row
            | explained._asdict()
            | {"ci_low": explained.low, "ci_high": explained.high, "note": note}
        )
    return rows


def sweep(summary: pd.DataFrame, many: str, networks: Mapping[str, str]) -> pd.DataFrame:
    """Silhouettes of each label at its stage, by number of components."""
    return summary[
        (summary["label"].map(STAGES) == summary["stage"])
        & (summary["dataset"] == many)
        & summary["network"].isin(networks)
        & (summary["measure"] == SILHOUETTE)
    ]

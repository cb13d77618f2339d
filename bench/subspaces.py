"""Whether planted subspaces are recovered, and how often the p-values of subspaces are right.

``python -m bench.subspaces [--sets N] [--out PATH]`` prints a table of simulated layers, in which
the angle between the subspaces of identity and of expression is known
(`simulated_faces.planted_spaces`).
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "workflow" / "scripts"))

import numpy as np
import pandas as pd

from bench.simulated_faces import planted_spaces
from facestages import tables
from facestages.analysis.decoding_tasks import Settings
from facestages.analysis.subspace_scores import prepare_design, subspace_rows
from facestages.analysis.transfer import prepare_transfer, transfer_rows

_DRAWS = 199
_KEY = ("measure", "label", "other")

#: Planted angles in layers with little noise, with much, and with few pictures of some expressions.
PLANTED = [
    {"angle": angle, **layer}
    for layer in ({"noise": 0.25}, {"noise": 0.5}, {"noise": 0.8}, {"noise": 0.5, "complete": 0.7})
    for angle in (0, 30, 60, 90)
]

#: Layers in which some p-values are of no effect: the measures, and whose.
NULLS = (
    ({}, ("angle", "angle_smallest", "overlap"), ("identity", "expression")),
    ({"expression": 0.0, "angle": 90}, ("variance_share", "overlap_of_means"), ("expression",)),
    ({"identity": 0.0, "angle": 90}, ("variance_share", "overlap_of_means"), ("identity",)),
    (
        {"identity": 0.0, "angle": 90, "complete": 0.7},
        ("variance_share", "overlap_of_means"),
        ("identity",),
    ),
)


def measure_subspaces(seed: int, layer: Mapping[str, object], draws: int) -> pd.DataFrame:
    """Rows of `facestages.analysis.subspace_scores.subspace_rows` of a simulated layer."""
    points, table = planted_spaces(seed, **layer)
    points -= points.mean(axis=0)
    # Other random numbers than those of the layer.
    design = prepare_design(table, draws, 10**6 + seed)
    return pd.DataFrame(subspace_rows(points, design, draws, 10**6 + seed))


def measure_transfer(seed: int, layer: Mapping[str, object]) -> pd.DataFrame:
    """Rows of `facestages.analysis.transfer.transfer_rows` of a simulated layer."""
    points, table = planted_spaces(seed, **layer)
    transfer = prepare_transfer(table, Settings(5, 1, 100, 10**6 + seed))
    return pd.DataFrame(transfer_rows(points - points.mean(axis=0), transfer))


def recovered(layer: Mapping[str, object], sets: int) -> pd.DataFrame:
    """Mean, standard deviation and coverage of angle and overlap over simulated layers."""
    rows = pd.concat([measure_subspaces(seed, layer, _DRAWS // 10) for seed in range(sets)])
    squared_cosine = np.cos(np.radians(layer["angle"])) ** 2
    truths = {"angle": layer["angle"], "overlap": squared_cosine}
    rows = rows[rows["measure"].isin(truths) & (rows["label"] == "identity")]
    truth = rows["measure"].map(truths)
    rows = rows.assign(
        truth=truth, covers=(rows["ci_low"] <= truth + 1e-6) & (rows["ci_high"] >= truth - 1e-6)
    )
    return (
        rows.groupby("measure")
        .agg(
            truth=("truth", "first"),
            mean=("value", "mean"),
            sd=("value", "std"),
            covers=("covers", "mean"),
        )
        .reset_index()
    )


def false_alarms(
    layer: Mapping[str, object], measures: tuple[str, ...], labels: tuple[str, ...], sets: int
) -> pd.Series:
    """Share of simulated layers without an effect whose p-value is .05 or less."""
    rows = pd.concat([measure_subspaces(seed, layer, _DRAWS) for seed in range(sets)])
    rows = rows[rows["measure"].isin(measures) & rows["label"].isin(labels) & rows["p"].notna()]
    return (rows["p"] <= 0.05).groupby([rows[name] for name in _KEY]).mean()


def erased(layer: Mapping[str, object], sets: int) -> pd.Series:
    """Mean accuracy of each label before and after each erasure."""
    rows = pd.concat([measure_transfer(seed, layer) for seed in range(sets)])
    rows = rows[rows["measure"].isin(("accuracy", "erasure_mean_projection", "erasure_leace"))]
    rows["other"] = rows["other"].fillna("")
    return rows.groupby(["label", "other", "measure"])["value"].mean()


def _report(sets: int) -> Iterator[tuple[str, str, str, str]]:
    """Rows of the table: layer, measure, what, value."""
    for layer in PLANTED:
        for row in recovered(layer, sets // 5).itertuples():
            found = f"{row.mean:.2f} (sd {row.sd:.2f}), interval covers {row.covers:.0%}"
            yield _describe(layer), row.measure, f"planted {row.truth:.2f}", found
    for layer, *what in NULLS:
        for key, share in false_alarms(layer, *what, sets).items():
            yield _describe(layer), " ".join(key), "p <= .05 without an effect", f"{share:.1%}"
    for angle in (0, 90):
        layer = {"angle": angle, "noise": 0.25, "dimensions": 40, "people": 30}
        for (label, other, measure), accuracy in erased(layer, max(sets // 25, 2)).items():
            what = f"accuracy of {label}" + (f" without {other}" if other else "")
            yield _describe(layer), measure, what, f"{accuracy:.3f}"


def _describe(layer: Mapping[str, object]) -> str:
    return ", ".join(f"{key} {value}" for key, value in layer.items()) or "random subspaces"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sets", type=int, default=500)
    parser.add_argument("--out", type=Path)
    given = parser.parse_args()
    rows = []
    for row in _report(given.sets):
        rows.append(row)
        print(*row, sep=" | ", flush=True)
    if given.out:
        columns = ("layer", "measure", "what", "found")
        given.out.write_text(tables.markdown_table(pd.DataFrame(rows, columns=columns)))


if __name__ == "__main__":
    main()

"""How often p-values and intervals are right, on simulated faces whose truth is known.

``python -m bench.calibration [--sets N] [--out PATH]`` prints a table. For each p-value, it gives
the share of face sets without an effect in which p <= .05; for each 95 % interval, the share of
face sets with an effect in which it covers the truth, which is the mean over all these sets.
"""

from __future__ import annotations

import argparse
import contextlib
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

sys.path.insert(0, str(Path(__file__).parents[1] / "workflow" / "scripts"))

import numpy as np
import pandas as pd

from bench.simulated_faces import portraits, sequences, video
from facestages import tables
from facestages.analysis.affect import GROUPED
from facestages.analysis.distances import Points
from facestages.analysis.geometry import principal_components
from facestages.analysis.jackknife import leave_people_out
from facestages.analysis.permutation import permute_label
from facestages.analysis.resampling import pseudo_values
from facestages.analysis.silhouette_scores import (
    design_label,
    interval_columns,
    score_label,
    score_values,
)
from facestages.errors import FacestagesError

_PERMUTATIONS = 99


class Case(NamedTuple):
    """A statistic of a label, on simulated faces."""

    faces: Callable
    statistic: Callable
    label: str
    #: Further arguments of `faces`.
    options: Mapping[str, object] = {}
    #: Number of principal components; all dimensions if there is none.
    components: int | None = None

    def __str__(self) -> str:
        options = "".join(f", {key} {value}" for key, value in self.options.items())
        space = f" in {self.components} components" if self.components else ""
        return f"{self.faces.__name__}, {self.label}, {self.statistic.__name__}{space}{options}"


def silhouettes(
    points: np.ndarray,
    table: pd.DataFrame,
    label: str,
    permutations: int,
    seed: int,
    components: int | None = None,
) -> list[dict[str, object]]:
    """Rows of `facestages.analysis.separability.score_label`, and the variance explained."""
    moved = permute_label(table, label, permutations, seed) if permutations else None
    sources = dict.fromkeys(table, "simulated")
    gram = points @ points.T
    if components is None:
        return score_label(gram, label, table, sources, "simulated", moved)
    scores, ratio = principal_components(gram, components)
    others = list(leave_people_out(gram, table, components))
    left_out = np.array([other.explained(components) for other in others])
    explained = {"measure": "variance_explained", "value": ratio.sum()}
    explained |= interval_columns(pseudo_values(ratio.sum(), left_out))
    without = {}
    for other in others:
        design = {label: design_label(table.iloc[other.rows], label)}
        without[other.person] = score_values(other.points(components), design).get(label, {})
    return [
        *score_label(Points(scores), label, table, sources, "simulated", moved, without),
        explained,
    ]


def regressions(
    points: np.ndarray, table: pd.DataFrame, label: str, permutations: int, seed: int
) -> list[dict[str, object]]:
    """Regressions over identities of the first dimension on a label, without permutations."""
    rows = []
    for measure, estimate in GROUPED.items():
        with contextlib.suppress(FacestagesError):
            value, low, high, p, _ = estimate(table[label], points[:, 0], table["identity"])
            rows.append(
                {"measure": measure, "value": value, "ci_low": low, "ci_high": high, "p": p}
            )
    return rows


#: The layer carries all labels but the one that is tested.
NO_EFFECT = (
    Case(portraits, silhouettes, "expression"),
    Case(portraits, silhouettes, "identity"),
    Case(portraits, silhouettes, "identity", {"session_shift": 1.5}),
    Case(portraits, silhouettes, "expression", {"complete": 0.6}),
    Case(portraits, silhouettes, "identity", {"complete": 0.6}),
    Case(portraits, silhouettes, "sex", {"effect_of": None}),
    Case(sequences, silhouettes, "expression"),
    Case(sequences, silhouettes, "identity"),
    Case(video, silhouettes, "expression"),
    Case(portraits, regressions, "valence", {"people": 27}),
    Case(video, regressions, "valence", {"people": 27}),
)

#: The layer carries all labels.
EFFECT = (
    Case(portraits, silhouettes, "expression", {"people": 20}),
    Case(portraits, silhouettes, "identity", {"people": 20}),
    Case(video, silhouettes, "expression", {"people": 15}),
    Case(video, silhouettes, "identity", {"people": 15}),
    Case(portraits, regressions, "valence", {"people": 27}),
    Case(video, regressions, "valence", {"people": 27}),
)


#: The layer carries all labels, in components whose variances fall slowly. Components are fitted to
#: the people at hand, in each face set anew; the truth is the mean at that number of people.
IN_COMPONENTS = tuple(
    Case(faces, silhouettes, label, {"people": people, "decay": 1.0}, components)
    for faces, people, components in (
        (portraits, 8, 10),
        (portraits, 12, 2),
        (portraits, 27, 10),
        (portraits, 70, 10),
        (sequences, 16, 10),
        (video, 8, 10),
        (video, 12, 2),
    )
    for label in ("identity", "expression")
)


def false_alarms(case: Case, sets: int) -> dict[str, float]:
    """Share of face sets without an effect whose p-value is .05 or less, by measure."""
    options = {"effect_of": case.label, "present": False, **case.options}
    rows = _rows(case, sets, options, _PERMUTATIONS)
    tested = ((measure, group["p"].dropna()) for measure, group in rows)
    return {measure: float((p <= 0.05).mean()) for measure, p in tested if len(p)}


def coverage(case: Case, sets: int) -> dict[str, float]:
    """Share of face sets with an effect whose interval covers the truth, by measure."""
    covered = {}
    for measure, group in _rows(case, sets, dict(case.options), 0):
        truth = group["value"].mean()
        inside = (group["ci_low"] <= truth) & (truth <= group["ci_high"])
        covered[measure] = float(inside.mean())
    return covered


def _rows(
    case: Case, sets: int, options: Mapping[str, object], permutations: int
) -> Iterator[tuple[str, pd.DataFrame]]:
    rows = []
    for seed in range(sets):
        points, table = case.faces(seed, **options)
        points -= points.mean(axis=0)
        # Each set has permutations of its own, as a few shared ones would bias all p-values alike;
        # and of other random numbers than the set.
        settings = {"components": case.components} if case.components else {}
        rows += case.statistic(points, table, case.label, permutations, sets + seed, **settings)
    table = pd.DataFrame(rows)
    return iter(table[table["value"].notna()].groupby("measure", sort=False))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sets", type=int, default=1000)
    parser.add_argument("--out", type=Path)
    given = parser.parse_args()
    rows = []
    for cases, measure_case, name in (
        (NO_EFFECT, false_alarms, "p <= .05 without an effect"),
        (EFFECT, coverage, "interval covers"),
        (IN_COMPONENTS, coverage, "interval covers"),
    ):
        for case in cases:
            # Fitting components without each of many people takes long.
            sets = given.sets // 5 if case.components else given.sets
            for measure, share in measure_case(case, sets).items():
                rows.append((str(case), measure, name, f"{share:.1%}"))
                print(*rows[-1], sep=" | ", flush=True)
    if given.out:
        columns = ("faces, label, statistic", "measure", "what", "share")
        given.out.write_text(tables.markdown_table(pd.DataFrame(rows, columns=columns)))


if __name__ == "__main__":
    main()

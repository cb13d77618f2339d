"""The multiverse: changes and intervals as computed by hand, and shares of what agrees."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from facestages import tables
from facestages.analysis.multiverse import (
    ABOVE_CHANCE,
    AGREEING,
    CLEARLY,
    EVERY,
    MEASURES,
    OPPOSING,
    PAIRS,
    compare_choices,
)

STAGES = ("early", "middle", "penultimate", "final")
SILHOUETTES = tuple(
    name for name in MEASURES if name.startswith("silhouette") and name != ABOVE_CHANCE
)
PEOPLE = 9
COMMON = {"dataset": "faces", "rendered": 1, "network": "net"}


def rows_of(values, seed, measures, components=("10", "all"), **more):
    """A row a stage, label, measure and number of components; values of a label by stage."""
    return [
        {
            **{**COMMON, "seed": seed, "stage": stage, "layer": stage, "label": label},
            **{"measure": measure, "components": k, "value": value, "note": "", **more},
        }
        for label, of_stages in values.items()
        for stage, value in zip(STAGES, of_stages, strict=True)
        for measure in measures
        for k in components
    ]


def write(folder, name, rows):
    path = folder / f"{name}.csv"
    tables.write_table(path, pd.DataFrame(rows))
    return path


def compare(folder, seeds, chance=0.0, spread=0.01, accuracies=None, **more):
    """`compare_choices` of made tables: values by label and stage, one mapping a seed."""
    files, rng = {"separability": [], "people": [], "decoding": []}, np.random.default_rng(0)
    drawn = []
    for seed, values in enumerate(seeds):
        scored = rows_of(values, seed, SILHOUETTES, null_mean=chance, **more)
        of_people = [
            {**row, "identity": f"p{person}", "pseudo_value": row["value"] + error}
            for row in scored
            for person, error in enumerate(rng.normal(0, spread, PEOPLE))
        ]
        read = rows_of(accuracies or values, seed, ["balanced_accuracy"], ["10"])
        read = [
            {**row, "ci_low": row["value"] - 0.03, "ci_high": row["value"] + 0.04} for row in read
        ]
        drawn += of_people
        for product, rows in (("separability", scored), ("people", of_people), ("decoding", read)):
            files[product].append(write(folder, f"{product}-{seed}", rows))
    return compare_choices(**files), pd.DataFrame(drawn)


def pick(table, **where):
    for column, value in where.items():
        table = table[table[column] == value]
    return table


WORLD = {"identity": [0.6, 0.5, 0.2, 0.1], "expression": [0.0, 0.2, 0.3, 0.5]}


def test_a_change_is_the_last_stage_less_the_first(tmp_path):
    table, _ = compare(tmp_path, [WORLD])
    each = table[table["components"] != EVERY]
    assert len(each) == 2 * len(PAIRS) * ((len(MEASURES) - 1) * 2 + 1)
    for claim, changes in (("F4.a", (0.3, 0.5, 0.3)), ("F4.b", (-0.4, -0.5, -0.4))):
        for (first, last), change in zip(PAIRS, changes, strict=True):
            rows = pick(each, claim=claim, stages=f"{first} to {last}")
            assert rows["value"].tolist() == pytest.approx([change] * len(rows))
            assert set(rows["direction"]) == {"rises" if change > 0 else "falls"}


def test_all_silhouettes_but_the_papers_are_less_chance(tmp_path):
    table, _ = compare(tmp_path, [WORLD])
    rows = rows_of(WORLD, 0, SILHOUETTES)
    chance = dict(zip(STAGES, (-0.1, -0.1, -0.3, -0.4), strict=True))
    path = tmp_path / "separability-0.csv"
    tables.write_table(path, pd.DataFrame([{**r, "null_mean": chance[r["stage"]]} for r in rows]))
    table = compare_choices([path], [tmp_path / "people-0.csv"], [tmp_path / "decoding-0.csv"])
    change = pick(table, claim="F4.b", stages="early to final", components="10")
    of = change.set_index("measure")["value"]
    assert of["silhouette"] == of["balanced_accuracy"] == pytest.approx(-0.5)
    others = of.drop(["silhouette", "balanced_accuracy"])
    assert others.tolist() == pytest.approx([-0.2] * len(others)) and ABOVE_CHANCE in others


def test_without_permutations_the_papers_silhouette_is_left(tmp_path):
    table, _ = compare(tmp_path, [WORLD], chance=np.nan)
    rows = pick(table, measure="silhouette_centred")
    assert rows["value"].isna().all() and set(rows["note"]) == {"no permutation gives chance"}
    shares = pick(table, claim="F4.a", stages=EVERY)
    assert shares["choices"].unique().tolist() == [len(PAIRS) * 3]


def test_intervals_are_paired_over_people_and_means_over_seeds(tmp_path):
    other = {label: np.add(values, 0.02) for label, values in WORLD.items()}
    table, people = compare(tmp_path, [WORLD, other], spread=0.3)
    where = {"label": "identity", "measure": "silhouette_within", "components": "all"}
    (row,) = pick(table, stages="middle to final", **where).to_dict("records")
    values = pick(people, **where).pivot_table("pseudo_value", "identity", "stage")
    expected = stats.ttest_rel(values["final"], values["middle"]).confidence_interval()
    shift = row["value"] - (values["final"] - values["middle"]).mean()
    assert (row["ci_low"], row["ci_high"]) == pytest.approx(tuple(np.add(expected, shift)))
    assert (row["value"], row["seeds"], row["people"]) == (pytest.approx(-0.4), 2, PEOPLE)


def test_the_interval_of_decoding_is_in_quadrature(tmp_path):
    table, _ = compare(tmp_path, [WORLD, WORLD])
    (row,) = pick(
        table, label="expression", measure="balanced_accuracy", stages="early to final"
    ).to_dict("records")
    assert (row["ci_low"], row["ci_high"]) == pytest.approx((0.5 - 0.05, 0.5 + 0.05))


def test_shares_count_choices_that_agree(tmp_path):
    accuracies = {"identity": [0.1, 0.6, 0.5, 0.7], "expression": [0.2, 0.5, 0.8, 0.52]}
    table, _ = compare(tmp_path, [WORLD], accuracies=accuracies)
    of = pick(table, claim="F4.b", stages=EVERY).set_index("measure")
    choices = len(PAIRS) * ((len(MEASURES) - 1) * 2 + 1)
    assert set(of["choices"]) == {choices}
    assert of.loc[AGREEING, "value"] == of.loc[CLEARLY, "value"] == pytest.approx(1 - 3 / choices)
    assert of.loc[OPPOSING, "value"] == pytest.approx(3 / choices)
    # Expression is read out a little better at the final stage than in the middle, not clearly.
    of = pick(table, claim="F4.a", stages="middle to final").set_index("measure")
    assert of.loc[AGREEING, "value"] == 1 and of.loc[CLEARLY, "value"] < 1
    assert of.loc[OPPOSING, "value"] == 0


def test_a_mean_needs_more_than_half_of_the_seeds(tmp_path):
    lacking = {label: [*values[:3], np.nan] for label, values in WORLD.items()}
    table, _ = compare(tmp_path, [WORLD, lacking])
    change = pick(table, components="10")
    assert change.loc[change["stages"] != "early to penultimate", "value"].isna().all()
    assert change.loc[change["stages"] == "early to penultimate", "value"].notna().all()


def test_a_network_of_one_stage_has_no_change(tmp_path):
    table, _ = compare(tmp_path, [WORLD])
    early = []
    for name in ("separability", "people", "decoding"):
        rows = tables.read_tables([tmp_path / f"{name}-0.csv"])
        early.append([write(tmp_path, f"early-{name}", rows[rows["stage"] == "early"])])
    assert compare_choices(*early).empty and len(table)


def test_without_pseudo_values_there_is_no_interval(tmp_path):
    _, people = compare(tmp_path, [WORLD])
    none = write(tmp_path, "none", people[:0])
    table = compare_choices(
        [tmp_path / "separability-0.csv"], [none], [tmp_path / "decoding-0.csv"]
    )
    rows = pick(table, measure="silhouette_macro")
    assert rows["value"].notna().all() and rows["ci_low"].isna().all()
    clear = pick(table, measure=CLEARLY, stages="early to final", claim="F4.b")["value"].item()
    assert clear == pytest.approx(1 / ((len(MEASURES) - 1) * 2 + 1))

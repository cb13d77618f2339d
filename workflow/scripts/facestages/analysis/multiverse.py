"""A multiverse of choices: does a change from layer to layer depend on how it is measured?

A claim such as "identity falls towards the output" can be measured in many defensible ways. All of
them are measured, and none is picked afterwards (Steegen et al. 2016,
doi:10.1177/1745691616658637). Drawn beside each other, they are a specification curve (Simonsohn et
al. 2020, doi:10.1038/s41562-020-0912-z).
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence

import numpy as np
import pandas as pd

from facestages import tables
from facestages.analysis.resampling import pseudo_interval

#: By claim: its label, and the direction in which that is said to change towards the output.
CLAIMS = {"F4.a": ("expression", "rises"), "F4.b": ("identity", "falls")}

#: Stages between which a change is measured.
PAIRS = (("early", "penultimate"), ("early", "final"), ("middle", "final"))

#: Measures, the paper's first. All other silhouettes are less the mean of permuted labels.
RAW, ABOVE_CHANCE = "silhouette", "silhouette_above_chance"
MEASURES = (
    *(RAW, ABOVE_CHANCE, "silhouette_macro", "silhouette_balanced", "silhouette_centred"),
    *("silhouette_within", "balanced_accuracy"),
)

#: The measure that decides, of identity and of expression; docs/explanation/statistics.md says why.
PRIMARY = "silhouette_centred"

#: ``components``, and ``stages``, of rows that sum up.
EVERY = "every"

#: ``measure`` of rows that sum up: shares of the choices that were measured.
AGREEING, CLEARLY, OPPOSING = (
    "share_agreeing",
    "share_agreeing_clearly",
    "share_opposing_clearly",
)

_CHOICE = ["dataset", "network", "label", "measure", "components"]
_COLUMNS = [
    *("dataset", "rendered", "network", "claim", "label", "measure", "components", "stages"),
    *("value", "ci_low", "ci_high", "direction", "seeds", "people", "choices", "note"),
]

Files = Sequence[str | os.PathLike]


def compare_choices(separability: Files, people: Files, decoding: Files) -> pd.DataFrame:
    """Changes of expression and identity between layers, by measure and number of components.

    Parameters
    ----------
    separability, people : sequence of path-like
        The two tables of `analysis.separability.score_separability`: silhouettes, and the
        pseudo-values of people; of all seeds of the networks on one face set.
    decoding : sequence of path-like
        Tables of `analysis.decoding.decode_labels`.

    Returns
    -------
    pandas.DataFrame
        A row a face set x network x claim (`CLAIMS`) x measure (`MEASURES`) x number of components
        x pair of ``stages`` (`PAIRS`): ``value`` is the mean over seeds of the last stage's value
        less the first's, and ``direction`` its sign, ``rises`` or ``falls``. A mean needs more than
        half of the seeds.

        The interval (95 %) of silhouettes is over people, from the change of each one's
        pseudo-value, a mean over seeds (`resampling.pseudo_interval`). The mean of permuted labels
        counts as known. That of decoding takes both stages' intervals as independent
        (MOVER; Zou and Donner 2008, doi:10.1002/sim.3095), and is a mean over seeds. It is
        conservative, because both stages show the same people.

        Then rows that sum up, by pair of stages and over `EVERY` pair: the shares of the
        ``choices`` with the claim's direction (`AGREEING`), with an interval beyond 0 on its side
        (`CLEARLY`), and with one beyond 0 on the other side (`OPPOSING`). Choices share pictures,
        so that shares are descriptions; they have no interval.
    """
    read = (list(map(_read_scores, separability)), list(map(_read_people, people)))
    decoded = [_read_decoding(path) for path in decoding]
    choices = pd.concat(
        change.assign(stages=f"{pair[0]} to {pair[1]}")
        for pair in PAIRS
        for change in (_silhouette_changes(*read, pair), _decoding_changes(decoded, pair))
    )
    directions = [choices["value"] > 0, choices["value"] < 0]
    choices["direction"] = np.select(directions, ["rises", "falls"], "")
    by_claim = {
        claim: choices[choices["label"] == label].assign(claim=claim)
        for claim, (label, _) in CLAIMS.items()
    }
    table = pd.concat([*by_claim.values(), pd.DataFrame(_shares(by_claim))])
    table = table.reindex(columns=_COLUMNS).reset_index(drop=True)
    table[["direction", "note"]] = table[["direction", "note"]].fillna("")
    return table.astype({"seeds": "Int64", "people": "Int64", "choices": "Int64"})


# ------------------------------------------------------------------------------- files of a seed


def _read_scores(path: str | os.PathLike) -> pd.DataFrame:
    """Silhouettes of one seed; all but the paper's are less the mean of permuted labels."""
    scores = _of_stages(_double_raw(tables.read_tables([path])))
    is_raw = scores["measure"] == RAW
    chance = scores["null_mean"].where(~is_raw, 0.0)
    lacks_chance = scores["value"].notna() & chance.isna()
    note = scores["note"].mask(lacks_chance, "no permutation gives chance")
    return scores.assign(value=scores["value"] - chance, note=note)


def _read_people(path: str | os.PathLike) -> pd.DataFrame:
    return _of_stages(_double_raw(tables.read_tables([path])))


def _read_decoding(path: str | os.PathLike) -> pd.DataFrame:
    return _of_stages(tables.read_tables([path]))


def _double_raw(table: pd.DataFrame) -> pd.DataFrame:
    """A table with the rows of `RAW` a second time, as `ABOVE_CHANCE`."""
    return pd.concat([table, table[table["measure"] == RAW].assign(measure=ABOVE_CHANCE)])


def _of_stages(table: pd.DataFrame) -> pd.DataFrame:
    labels = [label for label, _ in CLAIMS.values()]
    stages = [stage for pair in PAIRS for stage in pair]
    is_choice = table["measure"].isin(MEASURES) & table["label"].isin(labels)
    return table[is_choice & table["stage"].isin(stages)]


# ------------------------------------------------------------------------------ changes by choice


def _both_stages(
    table: pd.DataFrame, pair: Sequence[str], keys: Sequence[str]
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Rows of the first and of the last stage, with one index of `keys`."""
    first, last = (table[table["stage"] == stage].set_index(list(keys)) for stage in pair)
    shared = first.index.intersection(last.index, sort=False)
    return first.loc[shared], last.loc[shared]


def _silhouette_changes(
    scores: Sequence[pd.DataFrame], people: Sequence[pd.DataFrame], pair: Sequence[str]
) -> pd.DataFrame:
    """Changes of silhouettes, means over seeds, with intervals over people."""
    changes = []
    for table in scores:
        first, last = _both_stages(table, pair, _CHOICE)
        changes.append(_describe(first, last))
    summary = _mean_over_seeds(pd.concat(changes))
    of_people = []
    for table in people:
        first, last = _both_stages(table, pair, [*_CHOICE, "identity"])
        of_people.append(last["pseudo_value"] - first["pseudo_value"])
    one_each = pd.concat(of_people).groupby([*_CHOICE, "identity"]).mean()
    by_choice = one_each.astype(float).groupby(_CHOICE)
    reach = by_choice.agg(_reach).reindex(summary.index).astype(float)
    summary["ci_low"], summary["ci_high"] = summary["value"] - reach, summary["value"] + reach
    return summary.assign(people=by_choice.count()).reset_index()


def _reach(changes: pd.Series) -> float:
    """How far the interval of a mean of people goes to either side."""
    low, high = pseudo_interval(changes.to_numpy(float))
    return (high - low) / 2


def _decoding_changes(decoded: Sequence[pd.DataFrame], pair: Sequence[str]) -> pd.DataFrame:
    """Changes of decoding accuracy, means over seeds of values and of both ends."""
    changes = []
    for table in decoded:
        first, last = _both_stages(table, pair, _CHOICE)
        change = _describe(first, last)
        below = last["value"] - last["ci_low"], first["ci_high"] - first["value"]
        above = last["ci_high"] - last["value"], first["value"] - first["ci_low"]
        change["ci_low"] = change["value"] - np.hypot(*below)
        change["ci_high"] = change["value"] + np.hypot(*above)
        changes.append(change)
    return _mean_over_seeds(pd.concat(changes)).reset_index()


def _describe(first: pd.DataFrame, last: pd.DataFrame) -> pd.DataFrame:
    """The change of one seed, and the note of the last stage, or else of the first."""
    note = last["note"].where(last["note"] != "", first["note"])
    change = pd.DataFrame({"value": last["value"] - first["value"], "note": note})
    return change.assign(rendered=last["rendered"])


def _mean_over_seeds(changes: pd.DataFrame) -> pd.DataFrame:
    """Means by choice, with the number of seeds that have a value; NaN for half of them or less."""
    ends = [name for name in ("value", "ci_low", "ci_high") if name in changes]
    groups = changes.groupby(_CHOICE, sort=False)
    means, seeds = groups[ends].mean(), groups["value"].count()
    means = means.where(seeds > groups["value"].size() / 2)
    # Of several notes the last in the alphabet, so that an empty one is none.
    return means.assign(seeds=seeds, rendered=groups["rendered"].first(), note=groups["note"].max())


def _shares(by_claim: dict[str, pd.DataFrame]) -> Iterator[dict[str, object]]:
    """Rows that sum up the choices of each face set and network."""
    for claim, choices in by_claim.items():
        label, direction = CLAIMS[claim]
        for (dataset, network), rows in choices.groupby(["dataset", "network"], sort=False):
            common = {"dataset": dataset, "network": network, "claim": claim, "label": label}
            common |= {"rendered": rows["rendered"].iloc[0], "components": EVERY}
            for stages in (*rows["stages"].unique(), EVERY):
                among = rows if stages == EVERY else rows[rows["stages"] == stages]
                among = among[among["value"].notna()]
                for measure, share in _count(among, direction).items():
                    row = {**common, "stages": stages, "measure": measure, "value": share}
                    yield {**row, "choices": len(among)}


def _count(choices: pd.DataFrame, direction: str) -> dict[str, float]:
    """Shares of choices that agree with a direction; NaN if there is no choice."""
    agrees = choices["direction"] == direction
    is_clear = (choices["ci_low"] > 0) | (choices["ci_high"] < 0)
    shares = {AGREEING: agrees, CLEARLY: agrees & is_clear, OPPOSING: ~agrees & is_clear}
    return {measure: true.mean() for measure, true in shares.items()}

"""Seeds as a factor: measures of all instances of a network, compared with untrained ones.

Networks that differ only in their seed differ in what they represent (Mehrer et al. 2020,
doi:10.1038/s41467-020-19632-w). A trained network is therefore compared with several instances of
its architecture, as wide at the output, that are untrained or trained on shuffled labels.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence

import numpy as np
import pandas as pd
from scipy import stats

from facestages import tables
from facestages.analysis.grouped_regression import holm

#: ``stage`` of rows about the change from the first to the last stage.
CHANGE = "early to final"

#: Kinds of network, each compared with those before it.
KINDS = ("untrained", "shuffled labels", "trained")

WELCH = "Welch's t"
ONE_INSTANCE = "one instance and a sample, Crawford and Howell's t"

_COLUMNS = [
    *("dataset", "rendered", "network", "kind", "control", "control_kind", "stage", "layer"),
    *("label", "other", "label_source", "measure", "components"),
    *("instances", "control_instances"),
    *("value", "sd", "ci_low", "ci_high", "test", "t", "df", "p", "p_holm", "note"),
]
# Rows of one measurement, in any network, agree in these.
_MEASUREMENT = ["dataset", "stage", "layer", "label", "other", "measure", "components"]


def compare_instances(
    files: Sequence[str | os.PathLike], networks: Mapping[str, Mapping[str, object]]
) -> pd.DataFrame:
    """Means over the instances of each network, and differences from its controls.

    Parameters
    ----------
    files : sequence of path-like
        Tables of `analysis.separability.score_separability`, `analysis.decoding.decode_labels` and
        `analysis.subspace_scores.compare_subspaces`, of all seeds of the networks on one face set.
    networks : mapping
        By name: ``kind``, one of `KINDS`; ``architecture``; and ``width``, the number of units of
        the output, or None. Controls of a network are those of its architecture and width that
        come before it in `KINDS`. Another width would not do at the last stage: a random read-out
        of 3 units loses more of identity than one of 7. At other stages it does, where there is no
        control as wide.

    Returns
    -------
    pandas.DataFrame
        A row for each network x stage or layer x label x measure x number of components: mean
        ``value`` over its instances, their standard deviation ``sd``, and Student's interval of the
        mean; and a row for each of its controls with the difference from it, whose test is Welch's,
        or Crawford and Howell's (1998) of one instance beside a sample. Rows with the ``stage``
        `CHANGE` are of the change from the first to the last stage, instance by instance.
        ``p_holm`` is corrected over stages, layers, labels, networks and controls, separately for
        each measure and number of components. A value that cannot be measured is empty and has a
        note.
    """
    measured = pd.concat([_measured(tables.read_tables([path])) for path in files])
    measured = measured.groupby([*_MEASUREMENT, "network"], sort=False, as_index=False).agg(
        rendered=("rendered", "first"),
        label_source=("label_source", "first"),
        values=("value", list),
    )
    rows, by_network = [], {}
    for row in measured.to_dict("records"):
        key = tuple(row[name] for name in _MEASUREMENT)
        by_network.setdefault(key, {})[row["network"]] = row
    for compared in by_network.values():
        rows += _compare(compared, networks)
    table = pd.DataFrame(rows, columns=_COLUMNS)
    for _, tests in table[table["p"].notna()].groupby(["dataset", "measure", "components"]):
        table.loc[tests.index, "p_holm"] = holm(tests["p"])
    return table.astype({"instances": "Int64", "control_instances": "Int64"})


def _measured(table: pd.DataFrame) -> pd.DataFrame:
    """Rows of one instance with a value, and its changes from the first to the last stage."""
    table = table[table["value"].notna()]
    # Subspaces alone have two labels.
    table = table.assign(other=table["other"].fillna("") if "other" in table else "")
    keys = [name for name in _MEASUREMENT if name not in ("stage", "layer")]
    early, final = (
        table[table["stage"] == stage].drop_duplicates(keys).set_index(keys)
        for stage in ("early", "final")
    )
    change = final.loc[final.index.isin(early.index)].copy()
    change["value"] = change["value"] - early["value"].reindex(change.index)
    change = change.reset_index().assign(stage=CHANGE, layer="")
    return pd.concat([table, change], ignore_index=True)


def _compare(
    measured: Mapping[str, Mapping[str, object]], networks: Mapping[str, Mapping[str, object]]
) -> Iterator[dict[str, object]]:
    """Rows of each network, and of its difference from each of its controls, for one measure."""
    values = {name: np.array(row["values"]) for name, row in measured.items()}
    for name, row in measured.items():
        kind = networks[name]["kind"]
        row = {key: value for key, value in row.items() if key != "values"}
        row |= {"kind": kind, "instances": len(values[name])}
        yield {**row, **describe_instances(values[name])}
        for control in _controls(name, row["stage"], measured, networks):
            beside = {"control": control, "control_kind": networks[control]["kind"]}
            beside["control_instances"] = len(values[control])
            yield {**row, **beside, **compare_with_control(values[name], values[control])}


def _controls(
    name: str, stage: str, measured: Iterable[str], networks: Mapping[str, Mapping[str, object]]
) -> list[str]:
    """Controls of a network among those that were measured at a stage."""
    network = networks[name]
    controls = [
        other
        for other in measured
        if networks[other]["architecture"] == network["architecture"]
        and KINDS.index(networks[other]["kind"]) < KINDS.index(network["kind"])
    ]
    as_wide = [other for other in controls if networks[other].get("width") == network.get("width")]
    return as_wide if as_wide or stage in ("final", CHANGE) else controls


def describe_instances(values: np.ndarray) -> dict[str, object]:
    """Mean of values (instances,), their standard deviation, and Student's interval of the mean."""
    value = float(values.mean())
    if len(values) < 2:
        return {"value": value, "note": "one instance: no interval"}
    spread = float(values.std(ddof=1))
    reach = stats.t.ppf(0.975, len(values) - 1) * spread / np.sqrt(len(values))
    return {"value": value, "sd": spread, "ci_low": value - reach, "ci_high": value + reach}


def compare_with_control(values: np.ndarray, control: np.ndarray) -> dict[str, object]:
    """Difference of a network's instances from its control's.

    Several instances are compared by Welch's t-test. A single instance is taken as one more draw
    from the control with its n instances: the standard error of the difference is
    ``sqrt(1 + 1 / n)`` standard deviations of the control (Crawford and Howell 1998,
    doi:10.1076/clin.12.4.482.7241).

    Parameters
    ----------
    values, control : numpy.ndarray, shapes (instances,) and (n,)

    Returns
    -------
    dict
        ``value`` and its 95 % interval, ``test, t, df, p``; without a test a ``note``.
    """
    value = float(values.mean() - control.mean())
    if len(control) < 2:
        return {"value": value, "note": "the control has one instance: no test"}
    of_control = control.var(ddof=1) / len(control)
    if len(values) == 1:
        test, df = ONE_INSTANCE, len(control) - 1.0
        error = np.sqrt(of_control * (len(control) + 1))
    else:
        test, of_network = WELCH, values.var(ddof=1) / len(values)
        error = np.sqrt(of_network + of_control)
        parts = of_network**2 / (len(values) - 1) + of_control**2 / (len(control) - 1)
        df = (of_network + of_control) ** 2 / parts if parts else np.nan
    if not error:
        return {"value": value, "note": "no instance differs from another: no test"}
    t, reach = value / error, stats.t.ppf(0.975, df) * error
    estimate = {"value": value, "ci_low": value - reach, "ci_high": value + reach}
    return {**estimate, "test": test, "t": t, "df": df, "p": 2 * stats.t.sf(abs(t), df)}

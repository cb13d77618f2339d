"""Which labels face sets lack, and what figures cannot show without them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from facestages.errors import FacestagesError, did_you_mean
from facestages.face_tables import lacks_columns, meant_column

if TYPE_CHECKING:
    from facestages.config.figures import Figure
    from facestages.plan import Plan

_USUAL = ("identity", "expression")


def missing_labels(plan: Plan) -> list[str]:
    """For each face set that lacks labels of figures: a line with these, and what is blank.

    A figure none of whose face sets has any of its labels is refused instead.
    """
    blank: dict[tuple[str, str], list[str]] = {}
    for name in plan.drawable:
        figure, (section, _) = plan.config.drawing(name), name.split(".")
        uses = figure.uses()
        if section != "figures":
            continue
        has_reference = any(plan.at_hand("networks", uses.affect_from))
        parts = {} if has_reference else figure.PARTS
        for dataset in plan.at_hand("datasets", uses.datasets):
            for label in plan.face_sets.lacking(dataset, [*figure.labels_shown, *parts]):
                part = f" ({parts[label]})" if label in parts else ""
                blank.setdefault((dataset, label), []).append(f"{name}{part}")
    labels: dict[tuple[str, str], list[str]] = {}
    for (dataset, label), where in blank.items():
        labels.setdefault((dataset, ", ".join(where)), []).append(label)
    return [
        f"datasets.{dataset} has no {' and no '.join(names)}, so parts are blank of {where}"
        for (dataset, where), names in labels.items()
    ]


def require_labels(plan: Plan, where: str, figure: Figure) -> None:
    """Refuse a figure of labels that no face set has, or that lacks one by a column's name.

    Many face sets have one of the two usual labels alone. `where` is the section's key.

    Raises
    ------
    FacestagesError
        Naming the labels and the face sets.
    """
    shown, lines, found = figure.labels_shown, [], set()
    datasets = plan.at_hand("datasets", figure.uses().datasets)
    for name in datasets:
        have = plan.face_sets.labels_known(name)
        if have is None:
            found.update(shown)
            continue
        found.update(have)
        entry = plan.config.datasets[name]
        lacking = [label for label in shown if label not in have]
        if entry.source == "table":
            meant = [label for label in lacking if meant_column(label, have)]
            if meant:
                raise FacestagesError(
                    f"config: {where} shows {' and '.join(meant)}, and datasets.{name}.table = "
                    f"'{entry.table}' {lacks_columns(meant, have)}"
                )
            if entry.norms:
                # Norms may hold other labels than these.
                lacking = [label for label in lacking if label in _USUAL]
                found.update(shown)
        if lacking and len(lacking) == len(shown):
            lines.append(f"datasets.{name} has {', '.join(have)}")
    if lines and len(lines) == len(datasets):
        raise FacestagesError(
            f"config: {where} shows {' and '.join(shown)}, which its face sets lack: "
            f"{'; '.join(lines)}. Add the label, or take another face set"
        )
    for label in shown:
        if label not in (*_USUAL, *found) and datasets:
            raise FacestagesError(
                f"config: {where} shows {label}, which none of its face sets has; "
                f"{did_you_mean(label, found)}"
            )

"""Which labels face sets lack, and what figures cannot show without them."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from facestages.plan import Plan


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
        has_reference = any(plan.at_hand("networks", uses.references))
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

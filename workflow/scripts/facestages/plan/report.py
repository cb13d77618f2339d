"""What the report of a run is made from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from facestages.plan import Plan

# Files of a figure, by kind.
_FORMS = {
    "svg": "figure_svg",
    "png": "figure_png",
    "pdf": "figure",
    "numbers": "figure_numbers",
    "caption": "figure_caption",
}


class ReportPlan(NamedTuple):
    """Files that the report shows."""

    #: By figure: its files by kind.
    figures: dict[str, dict[str, str]]
    #: By table: its ``page`` and its ``numbers``.
    tables: dict[str, dict[str, str]]
    #: By face set: its contact sheet.
    sheets: dict[str, str]

    @property
    def files(self) -> list[str]:
        """All of these files."""
        exhibits = [*self.figures.values(), *self.tables.values()]
        return [*(path for forms in exhibits for path in forms.values()), *self.sheets.values()]


@cache
def plan_report(plan: Plan) -> ReportPlan:
    """The figures and tables that can be made here, and the face sets that are at hand."""
    made = [name.split(".") for name in plan.drawable]
    figures = {name: _forms(plan, name) for folder, name in made if folder == "figures"}
    tables = [name for folder, name in made if folder == "tables"]
    tables += ["gradcam"] * ("fig2" in figures)
    return ReportPlan(
        figures,
        {
            name: {
                "page": plan.path("table_page", table=name),
                "numbers": plan.path("table", table=name),
            }
            for name in tables
        },
        {
            name: plan.path("contact_sheet", dataset=name)
            for name in plan.at_hand("datasets", plan.config.datasets)
        },
    )


def exhibits(
    plan: Plan, plots: Mapping[str, Sequence], tables: Mapping[str, Sequence]
) -> list[dict[str, str]]:
    """Figures and tables of the report, in the order of the studies, with their files.

    `plots` has each figure's study, title and message, and `tables` each table's study, label and
    title; the order of the studies is that of `plots`.
    """
    planned, shown = plan_report(plan), []
    for group in dict.fromkeys(category for category, *_ in plots.values()):
        for name, forms in planned.figures.items():
            category, title, message, *_ = plots[name]
            is_numbered = message.startswith("Figure ")
            words = (message, title.partition(": ")[2]) if is_numbered else (title, "")
            if category == group:
                shown.append(dict(name=name, group=group, label=words[0], title=words[1], **forms))
        for name, forms in planned.tables.items():
            category, label, title = tables[name]
            if category == group:
                shown.append(dict(name=name, group=group, label=label, title=title, **forms))
    return shown


def _forms(plan: Plan, figure: str) -> dict[str, str]:
    forms = {form: plan.path(product, figure=figure) for form, product in _FORMS.items()}
    if figure == "fig1":
        # Its numbers are a list of layers.
        forms["numbers"] = plan.path("fig1_table")
    return forms


def assets(plan: Plan) -> dict[str, dict[str, object]]:
    """Entries of the manifest of all that the run takes from outside."""
    networks = plan.at_hand("networks", plan.config.networks)
    datasets = plan.at_hand("datasets", plan.config.datasets)
    names = [plan.networks.asset(name) for name in networks]
    names += [plan.face_sets.kind(name).asset for name in datasets]
    names += [plan.face_sets.detector_asset(name) for name in datasets]
    told = ("description", "source", "licence", "citation", "sha256")
    return {
        name: {key: plan.manifest[name][key] for key in told}
        for name in dict.fromkeys(filter(None, names))
    }

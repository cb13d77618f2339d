"""Labels of DISFA's frames: people, action units, and the expressions that follow from these."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd

from facestages.action_units import DISFA_UNITS, count_labels, label_expressions
from facestages.disfa_files import read_subject_list
from facestages.stimuli.disfa_labels import read_action_units
from facestages.stimuli.labels import Labels


def list_labels(entry: Mapping, facts: pd.DataFrame) -> Labels:
    """``identity``, ``sex``, ``expression``, ``frame`` (from 1), ``au_01`` to ``au_26``.

    See `stimuli.labels.label_pictures`. The sex is "" where ``entry["subject_list"]`` is not given.
    ``report`` counts the expressions of each person, in all frames of the video and in the chosen
    ones, at thresholds 1, 2 and 3.
    """
    sexes = read_subject_list(entry["subject_list"]) if entry["subject_list"] else {}
    people = list_people(entry, facts)
    frames = pd.Series([int(name.partition("/")[2]) for name in facts["stimulus_id"]])
    rules, parts, report = entry["action_units"], [], {}
    for person, chosen in frames.groupby(people, sort=False):
        units = read_action_units(entry["path"], person)
        shown = units.loc[chosen]
        part = pd.DataFrame({"identity": person, "sex": sexes.get(person, "")}, index=shown.index)
        part["expression"] = label_expressions(
            shown, DISFA_UNITS, rules["rules"], rules["threshold"]
        )
        part["frame"] = shown.index
        for unit in DISFA_UNITS:
            part[f"au_{unit:02d}"] = shown[unit].astype(float)
        parts.append(part.set_index(chosen.index))
        report[person] = {
            "counts_by_threshold": count_labels(units, DISFA_UNITS, rules["rules"]),
            "chosen_counts_by_threshold": count_labels(shown, DISFA_UNITS, rules["rules"]),
        }
    labels = pd.concat(parts).sort_index()
    sources = dict.fromkeys(("identity", "sex", "frame"), "file")
    sources |= {"expression": rules["version"]}
    sources |= {f"au_{unit:02d}": "human" for unit in DISFA_UNITS}
    return Labels(labels, {name: sources[name] for name in labels}, {"subjects": report})


def list_people(entry: Mapping, facts: pd.DataFrame) -> list[str]:
    """The person of each picture; see `stimuli.labels.list_people`."""
    return [name.partition("/")[0] for name in facts["stimulus_id"]]

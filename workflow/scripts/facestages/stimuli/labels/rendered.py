"""Labels of rendered faces: whom they show, what is acted, and what that is declared to mean."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd

from facestages.stimuli.labels import Labels
from facestages.stimuli.render.shapes import action_units

#: Declared valence and arousal of each expression at intensity 1, both in [-1, 1]. They follow
#: the usual layout of the circumplex of affect; nobody rated these faces.
CIRCUMPLEX: dict[str, tuple[float, float]] = {
    "angry": (-0.6, 0.7),
    "disgust": (-0.65, 0.35),
    "fear": (-0.6, 0.8),
    "happy": (0.8, 0.5),
    "sad": (-0.65, -0.4),
    "surprise": (0.2, 0.8),
    "neutral": (0.0, 0.0),
}

_DECLARED = "rendered: declared circumplex position, not a human rating"
_AFFECT = ("valence", "arousal")


def list_labels(entry: Mapping, facts: pd.DataFrame) -> Labels:
    """Labels of the faces that `stimuli.rendered` drew; see `stimuli.labels.label_pictures`.

    ``valence`` and ``arousal`` are those of the acted expression at its intensity, within [-1, 1].
    Action units, ``au_*``, follow from the shapes. The rest is as the faces were drawn.
    """
    shapes = [name for name in facts if name.startswith("shape_")]
    drawn = facts.drop(columns=["stimulus_id", "acted", *shapes])
    affect = pd.DataFrame([CIRCUMPLEX[name] for name in facts["acted"]], columns=_AFFECT)
    affect = affect.mul(facts["intensity"], axis=0).clip(-1.0, 1.0)
    coefficients = facts[shapes].rename(columns=lambda name: name.removeprefix("shape_"))
    units = pd.DataFrame(map(action_units, coefficients.to_dict("records")))
    units = units.rename(columns=lambda unit: f"au_{unit:02d}")
    labels = pd.concat([drawn, affect, facts[shapes], units], axis=1)
    return Labels(labels, dict.fromkeys(labels, "rendered") | dict.fromkeys(_AFFECT, _DECLARED))


def list_people(entry: Mapping, facts: pd.DataFrame) -> list[str]:
    """The person of each picture; see `stimuli.labels.list_people`."""
    return list(facts["identity"])

"""Labels of KDEF: the letters of a picture's name."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd

from facestages.stimuli.kdef import CODES, STEM
from facestages.stimuli.labels import Labels
from facestages.stimuli.labels.norms import add_norms

_SEXES = {"F": "female", "M": "male"}
_EXPRESSIONS = ("fear", "angry", "disgust", "happy", "neutral", "sad", "surprise")
_EXPRESSION_OF = dict(zip(CODES, _EXPRESSIONS, strict=True))


def list_labels(entry: Mapping, facts: pd.DataFrame) -> Labels:
    """``identity`` (sex letter and number, ``F01``), ``sex``, ``expression``, ``session``,
    ``angle``, and norms; see `stimuli.labels.label_pictures`."""
    rows = []
    for stem in facts["stimulus_id"]:
        session, sex, number, code, angle = STEM.fullmatch(stem).groups()
        rows.append(
            {
                "identity": sex + number,
                "sex": _SEXES[sex],
                "expression": _EXPRESSION_OF[code],
                "session": session,
                "angle": angle,
            }
        )
    labels = pd.DataFrame(rows)
    own = Labels(labels, dict.fromkeys(labels, "file") | {"expression": "posed"})
    return add_norms(own, facts, entry["norms"])


def list_people(entry: Mapping, facts: pd.DataFrame) -> list[str]:
    """The person of each picture; see `stimuli.labels.list_people`."""
    return ["".join(STEM.fullmatch(name).group(2, 3)) for name in facts["stimulus_id"]]

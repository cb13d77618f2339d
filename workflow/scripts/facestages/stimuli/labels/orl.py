"""Labels of ORL: the person is the first part of a picture's name."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd

from facestages.stimuli.labels import Labels


def list_labels(entry: Mapping, facts: pd.DataFrame) -> Labels:
    """``identity`` (``s01``); see `stimuli.labels.label_pictures`."""
    people = [stimulus_id.partition("/")[0] for stimulus_id in facts["stimulus_id"]]
    return Labels(pd.DataFrame({"identity": people}), {"identity": "file"})

"""Labels of ORL: the person is the first part of a picture's name."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd

from facestages.stimuli.labels import Labels


def list_labels(entry: Mapping, facts: pd.DataFrame) -> Labels:
    """``identity`` (``s01``); see `stimuli.labels.label_pictures`."""
    return Labels(pd.DataFrame({"identity": list_people(entry, facts)}), {"identity": "file"})


def list_people(entry: Mapping, facts: pd.DataFrame) -> list[str]:
    """The person of each picture; see `stimuli.labels.list_people`."""
    return [name.partition("/")[0] for name in facts["stimulus_id"]]

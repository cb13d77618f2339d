"""Labels of ORL: the person."""

import pandas as pd

from facestages.stimuli.labels.orl import list_labels


def test_the_person_is_the_first_part_of_the_name():
    table, sources, _ = list_labels({}, pd.DataFrame({"stimulus_id": ["s01/10", "s40/01"]}))
    assert table.to_dict("list") == {"identity": ["s01", "s40"]} and sources == {"identity": "file"}

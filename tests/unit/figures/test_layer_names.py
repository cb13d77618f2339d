"""Names of layers below a panel: stages always, others where there is room."""

import pandas as pd

from facestages.figures import layer_names


def layers(count, stages):
    names = [f"layer_{number}" for number in range(count)]
    stage = [stages.get(number, "") for number in range(count)]
    return pd.DataFrame({"position": range(count), "layer": names, "stage": stage})


def test_few_layers_all_have_their_names_below_them():
    places = layer_names.place_names(layers(8, {0: "early", 7: "final"}), 40)
    assert places == {number: number for number in range(8)}


def test_of_many_layers_all_stages_are_named_and_no_names_touch():
    stages = {0: "early", 20: "middle", 38: "penultimate", 39: "final"}
    places = layer_names.place_names(layers(40, stages), 40)
    assert set(stages) < set(places)
    in_order = [places[number] for number in sorted(places)]
    # In positions: 40 layers on 40 millimetres.
    gaps = [right - left for left, right in zip(in_order, in_order[1:], strict=False)]
    assert min(gaps) >= layer_names._PITCH - 1e-9
    assert abs(places[38] - 38) < layer_names._PITCH


def test_a_position_is_named_by_the_layers_around_it():
    table = layers(4, {})
    assert layer_names.place_in_words(2.0, table) == "at layer_2"
    assert layer_names.place_in_words(1.4, table) == "between layer_1 and layer_2"

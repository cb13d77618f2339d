"""Layer curves: what is drawn is what the tables say, less chance."""

import numpy as np
import pandas as pd
import pytest

from facestages.errors import FacestagesError
from facestages.figures import layers

NAMES = ["first", "second", "third"]
COMMON = {"dataset": "faces", "rendered": 1, "label_source": "posed", "n": 90, "note": ""}
SETTINGS = {
    "dataset": "Faces",
    "networks": {"net": "Net", "other": "Other"},
    "components": 10,
    "measure": "silhouette_centred",
}


def rows(label, measure, values, network="net", seed=0, components="10", **more):
    stages = dict(zip(NAMES, ["early", "", "final"], strict=True))
    return [
        {
            **COMMON,
            **more,
            "network": network,
            "seed": seed,
            "layer": layer,
            "stage": stages[layer],
            "label": label,
            "measure": measure,
            "components": components,
            "value": value,
            "ci_low": value - 0.1,
            "ci_high": value + 0.1,
        }
        for layer, value in zip(NAMES, values, strict=True)
    ]


@pytest.fixture
def scores():
    silhouettes, read, alike = [], [], []
    for network, seeds in (("net", [0]), ("other", [0, 1])):
        for seed in seeds:
            where = {"network": network, "seed": seed}
            silhouettes += rows("identity", "silhouette_centred", [0.5, 0.3, 0.1], **where)
            silhouettes += rows("expression", "silhouette_centred", [0, 0.1, 0.4 + seed], **where)
            silhouettes += rows("expression", "silhouette", [0.9, 0.9, 0.9], **where)
            read += rows("expression", "balanced_accuracy", [0.25, 0.5, 1], chance=0.25, **where)
            read += rows("valence", "r2_held_out", [0, 0.2, 0.6], chance=np.nan, **where)
            models = {"null_mean": -0.1, "components": "all", **where}
            alike += rows("identity", "share_of_ceiling_within", [0.3, 0.2, 0], **models)
    silhouettes.append(
        {
            **COMMON,
            "network": "net",
            "seed": 0,
            "layer": "",
            "stage": "",
            "label": "expression over identity",
            "measure": "silhouette_centred_overtaking",
            "components": "10",
            "value": 1.4,
            "ci_low": 1.2,
            "ci_high": np.nan,
        }
    )
    tables = {"separability": silhouettes, "decoding": read, "rsa": alike}
    return {name: pd.DataFrame(table) for name, table in tables.items()}


def curve(numbers, **where):
    for column, value in where.items():
        numbers = numbers[numbers[column] == value]
    return numbers.sort_values("position")["value"].tolist()


def test_curves_are_the_tables_less_chance(scores):
    figure, numbers, _, caption = layers.draw(**scores, **SETTINGS)
    where = {"network": "net", "panel": "decoding"}
    assert curve(numbers, label="expression", **where) == pytest.approx([0, 1 / 3, 1])
    assert curve(numbers, label="valence", **where) == pytest.approx([0, 0.2, 0.6])
    rsa = {"network": "net", "panel": "rsa"}
    assert curve(numbers, label="identity", **rsa) == pytest.approx([0.4, 0.3, 0.1])
    assert set(numbers[numbers["panel"] == "separability"]["measure"]) == {"silhouette_centred"}
    assert figure.get_axes()[0].get_lines()[1].get_ydata() == pytest.approx([0.5, 0.3, 0.1])
    chance = scores["separability"].assign(null_mean=-0.2)
    numbers = layers.draw(**{**scores, "separability": chance}, **SETTINGS)[1]
    where = {"network": "net", "panel": "separability", "label": "identity"}
    assert curve(numbers, **where) == pytest.approx([0.7, 0.5, 0.3])
    assert "RENDERED" in caption and "Seeds: Net 1, Other 2" in caption


def test_seeds_are_averaged_with_the_widest_interval(scores):
    numbers = layers.draw(**scores, **SETTINGS)[1]
    rows = numbers[(numbers["network"] == "other") & (numbers["label"] == "expression")]
    rows = rows[(rows["panel"] == "separability") & (rows["layer"] == "third")].iloc[0]
    assert (rows["value"], rows["ci_low"], rows["ci_high"]) == pytest.approx((0.9, 0.3, 1.5))


def test_a_sample_is_named_as_one(scores):
    sample = {"pictures_of": 60.0, "sampled": "every 4th of each person"}
    sampled = {**scores, "separability": scores["separability"].assign(**sample)}
    caption = layers.draw(**sampled, **SETTINGS).caption
    assert caption.endswith(" of 60 (every 4th of each person).")


def test_where_expression_overtakes_identity_is_said(scores):
    _, _, title, caption = layers.draw(**scores, **SETTINGS)
    assert title == "Expression overtakes identity in Net between second and third; not in Other"
    where = "(interval: from between second and third to never)"
    assert f"Net between second and third {where}." in caption and "Other between" not in caption


def test_a_layer_of_two_stages_is_one_point(scores):
    again = scores["separability"].assign(stage="penultimate")
    both = {**scores, "separability": pd.concat([scores["separability"], again])}
    assert len(layers.draw(**both, **SETTINGS)[1]) == len(layers.draw(**scores, **SETTINGS)[1])


def test_nothing_to_draw_is_refused(scores):
    only = {**scores, "decoding": scores["decoding"][:0], "rsa": scores["rsa"][:0]}
    with pytest.raises(FacestagesError, match="nothing to draw: no silhouette_within"):
        layers.draw(**only, **{**SETTINGS, "measure": "silhouette_within"})


def test_without_the_other_label_plain_silhouettes_are_drawn(scores):
    table = scores["separability"]
    centred = table["measure"] == "silhouette_centred"
    plain = table[centred].assign(measure="silhouette")
    table = pd.concat([table.assign(value=table["value"].mask(centred)), plain])
    numbers = layers.draw(**{**scores, "separability": table}, **SETTINGS).numbers
    drawn = numbers[numbers["panel"] == "separability"]
    assert set(drawn["measure"]) == {"silhouette"} and drawn["value"].notna().all()

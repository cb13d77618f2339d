"""Figure 10: panels by the kinds of references, the numbers drawn, and what its words say."""

import numpy as np
import pandas as pd
import pytest

import text_boxes
from facestages.columns import describe_tables
from facestages.errors import FacestagesError
from facestages.figures import fig10, page

STAGES = ("early", "middle", "penultimate", "final")
NETWORKS = {"nn2": "NN2 (7 expressions)", "un": "NN3 (untrained)"}
TIMES = np.arange(-50, 301, 50.0)
OF_LAYERS = [*describe_tables()["reference_layers"].columns]
OF_NETWORKS = [*describe_tables()["reference_networks"].columns]
OF_RATERS = [*describe_tables()["reference_raters"].columns]
SIMULATED = "SIMULATED observers, no people"
PARTS = ("identity", "affect", "category")


def row(reference, measure, value, label="", **columns):
    """A row of either table, with an interval of .1 to each side."""
    known = {
        **{"dataset": "posed", "rendered": 0, "reference": reference, "simulated": 0},
        **{"measure": measure, "label": label, "value": value, "raters": 20, "people": 25},
        **{"ci_low": value - 0.1, "ci_high": value + 0.1, "n": 300, "note": "", "time": np.nan},
    }
    return known | columns


def by_layer(reference, measure, label="", start=0.1, **columns):
    """Rows of a measure that rises by .1 a stage, and by .02 a seed; with a layer of no stage."""
    places = [("early", "a"), ("", "b"), ("middle", "c"), ("penultimate", "d"), ("final", "e")]
    return [
        row(reference, measure, start + number / 10 + seed / 50, label, **columns)
        | {"network": network, "seed": seed, "stage": stage, "layer": layer}
        for network, seeds in (("nn2", 1), ("un", 3))
        for seed in range(seeds)
        for number, (stage, layer) in enumerate(places)
    ]


def of_network(reference, measure, value, network="nn2", label="", **columns):
    about = {"network": network, "seed": 0, "stage": "", "layer": ""}
    return row(reference, measure, value, label, **columns) | about


def pairs(name="judged", **columns):
    ends = {"ceiling_low": 0.4, "ceiling_high": 0.5}
    shares = {"ceiling_low": 0.8, "ceiling_high": 1.0}
    layers = by_layer(name, "rho_a", start=0.05, **ends)
    layers += by_layer(name, "share_of_ceiling", **shares)
    raters = [row(name, "ceiling", 0.45)]
    for part in PARTS:
        layers += by_layer(name, "weight", part, start=0.3)
        raters.append(row(name, "weight", 1 / 3, part, label_source="file"))
    layers += by_layer(name, "unique", "all")
    raters.append(row(name, "unique", 0.8, "all"))
    return tables([{**one, **columns} for one in layers], [{**one, **columns} for one in raters])


def times(name="meg"):
    layers, raters = [], []
    for number, at in enumerate(TIMES):
        layers += by_layer(name, "rho_a", start=0.05 * number, time=at)
        raters += [row(name, "coefficient", 0.1 * number, part, time=at) for part in PARTS]
    layers += by_layer(name, "peak", start=150)
    layers += [of_network(name, "peak_slope", 12.0), of_network(name, "order_agreement", 1.0)]
    layers += [
        of_network(name, "peak_slope", np.nan, "un", note="too few"),
        of_network(name, "order_agreement", np.nan, "un", note=f"{SIMULATED}; no clear peak"),
    ]
    raters += [row(name, "peak", 100.0 + 50 * number, part) for number, part in enumerate(PARTS)]
    return tables(layers, raters)


def ratings(name="rated", scales=("valence",)):
    ends = {"ceiling_low": 0.7, "ceiling_high": 0.8}
    layers = [
        one
        for scale in scales
        for one in (
            *by_layer(name, "r_held_out", scale, **ends),
            *by_layer(name, "r_held_out_within", scale, start=0, ceiling_low=0, ceiling_high=0.3),
        )
    ]
    return tables(layers, [row(name, "agreement", 0.7, scale) for scale in scales])


def triplets(name="odd"):
    ends = {"ceiling_low": 0.3, "ceiling_high": 0.4}
    raters = [row(name, "agreement", 0.3), row(name, "accuracy", 0.2, "affect")]
    return tables(by_layer(name, "accuracy", **ends), raters)


def confusions(name="named"):
    silent = {"note": "the network names no expressions", "ci_low": np.nan, "ci_high": np.nan}
    return tables(
        [
            of_network(name, "r_off_diagonal", 0.5, label="expression"),
            of_network(name, "r_off_diagonal", np.nan, "un", "expression", **silent),
        ],
        [row(name, "recall", 0.8, "happy")],
    )


ALL = {"judged": pairs, "meg": times, "rated": ratings, "odd": triplets, "named": confusions}


def tables(layers, raters):
    raters = pd.DataFrame(raters).reindex(columns=OF_RATERS)
    raters["label_source"] = raters["label_source"].fillna("")
    return pd.DataFrame(layers).reindex(columns=OF_LAYERS), raters


def nearer(reference, value, p, p_holm, stage="penultimate", network="nn2", other="un"):
    """Both rows of two networks, as `compare_networks` has them."""
    pairs = ((network, other, value), (other, network, -value))
    return [
        row(reference, "rho_a_difference", difference, p=p, p_holm=p_holm)
        | {"network": one, "other": subtracted, "stage": stage}
        for one, subtracted, difference in pairs
    ]


def draw(*given, differences=(), **settings):
    """Draw tables of references, which are named as they are."""
    layers, raters = (pd.concat(parts, ignore_index=True) for parts in zip(*given, strict=True))
    names = dict.fromkeys([*layers["reference"], *raters["reference"]])
    references = {name: {"label": f"People, {name}", "cite": f"A lab, {name}"} for name in names}
    about = {
        **{"dataset": "Portraits", "networks": NETWORKS, "looks": {"nn2": 0, "un": "untrained"}},
        "references": references,
    }
    differences = pd.DataFrame(differences).reindex(columns=OF_NETWORKS)
    return fig10.draw(layers, raters, differences, **(about | settings))


def panels(figure):
    return [axis for axis in figure.axes if axis.get_title(loc="left")]


def titles(figure):
    return [" ".join(axis.get_title(loc="left").split()) for axis in panels(figure)]


def test_panels_by_kind_and_the_numbers_drawn():
    figure, numbers, title, caption = draw(*(make() for make in ALL.values()))
    assert [one.split(" ", 1)[1].split(":")[0] for one in titles(figure)] == [
        *("People, judged", "weights in raters and NN2 (7 expressions)"),
        *("People, meg", "order in time and in depth", "People, rated"),
        *("People, odd", "People, named"),
    ]
    assert list(numbers["panel"].unique()) == [*"abcdefg"]
    depth = numbers[(numbers["panel"] == "a") & (numbers["network"] == "un")]
    np.testing.assert_allclose(depth["depth"], [0, 0.25, 0.5, 0.75, 1])
    np.testing.assert_allclose(depth["value"], [0.12, 0.22, 0.32, 0.42, 0.52])
    np.testing.assert_allclose(depth["low"], [0.1, 0.2, 0.3, 0.4, 0.5])
    np.testing.assert_allclose(depth["ci_high"], [0.24, 0.34, 0.44, 0.54, 0.64])
    assert set(depth["ceiling_low"]) == {0.8} and set(depth["seeds"]) == {3}
    # Judgements first, then the stages of the first network; a layer of no stage has no bars.
    mixed = numbers[(numbers["panel"] == "b") & (numbers["measure"] == "weight")]
    assert set(mixed["network"]) == {"", "nn2"} and len(mixed) == 3 * (1 + 4)
    assert "nearest is the final stage of NN3 (untrained) (0.52 of the ceiling)" in title
    assert "deeper layers of NN2 (7 expressions) peak later (12.00" in title
    for name in ALL:
        assert f"A lab, {name}." in caption
    assert "People, judged (a, b): 20 raters, 25 people, 300 pairs of pictures;" in caption
    assert "NN3 (untrained) none (no clear peak)" in caption
    words = "No value beside People, named: NN3 (untrained) (the network names no expressions)."
    assert words in caption
    assert "Seeds: NN2 (7 expressions) 1, NN3 (untrained) 3." in caption


def test_what_the_numbers_are_is_told():
    numbers = draw(*(make() for make in ALL.values())).numbers
    assert set(numbers) <= set(describe_tables()["figure_numbers"].columns)
    of_networks = numbers["network"] != ""
    kinds = (of_networks, "reference_layers"), (~of_networks, "reference_raters")
    for rows, kind in kinds:
        told = {one for names in describe_tables()[kind].measures for one in names.split(", ")}
        assert set(numbers.loc[rows, "measure"]) <= told


@pytest.mark.parametrize("name", ALL)
def test_one_reference_fills_the_page(name):
    figure = draw(ALL[name]()).figure
    assert not text_boxes.text_faults(figure)
    right = max(axis.get_position().x1 for axis in panels(figure))
    # A bar of colours stands beside moments.
    assert right > 0.93 and min(axis.get_position().x0 for axis in panels(figure)) < 0.25


def test_six_references():
    given = [make(f"{name}{number}") for number in (1, 2) for name, make in [*ALL.items()][:3]]
    figure, numbers, _, _ = draw(*given)
    assert len(panels(figure)) == 2 * (2 + 2) + 2 and numbers["reference"].nunique() == 6
    assert not text_boxes.text_faults(figure)


def test_what_follows_from_simulated_observers_says_so_below_the_figure():
    simulated = pairs("sim", simulated=1, rendered=1, note=SIMULATED)
    raters = simulated[1]
    raters["label_source"] = "rendered: declared circumplex position, not a human rating"
    figure, numbers, _, _ = draw(simulated)
    (below,) = figure.texts
    words = " ".join(below.get_text().split())
    assert words.startswith("SIMULATED observers, no people: People, sim (a, b).")
    assert page.RENDERED in words and "DECLARED" in words
    assert set(numbers["simulated"]) == {1}
    assert not draw(pairs()).figure.texts


def test_scales_of_ratings():
    three = draw(ratings(scales=["valence", "arousal", "fear", "trust", "disgust"]))
    assert titles(three.figure) == ["a People, rated: valence", "b arousal", "c fear"]
    assert "People, rated has further scales: trust, disgust." in three.caption
    assert set(three.numbers["label"]) == {"valence", "arousal", "fear"}
    (axis,) = panels(draw(ratings()).figure)
    dashes = [line.get_linestyle() for line in axis.lines if len(line.get_xdata()) == 4]
    # Solid across categories, for both networks, and dashed within.
    assert dashes == ["-", "-", "--", "--"]


def test_a_reference_of_which_nothing_is_measured_has_words_in_its_place():
    layers, raters = pairs("none")
    layers[["value", "ci_low", "ci_high"]] = np.nan
    layers["note"] = "this layer is the same for all"
    figure, _, title, caption = draw((layers, raters[:0]), triplets())
    blank = [axis for axis in panels(figure) if not axis.axison]
    assert len(blank) == 2 and "the same for all" in blank[0].texts[0].get_text()
    assert "nearest" not in title and "agrees best" in title
    assert "No value beside People, none: NN2 (7 expressions) (this layer is" in caption


def test_a_reference_without_rows_has_words_in_its_place():
    layers, raters = triplets()
    references = {name: {"label": name, "cite": "A lab"} for name in ("odd", "gone")}
    figure = draw((layers, raters), references=references).figure
    assert sum(not axis.axison for axis in panels(figure)) == 2


def test_without_peaks_there_is_no_order():
    layers, raters = times()
    of_peaks = layers["measure"].isin(["peak", "peak_slope", "order_agreement"])
    layers.loc[of_peaks, ["value", "ci_low", "ci_high"]] = np.nan
    layers.loc[of_peaks, "note"] = "no clear peak"
    raters.loc[raters["measure"] == "peak", "value"] = np.nan
    figure, _, title, _ = draw((layers, raters))
    words = titles(figure)
    assert words[0].endswith("no clear peak") and words[1].endswith("no clear peak")
    assert title == "Layers beside judgements and recordings"


def test_weights_that_the_axis_does_not_reach_are_told():
    layers, raters = pairs()
    layers.loc[layers["measure"] == "weight", "ci_high"] = 7.0
    figure, _, _, caption = draw((layers, raters))
    assert "Weights are drawn from −1 to 2." in caption
    assert panels(figure)[1].get_xlim()[1] == 2
    assert "Weights are drawn" not in draw(pairs()).caption


def test_one_rater_has_no_lower_ceiling():
    layers, raters = pairs()
    layers["ceiling_low"] = np.nan
    (axis, _) = panels(draw((layers, raters)).figure)
    # Zero, the ceiling, and that of unlimited raters; no band.
    flat = [line.get_ydata()[0] for line in axis.lines if len(set(line.get_ydata())) == 1]
    np.testing.assert_allclose(flat[:3], [0, 1.0, 0.45 / 0.5])
    assert not axis.patches


def test_nothing_to_draw_is_an_error():
    layers, raters = pairs()
    with pytest.raises(FacestagesError, match="Figure 10 has nothing to draw"):
        draw((layers.assign(value=np.nan), raters.assign(value=np.nan)))


def test_networks_are_compared_by_their_difference():
    three = NETWORKS | {"vgg": "VGG16"}
    rows = nearer("judged", 0.3, 0.01, 0.03) + nearer("judged", 0.2, 0.02, 0.04, other="vgg")
    rows += nearer("judged", 0.1, 0.5, 0.5, network="vgg")
    rows += nearer("judged", 0.4, 0.001, 0.001, stage="early")
    caption = draw(pairs(), differences=rows, networks=three).caption.replace("\u00a0", " ")
    expected = "on People, judged, penultimate stage, Holm's p < 0.05 over 3 pairs: nearer are NN2"
    assert f"{expected} (7 expressions) than NN3 (untrained) (0.30 [0.20, 0.40])" in caption
    assert "than VGG16 (0.20" in caption and "VGG16 than" not in caption
    rows = nearer("judged", 0.3, 0.03, 0.06) + nearer("judged", 0.2, 0.03, 0.06, other="vgg")
    caption = draw(pairs(), differences=rows, networks=three).caption
    assert "over 2 pairs: none is nearer." in caption
    rows = nearer("judged", 0.3, np.nan, np.nan)
    assert "beside each other" not in draw(pairs(), differences=rows, networks=three).caption


def test_what_intervals_are_over_is_said():
    assert "over raters alone" not in draw(pairs()).caption
    alone = "SIMULATED; few people, so the interval is over raters alone"
    assert "People, judged: few people, so the interval is over raters alone." in (
        draw(pairs(note=alone)).caption
    )

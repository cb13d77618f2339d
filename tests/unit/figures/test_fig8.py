"""Figure 8: its numbers, and what it says where something lacks."""

import numpy as np
import pandas as pd
import pytest

from facestages import tables
from facestages.errors import FacestagesError
from facestages.figures import fig8, style
from facestages.stimuli import StimulusSet, write_stimuli

EXPRESSIONS = ["angry", "happy", "neutral"]
NETWORKS = {"net": "Net", "control": "Control"}
SOURCE = "rendered: declared position"


@pytest.fixture
def shares(tmp_path):
    """Shares of two networks, one with two seeds, as `partition_variance` writes them."""
    rows = []
    for network, seeds in (("net", [0]), ("control", [0, 1])):
        for seed in seeds:
            common = {"dataset": "faces", "rendered": 1, "network": network, "seed": seed}
            common |= {"label_source": SOURCE, "components": 10, "n": 12, "note": ""}
            for position, layer in enumerate(["conv", "dense"]):
                values = {"identity": 0.6, "affect": 0.1 * position, "category": 0.2 * position}
                values["rest"] = 1 - sum(values.values())
                values |= {"affect_beyond_category": 0.02 * position, "shared": 0.08 * position}
                values["category_alone"] = 0.28 * position
                where = {"stage": "early" if position == 0 else "", "layer": layer}
                for label, value in values.items():
                    row = {**common, **where, "position": position, "label": label}
                    row |= {"measure": "share", "value": value + seed / 100}
                    rows.append(row | {"ci_low": value - 0.05, "ci_high": value + 0.05})
                planes = {"measure": "affect_beside_planes", "label": "affect", "value": 0.02}
                planes |= {"null_low": 0.01, "null_high": 0.05 + seed / 10, "position": position}
                rows.append({**common, **where, **planes, "p": 0.1})
            places = {"identity": 0, "affect": 0.5, "category": 0.6, "category_alone": 0.55}
            for label, place in places.items():
                rise = {"measure": "half_maximum", "label": label, "value": place}
                rows.append({**common, **rise, "ci_low": place - 0.1, "ci_high": place + 0.1})
            order = {"measure": "order_beside_planes", "label": "category after affect"}
            order |= {"value": 0.4, "ci_low": -0.1, "ci_high": 0.8, "p": 0.03 + seed}
            rows.append({**common, **order, "n": 5040})
    path = tmp_path / "shares.csv"
    tables.write_table(path, pd.DataFrame(rows))
    return tables.read_tables([path])


@pytest.fixture
def files(tmp_path):
    """A face set of twelve pictures and a network's answers, right but for one."""

    def write(**changes):
        labels = pd.DataFrame({"stimulus_id": [f"p/{n}" for n in range(12)]})
        labels = labels.assign(**{"expression": EXPRESSIONS * 4, **changes})
        sources = dict.fromkeys(labels.columns.drop("stimulus_id"), "rendered")
        images = np.zeros((12, 2, 2), np.uint8)
        write_stimuli(tmp_path / "faces.h5", StimulusSet(images, labels, sources), "faces")
        answers = pd.DataFrame(
            {"stimulus_id": labels["stimulus_id"], "expression": EXPRESSIONS * 4}
        )
        answers.loc[0, "expression"] = "happy"
        tables.write_table(tmp_path / "net.csv", answers.assign(network="net", dataset="faces"))
        return tmp_path / "faces.h5", tables.read_tables([tmp_path / "net.csv"])

    return write


def draw(shares, files, **more):
    return fig8.draw(shares, *files, dataset="Faces", networks=NETWORKS, components=10, **more)


def words(figure):
    return " ".join(text.get_text() for text in figure.findobj(lambda a: hasattr(a, "get_text")))


def test_confusion_counts_answers():
    labels = pd.DataFrame(
        {"stimulus_id": list("abcd"), "expression": ["happy", "happy", "sad", ""]}
    )
    answers = pd.DataFrame(
        {"stimulus_id": list("abcd"), "expression": ["happy", "sad", "fear", "sad"]}
    )
    table = fig8.confusion(answers, labels)
    assert list(table.index) == ["happy", "sad"] and list(table.columns) == ["fear", "happy", "sad"]
    assert table.loc["happy"].tolist() == [0, 0.5, 0.5] and table.loc["sad"].tolist() == [1, 0, 0]


def test_seeds_are_averaged_and_their_intervals_widest(shares, files):
    faces, _ = files()
    numbers = fig8.draw(shares, faces, dataset="Faces", networks=NETWORKS, components=10)[1]
    row = numbers[(numbers["network"] == "control") & (numbers["label"] == "identity")].iloc[0]
    assert row["value"] == pytest.approx(0.605) and row["seeds"] == 2


def test_the_numbers_and_the_caption(shares, files):
    figure, numbers, _, caption = draw(shares, files())
    assert set(numbers["panel"]) == {"a", "b", "c", "d", "e"}
    called = numbers[numbers["measure"] == "confusion"].set_index("label")["value"]
    assert called["angry called happy"] == 0.25 and called["happy called happy"] == 1
    assert "RENDERED" in caption and "DECLARED" in caption and "12 pictures" in caption
    assert "Control 2" in caption and "no answers" in words(figure).replace("\n", " ")


def test_the_same_bytes_twice(shares, files, tmp_path):
    for name in ("one", "two"):
        paths = {kind: tmp_path / f"{name}.{kind}" for kind in ("pdf", "svg", "png")}
        style.save_figure(draw(shares, files())[0], paths)
    for kind in ("pdf", "svg", "png"):
        assert (tmp_path / f"one.{kind}").read_bytes() == (tmp_path / f"two.{kind}").read_bytes()


def test_panels_say_what_is_missing(shares, files):
    lines = ["networks.own.keras = 'x': no such file or folder"]
    missing = shares[shares["network"] == "control"].copy()
    nothing = pd.DataFrame(
        [{"dataset": "faces", "rendered": 0, "network": "net", "seed": 0, "n": 0,
          "note": "the face set has no label 'valence'"}]
    )  # fmt: skip
    mixed = pd.concat([missing, nothing.reindex(columns=missing.columns)]).fillna(
        {"components": "", "label": "", "measure": "", "stage": "", "layer": ""}
    )
    figure, _, _, caption = draw(mixed, files(), absent=lines)
    text = words(figure).replace("\n", " ")
    assert "the face set has no label 'valence'" in text
    assert f"LEFT OUT: {lines[0]}." in caption and "nan" not in text.lower()


def test_nothing_measured_is_no_figure(shares, files):
    none = shares.drop_duplicates("network").assign(
        value=np.nan, components="", label="", measure="", note="it has no label 'expression'"
    )
    with pytest.raises(FacestagesError, match="Figure 8 .* draw: it has no label 'expression'$"):
        draw(none, files(expression=""))


def test_what_is_shared_stands_between_and_planes_beside(shares, files):
    figure, numbers, _, caption = draw(shares, files())
    panel = figure.get_axes()[0]
    heights = [bar.get_height() for bar in panel.patches]
    assert heights == pytest.approx([0.6, 0.6, 0, 0.02, 0, 0.08, 0, 0.2, 0.4, 0.1])
    assert panel.patches[5].get_y() == pytest.approx(0.62)
    assert list(panel.get_lines()[1].get_ydata()) == pytest.approx([0.61, 0.65])
    control = figure.get_axes()[3].get_lines()[1].get_ydata()
    assert list(control) == pytest.approx([0.605 + 0.01, 0.605 + 0.1])
    said = words(figure)
    said = said.replace("\n", " ").replace("\u00a0", " ")
    assert "beside planes 0.40 [−0.10, 0.80], p = 0.030" in said
    assert "beside planes 0.40, p < 0.05 in 1 of 2 seeds" in said
    tests = numbers[numbers["measure"] == "order_beside_planes"]
    assert tests["panel"].tolist() == ["b", "e", "e"] and tests["n"].tolist() == [5040] * 3
    assert "arbitrary planes" in caption


def test_identity_and_category_are_drawn_without_affect(shares, files):
    known = ["identity", "category_alone", "rest"]
    rows = shares[shares["label"].isin(known)]
    lacking = shares[shares["label"] == "affect"].drop_duplicates(["network", "seed"])
    lacking = lacking.assign(
        value=np.nan, layer="", stage="", note="the face set has no label 'valence'"
    )
    figure, numbers, _, caption = draw(pd.concat([rows, lacking]), files())
    heights = [bar.get_height() for bar in figure.get_axes()[0].patches]
    assert heights == pytest.approx([0.6, 0.6, 0, 0.28, 0.4, 0.1])
    legend = [text.get_text() for text in figure.legends[0].get_texts()]
    assert legend == ["identity", "category, beyond identity", "rest"]
    assert "LEFT OUT: valence-arousal: the face set has no label 'valence'." in caption
    assert "arbitrary" not in caption and "nan" not in words(figure).lower()


def test_a_face_set_without_expressions_has_no_confusion(shares, files):
    figure, numbers, *_ = draw(shares, files(expression=""))
    assert not (numbers["measure"] == "confusion").any()
    assert "nan" not in words(figure).lower()


def test_stages_that_share_one_layer(shares, files):
    """The layer is drawn once; the table of numbers has a row for each stage."""
    early = shares[(shares["network"] == "net") & (shares["stage"] == "early")]
    both = pd.concat([shares, early.assign(stage="middle")])
    figure, numbers, *_ = draw(both, files())
    rows = numbers[(numbers["network"] == "net") & (numbers["label"] == "identity")]
    assert rows[rows["measure"] == "share"]["stage"].tolist() == ["early", "", "middle"]
    again, _, *_ = draw(shares, files())
    bars = [[bar.get_height() for bar in f.get_axes()[0].patches] for f in (figure, again)]
    assert bars[0] == bars[1] and len(bars[0]) == 10
    curve = figure.get_axes()[1].get_lines()[1].get_xdata()
    assert list(curve) == [0, 1]


def test_answers_beside_labels_that_a_network_gave(shares, files, tmp_path):
    figure, numbers, *_ = draw(shares, files(), labels_from=tmp_path / "net.csv")
    called = numbers[numbers["measure"] == "confusion"]
    assert set(called["label_source"]) == {"network:net"}
    same = called["label"].str.split(" called ").map(lambda pair: pair[0] == pair[1])
    assert (called["value"] == same).all()
    assert "answers (CIRCULAR)" in words(figure)

"""Figure 5: numbers are those measured, and what is missing is said in its panel."""

import numpy as np
import pandas as pd
import pytest

import affect_files
from facestages.analysis.affect import regress_affect
from facestages.analysis.regression import fit_quadratic
from facestages.errors import FacestagesError
from facestages.figures import fig5, style
from facestages.tables import write_table


@pytest.fixture
def faces(tmp_path):
    return tmp_path / "faces.h5", affect_files.write_faces(tmp_path / "faces.h5")


def entry(tmp_path, faces, name="net", layer="top", **geometry):
    path = tmp_path / f"{name}.h5"
    affect_files.write_geometry(path, *faces, network=name, layers=[layer], **geometry)
    return {"label": name.upper(), "stage": "penultimate", "layer": layer, "geometry": path}


def titles(figure):
    return [axis.get_title(loc="left") for axis in figure.axes]


@pytest.fixture
def ratings(tmp_path):
    rng = np.random.default_rng(0)
    valence = rng.uniform(1, 7, 60)
    table = pd.DataFrame(
        {
            "theme": [f"picture {number}" for number in range(60)],
            "valence": valence,
            "arousal": 2 + 0.4 * (valence - 4) ** 2 + rng.normal(0, 0.3, 60),
            "source": "human",
            "scale_low": 1,
            "scale_high": 7,
        }
    )
    write_table(tmp_path / "ratings.csv", table)
    return tmp_path / "ratings.csv", table


def test_numbers_are_those_of_the_table(tmp_path, faces, ratings):
    networks = {name: entry(tmp_path, faces, name, bend=4) for name in ("net", "more")}
    figure, numbers, _, caption = fig5.draw(networks, faces[0], dataset="Faces", ratings=ratings[0])
    assert titles(figure) == [
        *("a  NET", "b  MORE", "c  Declared", "d  OASIS (human)"),
        *("e  NET", "f  MORE", "g  NET", "h  MORE"),
        *("i  NET", "j  MORE", "k  NET", "l  MORE"),
    ]
    table = regress_affect(networks["more"]["geometry"], faces[0], {"penultimate": "top"})
    for panel, component, label in (("f", 1, "valence"), ("h", 2, "arousal")):
        own = numbers[numbers["panel"] == panel].set_index("measure")
        expected = table[(table["component"] == component) & (table["label"] == label)]
        expected = expected.set_index("measure").loc[own.index]
        columns = ["value", "ci_low", "ci_high", "p", "n", "note", "network", "layer"]
        pd.testing.assert_frame_equal(own[columns], expected[columns])
        r = own.loc["r"]
        said = f"r\u00a0=\u00a0{r['value']:.2f} [{r['ci_low']:.2f},\u00a0{r['ci_high']:.2f}]"
        axis = figure.axes["abcdefgh".index(panel)]
        assert said in " ".join(text.get_text() for text in axis.texts)
    for panel, component, label in (("j", 1, "valence"), ("l", 2, "arousal")):
        own = numbers[numbers["panel"] == panel].set_index("measure")
        expected = table[(table["component"] == component) & (table["label"] == label)]
        expected = expected.set_index("measure").loc[["r_categories", "r_within_category"]]
        columns = ["value", "p", "n", "note", "network", "layer"]
        pd.testing.assert_frame_equal(own[columns].loc[expected.index], expected[columns])
        axis = figure.axes["abcdefghijkl".index(panel)]
        # A line, and a mark for each category.
        assert len(axis.get_lines()) == 1 + len(affect_files.EXPRESSIONS)
        r, p = own.loc["r_categories", ["value", "p"]]
        said = f"r\u00a0=\u00a0{r:.2f}, exact p\u00a0=\u00a0{p:.3f}, n\u00a0=\u00a05"
        assert said in " ".join(axis.texts[-1].get_text().split("\n"))
    assert "i to l: a point a category" in caption and "valence by 9" in caption
    curvature = table[table["measure"] == "curvature"].iloc[0]
    own = numbers[(numbers["panel"] == "b") & (numbers["measure"] == "curvature")].iloc[0]
    assert own["value"] == curvature["value"] and own["note"] == "U"
    assert figure.axes[1].texts[0].get_text().startswith("U, curvature")
    rated = fit_quadratic(*(ratings[1][name].to_numpy() for name in ("valence", "arousal")), None)
    own = numbers[(numbers["panel"] == "d") & (numbers["measure"] == "curvature")].iloc[0]
    assert own["value"] == pytest.approx(rated.curvature.value) and own["ci_low"] > 0
    assert own["n"] == 60 and own["label_source"] == "human" and own["rendered"] == 0
    assert "All faces are RENDERED, not photographs." in caption
    assert "OASIS: human ratings of 60 other pictures" in caption
    assert "80 pictures of 8 people" in caption and affect_files.SOURCE in caption
    assert "nan" not in affect_files.words(figure).lower()


def test_line_and_points_are_drawn_where_they_belong(tmp_path, faces):
    own = entry(tmp_path, faces)
    figure, numbers, *_ = fig5.draw({"net": own}, faces[0], dataset="Faces")
    axis = figure.axes[titles(figure).index("c  NET")]
    line = numbers[numbers["panel"] == "c"].set_index("measure")["value"]
    x, y = axis.lines[0].get_data()
    np.testing.assert_allclose(y, line["intercept"] + line["slope"] * x)
    points = np.concatenate([item.get_offsets() for item in axis.collections[:5]])
    np.testing.assert_allclose(np.sort(points[:, 0]), np.sort(faces[1]["valence"]))
    assert (x.min(), x.max()) == pytest.approx((points[:, 0].min(), points[:, 0].max()))


def test_own_outputs_are_circular(tmp_path, faces):
    networks = {name: entry(tmp_path, faces, name) for name in ("net", "more")}
    said = {name: faces[1][name] for name in ("valence", "arousal")}
    path = tmp_path / "p.csv"
    affect_files.write_predictions(path, faces[1], "happy", affect=said)
    figure, numbers, _, caption = fig5.draw(
        networks, faces[0], dataset="Faces", predictions=path, reference_label="NET"
    )
    assert titles(figure)[2] == "c  NET outputs"
    assert titles(figure)[3:5] == ["d  NET (CIRCULAR)", "e  MORE"]
    is_circular = numbers["note"].str.startswith("CIRCULAR").groupby(numbers["panel"]).any()
    assert is_circular["d"] and is_circular["h"] and not is_circular["i"]
    assert "CIRCULAR" in caption and "network:net" in caption


def test_what_is_missing_has_no_panel_and_the_caption_says_why(tmp_path):
    path = tmp_path / "faces.h5"
    labels = affect_files.write_faces(path, without=["valence", "arousal"], rendered=0)
    own = entry(tmp_path, (path, labels))
    figure, numbers, _, caption = fig5.draw(
        {"net": own}, path, dataset="Faces", absent={"RMN": "its weights are not there"}
    )
    said = affect_files.words(figure)
    assert titles(figure) == ["a  NET", "b  RMN"] and "its weights are not there" in said
    for line in (
        "the reference, and regressions on it: the face set has no valence and no arousal.",
        "no human ratings of pictures are given.",
    ):
        assert f"LEFT OUT: {line}" in caption
    assert "RENDERED" not in caption and "signs of components are arbitrary" in caption
    assert "nan" not in said.lower() and set(numbers["panel"]) == {"a"}
    assert figure.get_figheight() * 25.4 == pytest.approx(76)


def test_one_label_alone_has_its_regressions(tmp_path):
    path = tmp_path / "faces.h5"
    labels = affect_files.write_faces(path, without=["arousal"])
    figure, _, _, caption = fig5.draw(
        {"net": entry(tmp_path, (path, labels))}, path, dataset="Faces"
    )
    assert titles(figure) == ["a  NET", "b  NET", "c  NET"]
    assert "the face set has no arousal." in caption and "nan" not in caption


def test_three_categories_are_not_tested(tmp_path):
    path = tmp_path / "faces.h5"
    labels = affect_files.write_faces(path, categories=3)
    figure, _, _, caption = fig5.draw(
        {"net": entry(tmp_path, (path, labels))}, path, dataset="Faces"
    )
    said = affect_files.words(figure)
    assert said.count("not testable: 3 categories have 6 orders") == 2


def test_network_without_the_stage(tmp_path, faces):
    networks = {"net": entry(tmp_path, faces), "pixels": {"label": "Pixels", "stage": "late"}}
    networks["pixels"] |= {"layer": "", "geometry": tmp_path / "none.h5"}
    figure, _, *_ = fig5.draw(networks, faces[0], dataset="Faces")
    assert titles(figure)[1] == "b  Pixels"
    assert figure.axes[1].texts[0].get_text() == "the network has no stage\n'late'"


def test_reference_that_was_asked_for_but_is_absent(tmp_path, faces):
    figure, _, _, caption = fig5.draw(
        {"net": entry(tmp_path, faces)}, faces[0], dataset="F", no_reference="EmoFAN is not there"
    )
    assert titles(figure)[1] == "b  Declared"
    assert "LEFT OUT: EmoFAN is not there." in caption


def test_layer_of_one_component(tmp_path, faces):
    own = entry(tmp_path, faces, layer="flat")
    figure, _, *_ = fig5.draw({"net": own}, faces[0], dataset="Faces")
    said = affect_files.words(figure)
    assert (
        said.count("layer flat has one component only; no PC2") == 3 and "nan" not in said.lower()
    )


def test_one_person_without_expressions(tmp_path):
    path = tmp_path / "faces.h5"
    labels = affect_files.write_faces(path, people=1, without=["expression"], pictures=4)
    figure, numbers, _, caption = fig5.draw(
        {"net": entry(tmp_path, (path, labels))}, path, dataset="Faces"
    )
    assert numbers["ci_low"].isna().all() and numbers["value"].notna().all()
    assert "No two people, so no intervals." in caption and not figure.legends
    said = affect_files.words(figure)
    assert "nan" not in said.lower() and "[" not in said


def test_range_over_seeds(tmp_path, faces):
    seeds = [entry(tmp_path, faces, bend=0) | {"geometry": tmp_path / f"{s}.h5"} for s in (0, 1)]
    for seed, own in enumerate(seeds):
        affect_files.write_geometry(own["geometry"], *faces, seed=seed)
    tables = [regress_affect(own["geometry"], faces[0], {"penultimate": "top"}) for own in seeds]
    _, numbers, _, caption = fig5.draw(
        {"net": seeds[0]}, faces[0], dataset="Faces", regressions=pd.concat(tables)
    )
    own = numbers[(numbers["measure"] == "r") & (numbers["label"] == "arousal")]
    assert own["seed"].tolist() == [0, 1]
    low, high = sorted(own["value"])
    assert f"NET, arousal: r {low:.2f} to {high:.2f} over 2 seeds." in caption


def test_no_network_is_an_error(faces):
    with pytest.raises(FacestagesError, match="Figure 5 has nothing to draw: RMN: not there"):
        fig5.draw({}, faces[0], dataset="Faces", absent={"RMN": "not there"})


def test_same_bytes_twice(tmp_path, faces):
    own = entry(tmp_path, faces)
    for run in "ab":
        figure, _, *_ = fig5.draw({"net": own}, faces[0], dataset="Faces")
        style.save_figure(figure, {kind: tmp_path / f"{run}.{kind}" for kind in ("pdf", "svg")})
    for kind in ("pdf", "svg"):
        assert (tmp_path / f"a.{kind}").read_bytes() == (tmp_path / f"b.{kind}").read_bytes()


def test_ratings_that_do_not_vary_are_said(tmp_path, faces, ratings):
    write_table(ratings[0], ratings[1].assign(arousal=3.0))
    networks = {"net": entry(tmp_path, faces)}
    figure, numbers, _, caption = fig5.draw(networks, faces[0], dataset="Faces", ratings=ratings[0])
    panel = titles(figure).index("c  OASIS (human)")
    said = " ".join(text.get_text() for text in figure.axes[panel].texts)
    assert "60 pictures have the same value" in said.replace("\n", " ")
    assert "OASIS" not in caption and "c" not in set(numbers["panel"])

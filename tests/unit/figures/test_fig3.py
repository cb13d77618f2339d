"""Figure 3: numbers and words are those of the scores; what is missing is said in its panel."""

import numpy as np
import pandas as pd
import pytest

from facestages.errors import FacestagesError
from facestages.figures import fig3, style
from map_files import spread, write_faces, write_layers, write_scores

VALUES = {
    ("pixels", "umap", "silhouette"): 0.4,
    ("pixels", "2", "silhouette"): 0.3,
    ("pixels", "10", "silhouette"): 0.5,
    ("pixels", "all", "silhouette"): -0.2,
}


@pytest.fixture(scope="module")
def faces(tmp_path_factory):
    return write_faces(tmp_path_factory.mktemp("set"))


@pytest.fixture(scope="module")
def panels(faces, tmp_path_factory):
    folder = tmp_path_factory.mktemp("maps")
    wide = np.hstack([spread(faces, 20.0), spread(faces, 0.0, seed=1)])

    def panel(network, title, layer, space):
        kind = {"umap": "embedding", "pca": "geometry"}[space]
        points = {layer: wide[:, :2] if space == "umap" else wide}
        file = write_layers(folder / f"{network}-{space}.h5", faces, kind, points, network)
        return {
            **{"network": network, "title": title, "layer": layer, "stage": "penultimate"},
            **{"space": space, "file": str(file)},
        }

    return [
        panel("pixels", "Pixels", "pixels", "umap"),
        panel("pixels", "Pixels", "pixels", "pca"),
        panel("nn3", "Untrained", "dropout_4", "umap"),
        panel("vgg16", "Objects", "fc2", "umap"),
    ]


@pytest.fixture
def scores():
    parts = [write_scores(VALUES, "pixels")]
    for seed, value in enumerate((0.6, 0.7, 0.5)):
        own = {("dropout_4", "umap", "silhouette"): value, ("dropout_4", "all", "silhouette"): 0.1}
        parts.append(write_scores(own, "nn3", seed))
    own = {("fc2", "umap", "silhouette"): 0.8, ("fc2", "all", "silhouette"): 0.2}
    return pd.concat([*parts, write_scores(own, "vgg16")], ignore_index=True)


def titles(figure):
    return [axis.get_title(loc="left") for axis in figure.axes]


def words(figure):
    """All text of a figure, in one line."""
    texts = [text.get_text() for axis in figure.axes for text in axis.texts]
    return " ".join(" ".join([*titles(figure), *texts]).split())


def test_numbers_and_words_are_those_of_the_scores(panels, faces, scores):
    figure, numbers, _, caption = fig3.draw(panels, faces, scores, dataset="Faces")
    own = numbers[numbers["measure"] == "silhouette"].set_index(["panel", "seed", "space"])
    assert own.loc[("b", 0, "10"), "value"] == 0.5
    assert own.loc[("a", 0, "umap"), ["ci_low", "ci_high"]].tolist() == pytest.approx([0.35, 0.45])
    assert own.loc["c"].xs("umap", level="space")["value"].tolist() == [0.6, 0.7, 0.5]
    assert set(numbers["rendered"]) == {1} and set(numbers["dataset"]) == {"set"}
    said = words(figure)
    assert "b Pixels: principal components" in said
    assert "in 2 components 0.30, in 10 components 0.50, in the full space −0.20" in said
    assert "on the map 0.60 (3 seeds: 0.50 to 0.70)" in said
    assert "d Objects: UMAP, penultimate" in said
    assert "d fc2." in caption
    assert "d map 0.80 [0.75, 0.85], full space 0.20 [0.15, 0.25]" in caption
    assert "Faces, 60 pictures of 3 people. Layers: a pixels" in caption
    assert "All faces are RENDERED" in caption
    assert "Seeds: Pixels 1, Untrained 3, Objects 1" in caption
    assert figure.get_supxlabel() == ""


def test_axes_say_the_variance_of_the_components(panels, faces, scores):
    figure, numbers, *_ = fig3.draw(panels, faces, scores, dataset="Faces")
    shares = numbers[numbers["measure"] == "variance_explained"].set_index("space")["value"]
    points = np.hstack([spread(faces, 20.0), spread(faces, 0.0, seed=1)])
    expected = points.var(axis=0) / points.var(axis=0).sum()
    np.testing.assert_allclose(shares[["PC1", "PC2"]], expected[:2])
    assert figure.axes[1].get_xlabel() == f"PC1 ({expected[0]:.1%} of variance)"


def test_title_is_no_wider_than_its_panel(panels, faces, scores, tmp_path):
    layer = "global_average_pooling2d_1"
    file = write_layers(tmp_path / "m.h5", faces, "embedding", {layer: spread(faces, 20.0)}, "mini")
    panel = {**panels[0], "network": "mini", "title": "mini-Xception", "layer": layer, "file": file}
    figure = fig3.draw([panel], faces, scores, dataset="Faces").figure
    figure.draw_without_rendering()
    title = figure.axes[0].get_title(loc="left")
    assert title == "a  mini-Xception: UMAP, penultimate"
    assert figure.axes[0]._left_title.get_window_extent().x1 <= figure.axes[0].bbox.x1


def test_every_picture_is_drawn_at_its_point(panels, faces, scores):
    figure, _, *_ = fig3.draw(panels, faces, scores, dataset="Faces")
    drawn = np.concatenate([dots.get_offsets() for dots in figure.axes[0].collections])
    expected = spread(faces, 20.0)
    np.testing.assert_allclose(np.sort(drawn, axis=0), np.sort(expected, axis=0))
    assert len(figure.axes[0].collections) == 3


def test_what_is_missing_is_said_in_its_panel(panels, faces, scores):
    panels = [dict(panel) for panel in panels]
    panels[0]["layer"] = "conv9"
    panels[3]["file"] = None
    figure, numbers, _, caption = fig3.draw(
        panels, faces, scores, dataset="Faces", absent={"nn3": "NN3: no weights at hand"}
    )
    lines = {
        "a": "network pixels has no stage or layer 'conv9' here",
        "c": "NN3: no weights at hand",
        "d": "network vgg16: not measured",
    }
    notes = numbers[numbers["value"].isna()].set_index("panel")["note"]
    for letter, line in lines.items():
        axis = figure.axes["abcd".index(letter)]
        assert line in " ".join(axis.texts[-1].get_text().split()) and not axis.axison
        assert notes[letter] == line
        assert f"LEFT OUT: {letter}: {line}." in caption
    assert "nan" not in words(figure).lower() + caption.lower()


def test_no_map_at_all_is_an_error(panels, faces, scores):
    absent = dict.fromkeys(("pixels", "nn3", "vgg16"), "not at hand")
    with pytest.raises(FacestagesError, match="nothing to draw: not at hand"):
        fig3.draw(panels, faces, scores, dataset="Faces", absent=absent)


def test_one_person_and_unmeasured_scores_leave_no_nan(tmp_path):
    faces = write_faces(tmp_path, people=1)
    points = {"pixels": spread(faces, 0.0)}
    panel = {"network": "pixels", "title": "Pixels", "layer": "pixels", "stage": "final"}
    files = {
        space: str(write_layers(tmp_path / f"{space}.h5", faces, kind, points, "pixels"))
        for space, kind in (("umap", "embedding"), ("pca", "geometry"))
    }
    panels = [{**panel, "space": space, "file": file} for space, file in files.items()]
    scores = write_scores({("pixels", "umap", "silhouette"): np.nan}, "pixels")
    scores["note"] = "one identity only"
    figure, _, _, caption = fig3.draw(panels, faces, scores, dataset="Faces")
    said = words(figure)
    assert "no identity silhouette: one identity only" in said
    assert "no identity silhouette: not measured" in said
    assert "60 pictures" not in caption and "20 pictures of 1 person" in caption
    assert "nan" not in said.lower() + caption.lower()


def test_layer_of_one_component_has_no_plane(faces, scores, tmp_path):
    points = {"pixels": spread(faces, 1.0)[:, :1]}
    file = write_layers(tmp_path / "g.h5", faces, "geometry", points, "pixels")
    panel = {
        "network": "pixels",
        "title": "Pixels",
        "layer": "pixels",
        "stage": "final",
        "space": "pca",
    }
    with pytest.raises(FacestagesError, match="one principal component only"):
        fig3.draw([{**panel, "file": file}], faces, scores, dataset="Faces")


def test_maps_of_another_face_set_are_refused(panels, scores, tmp_path):
    other = write_faces(tmp_path, people=2)
    with pytest.raises(FacestagesError, match="another stimuli digest"):
        fig3.draw(panels, other, scores, dataset="Faces")


def test_same_bytes_twice(panels, faces, scores, tmp_path):
    kinds = ("pdf", "svg", "png")
    for run in "ab":
        figure, _, *_ = fig3.draw(panels, faces, scores, dataset="Faces")
        style.save_figure(figure, {kind: tmp_path / f"{run}.{kind}" for kind in kinds})
    for kind in kinds:
        assert (tmp_path / f"a.{kind}").read_bytes() == (tmp_path / f"b.{kind}").read_bytes()

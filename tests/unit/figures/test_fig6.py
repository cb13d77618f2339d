"""Figure 6: which faces stand where, and what is missing is said in its place."""

import h5py
import numpy as np
import pytest

import affect_files
from facestages.analysis.components import read_components, read_reference
from facestages.errors import FacestagesError
from facestages.figures import faces as strips
from facestages.figures import fig6, style
from facestages.figures.face_set import placeholder
from facestages.stimuli import read_labels


@pytest.fixture
def faces(tmp_path):
    return tmp_path / "faces.h5", affect_files.write_faces(tmp_path / "faces.h5")


def entry(tmp_path, faces, layer="top"):
    path = tmp_path / "net.h5"
    affect_files.write_geometry(path, *faces, layers=[layer])
    return {"net": {"label": "NET", "stage": "penultimate", "layer": layer, "geometry": path}}


def test_faces_stand_at_equal_steps(tmp_path, faces):
    networks = entry(tmp_path, faces)
    figure, numbers, _, caption = fig6.draw(networks, faces[0], dataset="Faces")
    shown = numbers.groupby(["panel", "space"], sort=False).size()
    assert list(shown.index) == [("a", "PC2"), ("a", "PC1"), ("b", "valence"), ("b", "arousal")]
    assert set(shown) == {11}
    digest = read_labels(faces[0])[2]["stimuli_digest"]
    own = read_components(networks["net"]["geometry"], "top", read_reference(faces[0]), digest)
    scores = dict(zip(faces[1]["stimulus_id"], own.scores[:, 1], strict=True))
    second = numbers[numbers["space"] == "PC2"]
    assert second["stimulus_id"].is_unique and second["position"].tolist() == [*range(1, 12)]
    assert second["value"].tolist() == [scores[name] for name in second["stimulus_id"]]
    np.testing.assert_allclose(
        second["wanted"], np.linspace(min(scores.values()), max(scores.values()), 11)
    )
    assert second["value"].iloc[[0, -1]].tolist() == [min(scores.values()), max(scores.values())]
    assert "NET, PC1 and valence: r = " in caption and "valence by 9" in caption
    assert "All faces are RENDERED" in caption and "11 positions at equal steps" in caption
    said = affect_files.words(figure)
    for name in ("a NET", "b Declared", "PC1 (", "Valence", "Arousal", "low", "high"):
        assert name in said
    assert "nan" not in said.lower()


def test_pictures_drawn_are_the_stimuli_named(tmp_path, faces):
    figure, numbers, *_ = fig6.draw(
        entry(tmp_path, faces), faces[0], dataset="Faces", may_show="all"
    )
    drawn = next(axis for axis in figure.axes if axis.images)
    row = list(faces[1]["stimulus_id"]).index(numbers["stimulus_id"].iloc[7])
    with h5py.File(faces[0]) as file:
        expected = strips.thumbnail(file["images"][row])
    np.testing.assert_array_equal(drawn.images[7].get_array(), expected)


def test_faces_that_may_not_be_shown(tmp_path, faces):
    networks, person = entry(tmp_path, faces), faces[1]["identity"].iloc[0]
    for may_show, text in (("none", "faces may not be shown"), ([person], "faces may not be")):
        figure, numbers, _, caption = fig6.draw(
            networks, faces[0], dataset="Faces", may_show=may_show
        )
        assert text in caption
        drawn = [axis for axis in figure.axes if axis.images]
        people = dict(zip(faces[1]["stimulus_id"], faces[1]["identity"], strict=True))
        shown = iter(numbers["stimulus_id"])
        for image in (image for axis in drawn for image in axis.images):
            pixels = image.get_array()
            is_hidden = np.array_equal(pixels, strips.thumbnail(placeholder(pixels.shape[:2])))
            assert is_hidden == (may_show == "none" or people[next(shown)] != person)


def test_faces_shown_are_marked_at_their_own_values(tmp_path, faces):
    figure, numbers, *_ = fig6.draw(entry(tmp_path, faces), faces[0], dataset="Faces")
    axes = [axis for axis in figure.axes if axis.lines]
    own = numbers[numbers["space"] == "valence"]
    marked = np.concatenate([line.get_xdata() for line in axes[2].lines])
    low, high = own["wanted"].min(), own["wanted"].max()
    np.testing.assert_allclose(
        np.sort(marked), np.sort(0.5 + 10 * (own["value"] - low) / (high - low))
    )


def test_fewer_faces_than_positions(tmp_path):
    path = tmp_path / "faces.h5"
    labels = affect_files.write_faces(path, people=1, pictures=2)
    figure, numbers, *_ = fig6.draw(entry(tmp_path, (path, labels)), path, dataset="Faces")
    assert set(numbers["note"]) == {"10 faces only"} and len(numbers) == 40
    assert affect_files.words(figure).count("10 faces only") == 4


def test_another_number_of_faces(tmp_path, faces):
    _, numbers, _, caption = fig6.draw(entry(tmp_path, faces), faces[0], dataset="Faces", count=5)
    assert len(numbers) == 20 and caption.startswith("5 positions")


def test_what_is_missing_is_said(tmp_path):
    path = tmp_path / "faces.h5"
    labels = affect_files.write_faces(path, without=["valence", "arousal", "expression"])
    networks = entry(tmp_path, (path, labels), layer="flat")
    figure, numbers, _, caption = fig6.draw(
        networks, path, dataset="Faces", absent={"RMN": "its weights are not there"}
    )
    said = affect_files.words(figure)
    for line in (
        *("its weights are not there", "layer flat has one component only; no PC2"),
        *("the face set has no valence", "the face set has no arousal", "c Reference"),
    ):
        assert line in said
    assert "nan" not in said.lower() and "signs of components are arbitrary" in caption
    missing = numbers[numbers["stimulus_id"].isna()]
    assert len(missing) == 4 and missing["note"].str.len().min() > 0
    assert not figure.legends


def test_network_without_the_stage(tmp_path, faces):
    networks = {"pixels": {"label": "Pixels", "stage": "late", "layer": "", "geometry": "none.h5"}}
    figure, numbers, *_ = fig6.draw(networks, faces[0], dataset="Faces")
    said = affect_files.words(figure)
    assert "a Pixels" in said and "the network has no stage 'late'" in said
    assert set(numbers["space"]) == {"", "valence", "arousal"}


def test_no_axis_at_all_is_an_error(tmp_path):
    path = tmp_path / "faces.h5"
    affect_files.write_faces(path, without=["valence", "arousal"])
    with pytest.raises(FacestagesError, match="Figure 6 has nothing to draw: not there"):
        fig6.draw({}, path, dataset="Faces", absent={"RMN": "not there"})


def test_same_bytes_twice(tmp_path, faces):
    networks = entry(tmp_path, faces)
    for run in "ab":
        figure, _, *_ = fig6.draw(networks, faces[0], dataset="Faces", count=5)
        style.save_figure(figure, {kind: tmp_path / f"{run}.{kind}" for kind in ("pdf", "svg")})
    for kind in ("pdf", "svg"):
        assert (tmp_path / f"a.{kind}").read_bytes() == (tmp_path / f"b.{kind}").read_bytes()

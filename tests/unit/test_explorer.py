"""What the explorer holds: maps, neighbours, small pictures, and nothing that may not be shown."""

import base64
import io

import numpy as np
import pandas as pd
import pytest
from PIL import Image
from scipy.spatial.distance import pdist
from sklearn.neighbors import NearestNeighbors

from explorer_page import faces_of, numbered_pictures, read_number, read_pages, write_page
from facestages import tables
from facestages.explorer import PAGE_COLUMNS, THUMBNAIL, _labels, _scores, align_maps, draw_pages
from facestages.explorer import nearest_faces as nearest
from facestages.figures.face_set import placeholder


def tiles(pages):
    """The small pictures (n, 48, 48) of a face set; white ones fill the last row."""
    found = []
    for page in read_pages(pages):
        sheet = np.asarray(Image.open(io.BytesIO(page)).convert("L"))
        rows = len(sheet) // THUMBNAIL
        parts = sheet.reshape(rows, THUMBNAIL, PAGE_COLUMNS, THUMBNAIL).swapaxes(1, 2)
        found.append(parts.reshape(-1, THUMBNAIL, THUMBNAIL))
    return np.concatenate(found)


def test_neighbours_are_those_of_scikit_learn():
    points = np.random.default_rng(0).normal(size=(700, 5))
    centred = points - points.mean(axis=0)
    found = NearestNeighbors(n_neighbors=8).fit(points).kneighbors(return_distance=False)
    np.testing.assert_array_equal(nearest(centred @ centred.T, 8), found)


def test_neighbours_of_three_faces():
    points = np.array([[0.0], [1.0], [5.0]]) - 2
    np.testing.assert_array_equal(nearest(points @ points.T, 2), [[1, 2], [0, 2], [1, 0]])
    np.testing.assert_array_equal(nearest(points @ points.T, 1), [[1], [0], [1]])


def test_a_turned_and_mirrored_map_is_turned_back():
    rng = np.random.default_rng(1)
    last = rng.normal(size=(50, 2)) * [3, 1]
    turn = np.array([[np.cos(2), -np.sin(2)], [np.sin(2), np.cos(2)]]) @ np.diag([1, -1])
    first, second = align_maps([7 * last @ turn + 4, last])
    np.testing.assert_allclose(first, second, atol=1e-12)
    ratio = pdist(first) / pdist(7 * last @ turn)
    np.testing.assert_allclose(ratio, ratio[0])


def test_maps_fill_the_view_whatever_lies_outside():
    points = np.random.default_rng(2).uniform(0, 10, (1000, 2))
    points[0] = 500
    (aligned,) = align_maps([points])
    ends = np.quantile(aligned, [0.01, 0.99], axis=0)
    assert np.abs(ends).max() == pytest.approx(1)
    np.testing.assert_allclose(ends.mean(axis=0), 0, atol=1e-12)


def test_a_layer_of_one_output_lies_in_the_middle():
    (points,) = align_maps([np.zeros((9, 2))])
    assert (points == 0).all()


def test_each_small_picture_is_of_its_face(tmp_path):
    shown = tiles(draw_pages(faces_of(tmp_path, 1030, 5)))
    numbers = [read_number(tile[6::12, 6::12].ravel()) for tile in shown[:1030]]
    assert numbers == list(range(1030))


def test_a_wide_picture_is_not_stretched(tmp_path, monkeypatch):
    faces = faces_of(tmp_path, 2, 1)
    wide = np.zeros((48, 96), np.uint8)
    monkeypatch.setattr(type(faces), "pictures", lambda self, rows: [wide for _ in rows])
    tile = tiles(draw_pages(faces))[0]
    assert tile[24].max() < 30 and tile[4].min() > 220


@pytest.mark.parametrize("may_show", ["none", ["P1"]])
def test_no_pixel_of_a_face_that_may_not_be_shown(tmp_path, may_show):
    n, people = 90, 9
    faces = faces_of(tmp_path, n, people, may_show)
    hidden = tiles(draw_pages(faces))[: len(faces.labels)]
    drawn = placeholder((48, 48)).astype(float)
    originals = numbered_pictures(n).astype(float).reshape(n, -1)
    for i, tile in enumerate(hidden):
        pixels = tile.astype(float).ravel()
        if may_show != "none" and faces.identities[i] == "P1":
            assert np.abs(pixels - originals[i]).mean() < 6
        else:
            assert np.abs(pixels - drawn.ravel()).max() < 40
            assert np.abs(pixels - drawn.ravel()).mean() < 6
    path = tmp_path / "explorer.html"
    write_page(path, faces)
    page = path.read_text()
    for picture in originals[:5].astype(np.uint8):
        assert base64.b64encode(picture.tobytes())[:400].decode() not in page


def test_labels_without_values_are_left_out(tmp_path):
    faces = faces_of(tmp_path, 6, 2)
    labels = faces.labels.assign(sex="", arousal=np.nan, expression=["happy", "", "sad"] * 2)
    sources = {**faces.sources, "sex": "s", "arousal": "a"}
    found = _labels(faces._replace(labels=labels, sources=sources))
    assert sorted(found) == ["expression", "identity", "valence"]
    codes = np.frombuffer(base64.b64decode(found["expression"]["codes"]), "<u2")
    assert found["expression"]["categories"] == ["happy", "sad"]
    assert codes.tolist() == [1, 0, 2] * 2
    assert found["valence"]["source"] == "made up"


def test_scores_say_why_there_are_none(tmp_path):
    rows = pd.DataFrame({"layer": "conv", "label": ["identity", "sex"], "value": [0.5, np.nan]})
    rows = rows.assign(measure="silhouette", components=10, ci_low=0.4, ci_high=np.nan, chance=0.1)
    tables.write_table(tmp_path / "scores.csv", rows.assign(note=["", "all have one sex"]))
    found = _scores(tmp_path / "scores.csv", "silhouette", "chance", 10)
    assert found["conv"]["identity"] == [0.5, 0.4, None, 0.1]
    assert found["conv"]["sex"][0] is None and found["conv"]["sex"][4] == "all have one sex"


def test_a_label_cannot_end_the_script_that_holds_it(tmp_path):
    faces = faces_of(tmp_path, 6, 2)
    hostile = "</script><script>alert(1)</script><!--style-->"
    labels = faces.labels.assign(identity=hostile)
    path = tmp_path / "explorer.html"
    write_page(path, faces._replace(labels=labels))
    page = path.read_text()
    assert hostile not in page and page.count("</script>") == 2

"""Eyes, brows and mouth: the template, and how much of a map lies on a box."""

import numpy as np
import pandas as pd
import pytest

from facestages.errors import FacestagesError
from facestages.stimuli import REGIONS
from facestages.stimuli.crop import cut_out
from facestages.stimuli.regions import (
    CENTRED,
    EYES,
    LANDMARKS,
    enlarge,
    find_regions,
    region_areas,
    region_shares,
    template_regions,
)


def random_regions(n, seed=0):
    rng = np.random.default_rng(seed)
    low = rng.uniform(0, 0.6, (n, 3, 2))
    return np.concatenate([low, low + rng.uniform(0.05, 0.4, (n, 3, 2))], axis=2)


@pytest.mark.parametrize("margin", [0.0, 0.2, 1.0])
def test_the_template_lies_on_the_eyes_of_a_crop(margin):
    row, column = np.mgrid[:300, :400]
    eyes = np.array([(170.0, 120.0), (230.0, 130.0)])
    dots = sum(np.exp(-((column - x) ** 2 + (row - y) ** 2) / 20) for x, y in eyes)
    crop = cut_out((255 * dots).astype(np.uint8), eyes, 200, margin)
    rows, columns = np.nonzero(crop > 100)
    top, left, bottom, right = template_regions(margin)[REGIONS.index("eyes")] * 200
    assert top < rows.min() and rows.max() < bottom
    assert left < columns.min() and columns.max() < right
    apart = 200 * 0.36 / (1 + 2 * margin)
    assert bottom - top < 0.5 * apart, "no larger than eyes are"


@pytest.mark.parametrize("margin", [0.0, 0.3])
def test_the_template_is_a_face(margin):
    eyes, brows, mouth = template_regions(margin)
    assert brows[0] < brows[2] <= eyes[0] < eyes[2] < mouth[0] < mouth[2] <= 1
    for box in (eyes, brows, mouth):
        assert box[1] + box[3] == pytest.approx(1), "alike on both sides"


def test_shares_are_those_of_the_enlarged_map():
    rng = np.random.default_rng(1)
    maps, regions = rng.random((4, 6, 7)), random_regions(4)
    shares = region_shares(maps, regions, (40, 50))
    large = enlarge(maps, (40, 50))
    # Each pixel split into 20 x 20 points.
    y, x = (np.arange(40 * 20) + 0.5) / 800, (np.arange(50 * 20) + 0.5) / 1000
    for n in range(4):
        for k in range(3):
            top, left, bottom, right = regions[n, k]
            inside = np.outer((y > top) & (y < bottom), (x > left) & (x < right))
            part = inside.reshape(40, 20, 50, 20).mean(axis=(1, 3))
            expected = (large[n] * part).sum() / large[n].sum()
            assert shares[n, k] == pytest.approx(expected, rel=0.02)


def test_the_same_everywhere_is_the_area():
    regions = random_regions(5)
    for shape in ((1, 1), (3, 5), (31, 17), (64, 64)):
        shares = region_shares(np.full((5, *shape), 0.3, np.float32), regions, (48, 40))
        np.testing.assert_allclose(shares, region_areas(regions), rtol=1e-6)


def test_boxes_side_by_side_share_the_whole():
    halves = np.array([[(0, 0, 1, 0.25), (0, 0.25, 0.7, 1), (0.7, 0.25, 1, 1)]])
    maps = np.random.default_rng(2).random((1, 5, 9))
    assert region_shares(maps, halves, (31, 33)).sum() == pytest.approx(1)


def test_a_bright_spot_is_in_the_box_around_it():
    maps = np.zeros((1, 12, 12))
    maps[0, 8, 6] = 1
    around = np.array([[(0, 0, 0.1, 0.1), (0.58, 0.4, 0.84, 0.7), (0, 0, 1, 1)]])
    corner, box, whole = region_shares(maps, around, (96, 96))[0]
    assert corner == 0 and box > 0.9 and whole == pytest.approx(1)


def test_enlarging_is_bilinear():
    ramp = np.arange(6.0)[None, :, None] * np.ones((1, 6, 4))
    large = enlarge(ramp, (60, 8))[0, :, 0]
    np.testing.assert_allclose(np.diff(large[5:55]), 0.1)
    assert large[0] == 0 and large[-1] == 5


def test_empty_maps_and_unknown_regions_have_no_share():
    maps, regions = np.ones((2, 3, 3)), random_regions(2)
    maps[0] = 0
    regions[1, 2] = np.nan
    shares = region_shares(maps, regions, (30, 30))
    assert np.isnan(shares).tolist() == [[True] * 3, [False, False, True]]
    with pytest.raises(FacestagesError, match="2 maps, but regions of 1 pictures"):
        region_shares(maps, regions[:1], (30, 30))


def test_where_regions_come_from():
    labels = pd.DataFrame({"stimulus_id": list("abc"), "eye_distance": [80.0, np.nan, 75.0]})
    stored = np.zeros((3, 3, 4), np.float32)
    regions, sources = find_regions(labels, stored, margin=0.2)
    assert regions is stored and set(sources) == {LANDMARKS}
    regions, sources = find_regions(labels, margin=0.2)
    assert list(sources) == [EYES, CENTRED, EYES]
    np.testing.assert_array_equal(regions[0], template_regions(0.2))
    np.testing.assert_array_equal(regions[1], template_regions())
    assert set(find_regions(labels)[1]) == {CENTRED}

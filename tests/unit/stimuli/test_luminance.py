"""Equal luminance: one histogram for all pictures, inside an oval."""

import h5py
import numpy as np

from facestages.stimuli.luminance import match_histogram, mean_histogram, normalise, oval


def test_matched_pictures_have_one_histogram(tmp_path):
    rng = np.random.default_rng(2)
    images = rng.normal(rng.uniform(60, 200, (300, 1, 1)), 20, (300, 24, 24)).clip(0, 255)
    images = images.astype(np.uint8)
    mask = oval(24)
    with h5py.File(tmp_path / "x.h5", "w") as file:
        dataset = file.create_dataset("images", data=images)
        normalise(dataset, mask, match=True)
        matched = dataset[:]
    assert (matched[:, ~mask] == 128).all()
    histograms = [np.bincount(image[mask], minlength=256) for image in matched]
    assert all((histogram == histograms[0]).all() for histogram in histograms)
    # It is the mean one, as far as a whole number of pixels can be.
    wanted = mean_histogram(iter([images[:, mask]])) * mask.sum()
    assert abs(np.cumsum(histograms[0]) - np.cumsum(wanted)).max() <= 1
    for before, after in zip(images[:20], matched[:20], strict=True):
        order = np.argsort(before[mask], kind="stable")
        levels = before[mask][order].astype(int)
        higher = np.flatnonzero(np.diff(levels))
        values = after[mask][order].astype(int)
        assert all(values[: i + 1].max() <= values[i + 1 :].min() for i in higher[::20])


def test_a_picture_with_the_wanted_histogram_stays(tmp_path):
    image = np.random.default_rng(3).integers(0, 256, (30, 30), dtype=np.uint8)
    inside = np.ones((30, 30), bool)
    assert (match_histogram(image, mean_histogram(iter([image])), inside) == image).all()


def test_oval_lies_in_the_tight_crop():
    tight, wide = oval(200), oval(200, 0.5)
    assert 0.55 < tight.mean() < 0.65 and np.isclose(wide.mean(), tight.mean() / 4, rtol=0.02)
    rows = np.flatnonzero(wide.any(axis=1))
    assert rows.min() >= 49 and rows.max() <= 151
    assert (tight == tight[:, ::-1]).all()

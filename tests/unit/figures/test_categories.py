"""Names beside points of a category each."""

import numpy as np

from facestages.figures.categories import place_boxes


def test_names_beside_crowded_points_do_not_cover_each_other():
    points = np.array([(0.3, 0.5), (0.32, 0.52), (0.31, 0.47), (0.9, 0.95), (0.02, 0.1)])
    sizes = np.tile([0.2, 0.08], (5, 1))
    centres = place_boxes(points, sizes, (0.04, 0.04))
    apart = np.abs(centres[:, None] - centres[None]) >= sizes[0] - 1e-9
    assert (apart.any(axis=2) | np.eye(5, dtype=bool)).all()
    assert (centres - sizes / 2 >= -1e-9).all() and (centres + sizes / 2 <= 1 + 1e-9).all()
    # None is far from its point.
    assert (np.abs(centres - points) <= 0.12 + 1e-9).all()

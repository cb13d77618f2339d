"""LEACE beside the package concept-erasure, where that is installed."""

import numpy as np
import pytest
import torch
from bench.simulated_faces import planted_spaces

from facestages.analysis.erasure import class_axes, whiten

concept_erasure = pytest.importorskip("concept_erasure")


@pytest.mark.parametrize(("label", "complete"), [("identity", 1.0), ("expression", 0.7)])
def test_leace_is_that_of_its_authors(label, complete):
    points, table = planted_spaces(0, 60, people=12, complete=complete)
    names, codes = np.unique(table[label], return_inverse=True)
    # Without the package's own shrinkage and tolerance, which are no part of the closed form.
    settings = {"shrinkage": False, "constrain_cov_trace": False, "svd_tol": 1e-9}
    one_hot = torch.nn.functional.one_hot(torch.from_numpy(codes)).double()
    eraser = concept_erasure.LeaceEraser.fit(torch.from_numpy(points), one_hot, **settings)
    expected = eraser(torch.from_numpy(points)).numpy()
    space = whiten(points, np.ones(len(points), bool))
    axes = class_axes(space, codes)
    assert axes.shape[1] == len(names) - 1
    mean = points.mean(axis=0)
    back = np.linalg.lstsq(space, points - mean, rcond=None)[0]
    np.testing.assert_allclose((space - space @ axes @ axes.T) @ back + mean, expected, atol=1e-8)

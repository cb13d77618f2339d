"""How many principal components stand out from noise.

Parallel analysis (Horn 1965) compares a layer's components with those of unrelated units of the
same variances. Horn draws such units many times. For hundreds of units and pictures a formula gives
the largest variance of their components (Dobriban and Owen 2019, doi:10.1111/rssb.12301), so no
draw is needed.
"""

from __future__ import annotations

import numpy as np
from scipy.optimize import brentq

# 95 % quantile of the Tracy-Widom law of real matrices.
_TRACY_WIDOM = 0.9793


def noise_edge(of_units: np.ndarray, of_pictures: np.ndarray) -> float:
    """Sum of squares that the first principal component of unrelated units exceeds in 5 %.

    ``min over c of m / c + sum_j v_j / (1 - c v_j)``, with ``m = n - 1`` and the units' variances
    ``v_j``, is the upper edge of the generalised Marchenko-Pastur law; the first component varies
    about it by the Tracy-Widom law, in units of ``(m + sum_j (c v_j / (1 - c v_j))^3)^(1/3) / c``
    (El Karoui 2007, doi:10.1214/009117906000000917). With equal variances the edge is
    ``v (sqrt(m) + sqrt(units))^2``.

    Units that are zero for most pictures are large for a few, and these pictures lie far out by
    chance. So the same is asked of the transposed layer, with the pictures' sums of squares in
    place of the units', and the larger answer counts. It is on the safe side: pictures that lie far
    out for a reason raise it too.

    Parameters
    ----------
    of_units : numpy.ndarray, shape (units,)
        Each unit's sum of squares about its mean, over pictures.
    of_pictures : numpy.ndarray, shape (n,)
        Each picture's sum of squares about the mean picture, over units.

    Returns
    -------
    float
        To compare with the eigenvalues of the Gram matrix; 0 if no unit varies.
    """
    units, pictures = (
        squares[squares > 0]
        for squares in (np.asarray(of_units, float), np.asarray(of_pictures, float))
    )
    if not len(units):
        return 0.0
    return max(_edge(units, len(of_pictures) - 1), _edge(pictures, len(units)))


def _edge(squares: np.ndarray, degrees: int) -> float:
    """Edge for columns with these sums of squares, of so many degrees of freedom each."""
    widest = squares.max() / degrees
    ratio = squares / squares.max()

    def slope(c: float) -> float:
        return float(np.square(ratio * c / (1 - ratio * c)).sum()) - degrees

    # The slope rises with c, from below zero to infinity, so that its root lies between 0 and 1.
    c = brentq(slope, 0.0, 1 - 1e-9 / degrees, xtol=1e-12)
    shares = ratio * c / (1 - ratio * c)
    spread = (degrees + float((shares**3).sum())) ** (1 / 3)
    return widest / c * (degrees + float(shares.sum()) + _TRACY_WIDOM * spread)

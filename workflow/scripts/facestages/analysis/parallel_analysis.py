"""How many principal components stand out from noise.

Parallel analysis (Horn 1965) compares a layer's components with those of unrelated units of the
same variances. Horn draws such units many times. For hundreds of units and pictures a formula gives
the largest variance of their components (Dobriban and Owen 2019, doi:10.1111/rssb.12301), so no
draw is needed.
"""

from __future__ import annotations

import numpy as np
from scipy.optimize import brentq


def noise_edge(squares: np.ndarray, n: int) -> float:
    """Largest sum of squares that a principal component of unrelated units reaches.

    ``min over c of m / c + sum_j v_j / (1 - c v_j)``, with ``m = n - 1`` and the units' variances
    ``v_j``: the upper edge of the generalised Marchenko-Pastur law (El Karoui 2007,
    doi:10.1214/009117906000000917). With equal variances it is ``v (sqrt(m) + sqrt(units))^2``.

    Parameters
    ----------
    squares : numpy.ndarray, shape (units,)
        Each unit's sum of squares about its mean, over pictures.
    n : int
        Pictures.

    Returns
    -------
    float
        To compare with the eigenvalues of the Gram matrix; 0 if no unit varies.
    """
    squares = np.asarray(squares, np.float64)
    squares = squares[squares > 0]
    if not len(squares):
        return 0.0
    degrees, widest = n - 1, squares.max() / (n - 1)
    ratio = squares / squares.max()

    def slope(c: float) -> float:
        return float(np.square(ratio * c / (1 - ratio * c)).sum()) - degrees

    # The slope rises with c, from below zero to infinity, so that its root lies between 0 and 1.
    c = brentq(slope, 0.0, 1 - 1e-9 / degrees, xtol=1e-12)
    return widest * (degrees / c + float((ratio / (1 - ratio * c)).sum()))

"""How many principal components stand out from noise.

Parallel analysis (Horn 1965) compares a layer's components with those of units that vary as much
each, and are unrelated. Of the many random draws that this asks for, only the largest variance of a
component matters, and of hundreds of units and pictures that is known beforehand (Dobriban and Owen
2019, doi:10.1111/rssb.12301): no draw is made, and the answer does not change from run to run.
"""

from __future__ import annotations

import numpy as np
from scipy.optimize import brentq

__all__ = ["noise_edge"]


def noise_edge(squares: np.ndarray, n: int) -> float:
    """Largest sum of squares that a principal component of unrelated units reaches.

    The upper edge of the generalised Marchenko-Pastur law, ``min over c of m / c + sum_j v_j /
    (1 - c v_j)`` with ``m = n - 1`` and the units' variances ``v_j`` (El Karoui 2007,
    doi:10.1214/009117906000000917; with equal variances it is ``v (sqrt(m) + sqrt(units))^2``).

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

    # It rises with c from below 0 to infinity: c is found between its bounds, 0 and 1.
    c = brentq(slope, 0.0, 1 - 1e-9 / degrees, xtol=1e-12)
    return widest * (degrees / c + float((ratio / (1 - ratio * c)).sum()))

"""A tiny network and its Grad-CAM, written out in numpy, as a reference for every framework.

Layers: convolution 3 x 3, ReLU, convolution 3 x 3, ReLU, mean over the map, linear. Grad-CAM is of
the first ReLU.
"""

import numpy as np
from scipy.signal import correlate2d

SIZE, N = 12, 5
_rng = np.random.default_rng(0)
FIRST = _rng.normal(0, 0.5, (3, 3, 1, 4)).astype(np.float32)
SECOND = _rng.normal(0, 0.5, (3, 3, 4, 6)).astype(np.float32)
LINEAR = _rng.normal(0, 0.5, (6, 3)).astype(np.float32)
IMAGES = _rng.integers(0, 256, (N, SIZE, SIZE), dtype=np.uint8)
UNITS = np.array([0, 1, 2, 1, 0])


def convolve(maps, kernel):
    """(h, w, c) with (3, 3, c, d), without padding."""
    channels = [
        sum(correlate2d(maps[..., i], kernel[..., i, j], "valid") for i in range(maps.shape[2]))
        for j in range(kernel.shape[3])
    ]
    return np.stack(channels, axis=-1)


def one_picture(image, unit):
    """Activation of the first ReLU, and the gradient of the unit's logit with respect to it."""
    first = np.maximum(convolve(image[..., None] / 255, FIRST.astype(float)), 0)
    second = convolve(first, SECOND.astype(float))
    upstream = (second > 0) * LINEAR[:, unit].astype(float) / second[..., 0].size
    gradient = np.zeros_like(first)
    for row in range(second.shape[0]):
        for column in range(second.shape[1]):
            patch = gradient[row : row + 3, column : column + 3]
            patch += SECOND.astype(float) @ upstream[row, column]
    return first, gradient


def expected_maps():
    """Grad-CAM of each picture, by its definition."""
    maps = []
    for image, unit in zip(IMAGES, UNITS, strict=True):
        activation, gradient = one_picture(image, unit)
        weighted = sum(
            gradient[..., k].mean() * activation[..., k] for k in range(activation.shape[2])
        )
        maps.append(np.maximum(weighted, 0))
    return np.stack([each / max(each.max(), 1e-300) for each in maps])

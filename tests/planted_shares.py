"""People who show expressions, and spaces with planted shares of identity, affect and category."""

import numpy as np

EXPRESSIONS = ["angry", "disgust", "happy", "neutral", "sad"]
AFFECT = {"angry": (-0.6, 0.7), "disgust": (-0.6, 0.3), "happy": (0.8, 0.5), "sad": (-0.6, -0.4)}


def make_design():
    """30 people who show each of five expressions four times, more or less strongly."""
    people = np.repeat(np.arange(30), 20)
    expression = np.tile(np.repeat(np.arange(5), 4), 30)
    strength = np.tile([0.4, 0.7, 1.0, 1.3], 150)
    declared = np.array([AFFECT.get(name, (0.0, 0.0)) for name in EXPRESSIONS])
    return people, expression, declared[expression] * strength[:, None]


def planted(design, identity, affect, category, noise, seed=0):
    """Points of a space with these variances, each in dimensions of its own, and noise in all."""
    people, expression, values = design
    rng = np.random.default_rng(seed)
    scores = np.zeros((len(people), 12))
    scores[:, :4] = rng.normal(size=(30, 4))[people] * np.sqrt(identity / 4)
    scores[:, 4:6] = values / values.std(axis=0) * np.sqrt(affect / 2)
    # Effects of category that are orthogonal to people and to affect.
    of_category = np.eye(5)[expression] - 0.2
    basis = np.column_stack([np.ones(len(values)), values])
    of_category -= basis @ np.linalg.lstsq(basis, of_category, rcond=None)[0]
    scores[:, 6:11] = of_category * np.sqrt(category / of_category.var(axis=0).sum())
    return scores + rng.normal(size=scores.shape) * np.sqrt(noise / 12)


def variance_by_fits(points, *predictors):
    """Adjusted R2 of points on columns of predictors, by least squares."""
    design = np.column_stack([np.ones(len(points)), *predictors])
    fitted, _, rank, _ = np.linalg.lstsq(design, points, rcond=None)
    left, total = (
        (values**2).sum() for values in (points - design @ fitted, points - points.mean(axis=0))
    )
    return 1 - left / total * (len(points) - 1) / (len(points) - rank)

"""Simulated face sets, and layers that carry chosen labels of them."""

import numpy as np
import pandas as pd

_DIMENSIONS = 6
# Dimensions of layers whose variances fall slowly.
_MANY = 150


def portraits(
    seed,
    people=12,
    sessions=2,
    expressions=4,
    effect_of="all",
    present=True,
    session_shift=0.0,
    complete=1.0,
    decay=None,
):
    """Points (n, 6 or 150) and labels of pictures, each of a person, a session and an expression.

    Parameters
    ----------
    seed : int
    people, sessions, expressions : int
    effect_of : {"all", "expression", "identity", "valence", None}
        The label that is tested. The first dimension carries valence.
    present : bool
        Whether the layer carries that label and noise, or all labels but that one.
    session_shift : float
        Size of a shift that all pictures of a session share, as of another lamp.
    complete : float
        Share of the pictures of expression n that are there: ``complete ** n``.
    decay : float, optional
        If given, the layer has 150 dimensions, and the variance of dimension j is ``j ** -decay``.
    """
    scale = _scales(decay)
    rng = np.random.default_rng(seed)
    person, session, shown = (
        axis.ravel()
        for axis in np.meshgrid(*map(np.arange, (people, sessions, expressions)), indexing="ij")
    )
    table = pd.DataFrame(
        {
            "identity": [f"p{n:02d}" for n in person],
            "session": [f"s{n}" for n in session],
            "expression": [f"e{n}" for n in shown],
            "sex": np.where(person % 2, "male", "female"),
            "valence": rng.normal(size=len(person)),
        }
    )
    differ = _carries("identity", effect_of, present)
    table["valence"] += differ * rng.normal(size=people)[person]
    points = rng.normal(size=(len(table), len(scale)))
    if session_shift:
        points += session_shift * rng.normal(size=(sessions, len(scale)))[session]
    if _carries("identity", effect_of, present):
        points += 2.0 * rng.normal(size=(people, len(scale)))[person]
        points += 0.4 * rng.normal(size=(people, sessions, len(scale)))[person, session]
    if _carries("expression", effect_of, present):
        points += 1.2 * _places(expressions, len(scale))[shown]
    # Identities may differ in the slope of valence, whose mean over them may be 0.
    slope = 0.3 * differ * rng.normal(size=people) + 0.5 * _carries("valence", effect_of, present)
    points[:, 0] += slope[person] * table["valence"]
    kept = rng.random(len(table)) < complete**shown
    return (scale * points)[kept], table[kept].reset_index(drop=True)


def video(
    seed,
    people=8,
    frames=48,
    expressions=3,
    effect_of="all",
    present=True,
    memory=0.95,
    decay=None,
):
    """As `portraits`, for videos: expressions in episodes, noise correlated over frames."""
    scale = _scales(decay)
    rng = np.random.default_rng(seed)
    tables, points = [], []
    for person in range(people):
        shown = np.repeat(rng.integers(expressions, size=frames), rng.integers(2, 9, frames))
        # Noise that is correlated over frames; the last column is valence.
        following = rng.normal(size=(frames, len(scale) + 1))
        for frame in range(1, frames):
            following[frame] *= np.sqrt(1 - memory**2)
            following[frame] += memory * following[frame - 1]
        clip, valence = following[:, :-1], following[:, -1] + rng.normal()
        if _carries("identity", effect_of, present):
            clip = clip + 2.5 * rng.normal(size=len(scale))
        if _carries("expression", effect_of, present):
            clip = clip + 1.5 * _places(expressions, len(scale))[shown[:frames]]
        slope = 0.3 * rng.normal() + 0.5 * _carries("valence", effect_of, present)
        clip = clip + np.outer(slope * valence, np.eye(len(scale))[0])
        points.append(scale * clip)
        table = pd.DataFrame({"expression": [f"e{n}" for n in shown[:frames]], "valence": valence})
        tables.append(table.assign(identity=f"p{person:02d}", frame=np.arange(frames)))
    return np.concatenate(points), pd.concat(tables, ignore_index=True)


def sequences(seed, people=16, expressions=3, frames=3, effect_of="all", present=True, decay=None):
    """As `portraits`, for sequences of frames: each shows one expression of one person."""
    points, table = portraits(seed, people, 1, expressions, effect_of, present, decay=decay)
    # Other random numbers than those that the points are made of.
    rng = np.random.default_rng([seed, 1])
    rows = np.repeat(np.arange(len(table)), frames)
    table = table.iloc[rows].reset_index(drop=True)
    table["session"] = table["identity"] + table["expression"]
    table["frame"] = np.tile(np.arange(frames), len(points))
    noise = 0.3 * rng.normal(size=(len(rows), points.shape[1]))
    return points[rows] + _scales(decay) * noise, table


def planted_spaces(
    seed,
    angle=None,
    people=20,
    sessions=2,
    expressions=5,
    dimensions=30,
    size=3,
    identity=1.0,
    expression=1.0,
    noise=0.5,
    complete=1.0,
):
    """Points and labels of posed pictures, with planted subspaces of identity and expression.

    Parameters
    ----------
    seed : int
    angle : float or None
        All principal angles between the two subspaces, in degrees; None for random subspaces.
    people, sessions, expressions : int
    dimensions, size : int
        Of the space, and of each subspace.
    identity, expression, noise : float
        Standard deviation of the effects and of the noise in each dimension. With an angle, the
        effects have the same variance in all dimensions of their subspace.
    complete : float
        Share of the pictures of expression n that are there: ``complete ** n``.
    """
    rng = np.random.default_rng(seed)
    person, session, shown = (
        axis.ravel()
        for axis in np.meshgrid(*map(np.arange, (people, sessions, expressions)), indexing="ij")
    )
    table = pd.DataFrame(
        {
            "stimulus_id": [f"s{n}" for n in range(len(person))],
            "identity": [f"p{n:02d}" for n in person],
            "session": [f"s{n}" for n in session],
            "expression": [f"e{n}" for n in shown],
        }
    )
    points = noise * rng.normal(size=(len(person), dimensions))
    effects = [rng.normal(size=(classes, size)) for classes in (people, expressions)]
    if angle is None:
        axes = [np.linalg.qr(rng.normal(size=(dimensions, size)))[0] for _ in range(2)]
    else:
        both = np.linalg.qr(rng.normal(size=(dimensions, 2 * size)))[0]
        first, apart, turn = both[:, :size], both[:, size:], np.radians(angle)
        axes = [first, np.cos(turn) * first + np.sin(turn) * apart]
        effects = [_with_equal_variances(one) for one in effects]
    points += identity * (effects[0] @ axes[0].T)[person]
    points += expression * (effects[1] @ axes[1].T)[shown]
    kept = rng.random(len(table)) < complete**shown
    return points[kept], table[kept].reset_index(drop=True)


def _with_equal_variances(effects):
    """The same effects (classes, d), uncorrelated and with a variance of 1."""
    left, _, right = np.linalg.svd(effects - effects.mean(axis=0), full_matrices=False)
    return left @ right * np.sqrt(len(effects) - 1)


def _carries(label, effect_of, present):
    """Whether the layer carries a label."""
    if present:
        return effect_of in (label, "all")
    return label != effect_of


def _places(expressions, dimensions):
    """Mean points of the expressions, the same in each simulated set."""
    return np.random.default_rng(99).normal(size=(expressions, dimensions))


def _scales(decay):
    """Standard deviation of each dimension, relative to that of the first."""
    if decay is None:
        return np.ones(_DIMENSIONS)
    return np.arange(1, _MANY + 1) ** (-decay / 2)

"""ARKit shapes: the expressions that are mixtures of them, and the action units that they move.

Every number here is declared; none is measured on people. The recipes are drawings of the
prototypical expressions.
"""

from __future__ import annotations

from collections.abc import Mapping

#: ARKit shapes that have no left and right half.
_MIDLINE = frozenset(
    "browInnerUp cheekPuff jawForward jawLeft jawOpen jawRight mouthClose mouthFunnel mouthLeft "
    "mouthPucker mouthRight mouthRollLower mouthRollUpper mouthShrugLower mouthShrugUpper "
    "tongueOut".split()
)

#: The apex (intensity 1) of each expression: coefficients of ARKit shapes. A shape with two sides
#: is named without its side, and both sides get the coefficient.
RECIPES: dict[str, dict[str, float]] = {
    "angry": {
        "browDown": 1.6,
        "eyeWide": 0.6,
        "noseSneer": 0.6,
        "mouthPress": 0.2,
        "mouthRollLower": 0.75,
        "mouthRollUpper": 0.4,
        "mouthFrown": 0.5,
        "mouthShrugLower": 0.2,
        "jawForward": 0.4,
    },
    "disgust": {
        "noseSneer": 1.1,
        "browDown": 0.9,
        "browInnerUp": 0.1,
        "mouthUpperUp": 0.8,
        "eyeSquint": 0.85,
        "cheekSquint": 0.9,
        "eyeBlink": 0.1,
        "mouthLowerDown": 0.1,
        "mouthFrown": 0.6,
        "mouthShrugLower": 0.6,
        "mouthShrugUpper": 0.1,
    },
    "fear": {
        "browInnerUp": 1.5,
        "browDown": 0.75,
        "eyeWide": 1.4,
        "mouthStretch": 1.25,
        "mouthLowerDown": 0.8,
        "mouthUpperUp": 0.1,
        "jawOpen": 0.4,
    },
    "happy": {
        "mouthSmile": 1.3,
        "cheekSquint": 0.8,
        "mouthUpperUp": 1.1,
        "mouthLowerDown": 0.5,
        "jawOpen": 0.2,
        "eyeSquint": 0.3,
    },
    "sad": {
        "browInnerUp": 1.7,
        "browDown": 0.7,
        "mouthFrown": 1.6,
        "mouthStretch": 0.3,
        "eyeBlink": 0.25,
    },
    "surprise": {
        "browInnerUp": 1.6,
        "browOuterUp": 1.4,
        "eyeWide": 1.4,
        "jawOpen": 0.85,
        "mouthFunnel": 0.6,
        "mouthPucker": 0.4,
        "mouthUpperUp": 0.1,
    },
    "neutral": {},
}

#: FACS action unit -> the ARKit shapes (without sides) that move it. Of several shapes the
#: strongest counts. AU 25 (lips part) has no shape of its own.
ACTION_UNITS: dict[int, tuple[str, ...]] = {
    1: ("browInnerUp",),
    2: ("browOuterUp",),
    4: ("browDown",),
    5: ("eyeWide",),
    6: ("cheekSquint",),
    7: ("eyeSquint",),
    9: ("noseSneer",),
    10: ("mouthUpperUp",),
    12: ("mouthSmile",),
    14: ("mouthDimple",),
    15: ("mouthFrown",),
    16: ("mouthLowerDown",),
    17: ("mouthShrugLower", "mouthShrugUpper"),
    18: ("mouthPucker",),
    20: ("mouthStretch",),
    22: ("mouthFunnel",),
    24: ("mouthPress",),
    25: ("mouthUpperUp", "mouthLowerDown", "jawOpen"),
    26: ("jawOpen",),
    28: ("mouthRollUpper", "mouthRollLower"),
    29: ("jawForward",),
    43: ("eyeBlink",),
}


def sided(shape: str) -> tuple[str, ...]:
    """Name the ARKit shapes that `shape` stands for: itself, or its left and right half."""
    return (shape,) if shape in _MIDLINE else (f"{shape}Left", f"{shape}Right")


#: Every ARKit shape that a recipe uses; the other coefficients are always zero.
SHAPES: tuple[str, ...] = tuple(
    sorted({name for recipe in RECIPES.values() for shape in recipe for name in sided(shape)})
)

#: The action units that the recipes can move.
MOVED_UNITS: tuple[int, ...] = tuple(
    unit
    for unit, shapes in ACTION_UNITS.items()
    if any(name in SHAPES for shape in shapes for name in sided(shape))
)


def apex(expression: str) -> dict[str, float]:
    """Coefficients of the ARKit shapes, with sides, of an expression at intensity 1."""
    return {name: value for shape, value in RECIPES[expression].items() for name in sided(shape)}


def action_units(coefficients: Mapping[str, float]) -> dict[int, float]:
    """Translate ARKit coefficients, by name with sides, into the action units `MOVED_UNITS`.

    A unit is the mean of left and right of its shape, or of its strongest one, clipped to [0, 1]. A
    missing coefficient is 0.
    """
    units = {}
    for unit in MOVED_UNITS:
        strengths = []
        for shape in ACTION_UNITS[unit]:
            sides = sided(shape)
            strengths.append(sum(coefficients.get(name, 0.0) for name in sides) / len(sides))
        units[unit] = min(max(max(strengths), 0.0), 1.0)
    return units

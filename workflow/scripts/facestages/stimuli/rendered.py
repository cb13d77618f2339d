"""Rendered faces: the painter, and the three face sets drawn with it.

Every picture is a function of the seed and of its own number alone, so that the bytes are the same
whatever the number of threads.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple

import numba
import numpy as np
import pandas as pd
from PIL import Image, ImageFilter

from facestages.errors import FacestagesError, did_you_mean
from facestages.progress import progress
from facestages.stimuli import EXPRESSIONS, StimulusSet, recipes, write_stimuli
from facestages.stimuli.luminance import control_luminance
from facestages.stimuli.render.head_model import (
    BODY,
    EYE,
    HAIR,
    LASHES,
    SEXES,
    TEETH,
    TONGUE,
    Appearance,
    Head,
    Identity,
    express,
    load_head,
    sample_identity,
)

_SUPERSAMPLING = 2
_CAMERA_DISTANCE = 14.0  # decimetres
_DISPLAY_GAMMA = 2.2

# Where the eyes stand in a tight crop, as in FER2013: part of the height from the upper edge, and
# the distances from the eyes to the tip of the chin and from cheek to cheek as parts of the height.
_EYE_LINE = 0.385
_EYES_TO_CHIN = 0.60
_CHEEK_TO_CHEEK = 0.81

# How far from the painted brow its vertices may lie, decimetres; and the room around the regions of
# a face, as a part of the eyes' width.
_BROW_ROOM = 0.02
_REGION_ROOM = 0.05

_kernel = numba.njit(cache=True, nogil=True)


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


class Lines(NamedTuple):
    """How deep the wrinkles are that an expression draws, 0 to about 1."""

    frown: float
    forehead: float
    nose: float
    cheek: float


class _Mesh(NamedTuple):
    """What the kernels need of a `Head`."""

    template: np.ndarray
    triangles: np.ndarray
    uv: np.ndarray
    materials: np.ndarray
    masks: np.ndarray
    eyes: np.ndarray  # the centres of the two balls in the template


# ------------------------------------------------------------------------------------ the painter


@_kernel
def _step(x, low, high):
    """Rise smoothly from 0 at `low` to 1 at `high`."""
    t = min(max((x - low) / (high - low), 0.0), 1.0)
    return t * t * (3.0 - 2.0 * t)


@_kernel
def _hash(i, j):
    """Turn two integers into a number in [0, 1)."""
    n = (i * 374761393 + j * 668265263) & 0xFFFFFFFF
    n = ((n ^ (n >> 13)) * 1274126177) & 0xFFFFFFFF
    return ((n ^ (n >> 16)) & 0xFFFFFF) / 16777216.0


@_kernel
def _noise(x, y):
    """Smooth noise in [0, 1) with a grain of 1."""
    i, j = int(math.floor(x)), int(math.floor(y))
    u, v = x - i, y - j
    u, v = u * u * (3.0 - 2.0 * u), v * v * (3.0 - 2.0 * v)
    low = _hash(i, j) * (1.0 - u) + _hash(i + 1, j) * u
    high = _hash(i, j + 1) * (1.0 - u) + _hash(i + 1, j + 1) * u
    return low * (1.0 - v) + high * v


@_kernel
def _strands(x, y, z, phase):
    """Light and dark strands that run from the crown down, 0 to 1."""
    around = math.atan2(x, z - 0.3)
    fine = _noise(around * 75.0 + phase, y * 2.5 + 3.0 * z)
    return 0.6 * fine + 0.4 * _noise(around * 17.0 - phase, y * 3.0)


@_kernel
def _hair_cover(x, y, z, look, strand):
    """Where the scalp carries hair, 0 to 1, at a point of the template."""
    side = abs(x)
    front = _step(z, 0.1, 1.0)
    edge = 7.05 + (0.97 + look.hairline) * front
    edge += look.temples * _step(side, 0.15, 0.5) * _step(z, 0.5, 1.0)
    edge += 0.15 * _step(z, -0.15, 0.35) * (1.0 - _step(z, 0.55, 0.8)) * _step(side, 0.5, 0.7)
    edge += 0.05 * (_noise(2.5 * x + look.phase, 0.5) - 0.5)
    cover = _step(y - edge + 0.16 * (strand - 0.5), -0.1, 0.1)
    cover *= 1.0 - _step(side, 0.74, 0.79) * (1.0 - _step(y, 7.42, 7.5))  # the ears
    if look.long_hair > 0.5:
        cover = max(cover, _step(-z, -0.25, 0.0) * _step(y, 5.6, 5.9))
    return cover


@_kernel
def _grow_hair(template, look, out):
    """Write how far the hair lifts each vertex, in decimetres."""
    for v in range(len(template)):
        cover = _hair_cover(template[v, 0], template[v, 1], template[v, 2], look, 0.5)
        out[v] = look.volume * cover


@_kernel
def _vertex_normals(points, triangles, out):
    """Write the unit normal of each vertex, the mean of its triangles weighted by area."""
    out[:] = 0.0
    for t in range(len(triangles)):
        a, b, c = triangles[t, 0], triangles[t, 1], triangles[t, 2]
        ux, uy = points[b, 0] - points[a, 0], points[b, 1] - points[a, 1]
        vx, vy = points[c, 0] - points[a, 0], points[c, 1] - points[a, 1]
        uz, vz = points[b, 2] - points[a, 2], points[c, 2] - points[a, 2]
        nx, ny, nz = uy * vz - uz * vy, uz * vx - ux * vz, ux * vy - uy * vx
        for k in range(3):
            v = triangles[t, k]
            out[v, 0] += nx
            out[v, 1] += ny
            out[v, 2] += nz
    for v in range(len(out)):
        length = math.sqrt(out[v, 0] ** 2 + out[v, 1] ** 2 + out[v, 2] ** 2) + 1e-12
        out[v, 0] /= length
        out[v, 1] /= length
        out[v, 2] /= length


@_kernel
def _hollows(points, triangles, normals, out):
    """Write how far each vertex lies in a hollow: the mean slope up to its neighbours."""
    out[:] = 0.0
    count = np.zeros(len(points), np.int32)
    for t in range(len(triangles)):
        for k in range(3):
            a, b = triangles[t, k], triangles[t, (k + 1) % 3]
            dx = points[b, 0] - points[a, 0]
            dy = points[b, 1] - points[a, 1]
            dz = points[b, 2] - points[a, 2]
            length = math.sqrt(dx * dx + dy * dy + dz * dz) + 1e-9
            out[a] += (dx * normals[a, 0] + dy * normals[a, 1] + dz * normals[a, 2]) / length
            out[b] -= (dx * normals[b, 0] + dy * normals[b, 1] + dz * normals[b, 2]) / length
            count[a] += 1
            count[b] += 1
    for v in range(len(points)):
        out[v] /= max(count[v], 1)


@_kernel
def _is_ragged(around, down):
    """Whether the curtain of hair has come to its frayed edge."""
    edge = min(around, 1.0 - around)
    return edge < 0.045 * _noise(9.0 * down, math.floor(2.0 * around)) or (
        down > 0.9 + 0.1 * _noise(60.0 * around, 0.5)
    )


@_kernel
def _rasterise(screen, mesh, n_triangles, owner, weights):
    """Find the nearest triangle at each pixel, and the weights of its first two corners."""
    triangles, uv, materials = mesh.triangles, mesh.uv, mesh.materials
    rows, columns = owner.shape
    depth = np.full((rows, columns), -1e9, np.float32)
    owner[:] = -1
    for t in range(n_triangles):
        a, b, c = triangles[t, 0], triangles[t, 1], triangles[t, 2]
        x0, y0, x1, y1 = screen[a, 0], screen[a, 1], screen[b, 0], screen[b, 1]
        x2, y2 = screen[c, 0], screen[c, 1]
        area = (y1 - y2) * (x0 - x2) + (x2 - x1) * (y0 - y2)
        # Skin has an outside only; lashes and hair are sheets and have two.
        sheet = materials[t] == LASHES or materials[t] == HAIR
        if abs(area) < 1e-9 or (area > 0.0 and not sheet):
            continue
        # Squinting lids would let the ball show through, and pressed lips the teeth.
        push = 0.0
        if materials[t] == EYE:
            push = 0.025
        elif materials[t] == TEETH:
            push = 0.08
        elif materials[t] == TONGUE:
            push = 0.13
        left = max(0, int(math.floor(min(x0, x1, x2) - 0.5)))
        right = min(columns - 1, int(math.ceil(max(x0, x1, x2))))
        top = max(0, int(math.floor(min(y0, y1, y2) - 0.5)))
        bottom = min(rows - 1, int(math.ceil(max(y0, y1, y2))))
        for row in range(top, bottom + 1):
            for column in range(left, right + 1):
                x, y = column + 0.5, row + 0.5
                w0 = ((y1 - y2) * (x - x2) + (x2 - x1) * (y - y2)) / area
                w1 = ((y2 - y0) * (x - x2) + (x0 - x2) * (y - y2)) / area
                w2 = 1.0 - w0 - w1
                if w0 < 0.0 or w1 < 0.0 or w2 < 0.0:
                    continue
                z = w0 * screen[a, 2] + w1 * screen[b, 2] + w2 * screen[c, 2] - push
                if materials[t] == HAIR and _is_ragged(
                    w0 * uv[t, 0, 0] + w1 * uv[t, 1, 0] + w2 * uv[t, 2, 0],
                    w0 * uv[t, 0, 1] + w1 * uv[t, 1, 1] + w2 * uv[t, 2, 1],
                ):
                    continue
                if z > depth[row, column]:
                    depth[row, column] = z
                    owner[row, column] = t
                    weights[row, column, 0] = w0
                    weights[row, column, 1] = w1


@_kernel
def _brow_cover(x, y, z, look):
    """How densely the eyebrow covers a point of the template, 0 to 1."""
    side = abs(x)
    if z < 0.9 or side < 0.08 or side > 0.68 or abs(y - 7.5) > 0.2:
        return 0.0
    along = min(max((side - 0.12) / 0.5, 0.0), 1.0)
    middle = 7.46 + look.brow_height + look.brow_arch * math.sin(math.pi * along**0.8)
    middle -= 0.02 * along
    half_width = look.brow_width * (1.0 - 0.6 * _step(side, 0.3, 0.62))
    hairs = _noise(110.0 * side + 50.0 * (y - middle) + look.phase, 9.0 * y)
    cover = _step(1.15 - abs(y - middle) / half_width + 0.35 * (hairs - 0.5), 0.0, 0.7)
    ends = _step(side, 0.11, 0.2) * (1.0 - _step(side, 0.55, 0.64))
    return cover * ends * (0.85 + 0.15 * hairs)


@_kernel
def _wrinkles(x, y, z, lines):
    """How dark the wrinkles of the expression are at a point of the template, 0 to 1."""
    if z < 0.8:
        return 0.0
    side = abs(x)
    dark = 0.0
    if lines.frown > 0.0 and side < 0.2:
        upright = math.exp(-(((side - 0.07) / 0.022) ** 2))
        dark += lines.frown * upright * _step(y, 7.36, 7.46) * (1.0 - _step(y, 7.54, 7.68))
    if lines.forehead > 0.0 and y > 7.6:
        waves = 0.5 + 0.5 * math.cos(2.0 * math.pi * (y - 7.68 - 0.06 * side) / 0.1)
        inside = _step(y, 7.6, 7.66) * (1.0 - _step(y, 7.84, 7.94)) * (1.0 - _step(side, 0.3, 0.5))
        dark += 0.6 * lines.forehead * waves**3 * inside
    if lines.nose > 0.0 and side < 0.22 and 7.05 < y < 7.4:
        waves = 0.5 + 0.5 * math.cos(2.0 * math.pi * (y + 0.5 * side) / 0.075)
        inside = _step(y, 7.08, 7.16) * (1.0 - _step(y, 7.28, 7.38))
        inside *= _step(side, 0.0, 0.06) * (1.0 - _step(side, 0.12, 0.2))
        dark += lines.nose * waves**2 * inside
    if lines.cheek > 0.0 and 6.6 < y < 7.0:
        fold = 0.22 + 0.75 * (6.98 - y) - 0.4 * (6.98 - y) ** 2
        near = math.exp(-(((side - fold) / 0.03) ** 2))
        dark += lines.cheek * near * _step(y, 6.62, 6.74) * (1.0 - _step(y, 6.92, 7.0))
    return min(dark, 1.0)


@_kernel
def _skin(x, y, z, lips, mouth, lids, look, lines):
    """Return reflectance and gloss of the body at a point of the template."""
    patches = _noise(7.0 * x + look.phase, 7.0 * y) + 0.5 * _noise(31.0 * x, 31.0 * y + look.phase)
    shade = look.skin * (1.0 + look.mottling * (patches - 0.75) * 2.0)
    gloss = 0.07
    if z > 0.6:
        shade *= 1.0 - 0.25 * lids
        shade *= 1.0 - (0.45 + 0.25 * look.age) * _wrinkles(x, y, z, lines)
        if look.beard > 0.0 and y < 6.98:
            stubble = _noise(70.0 * x + look.phase, 55.0 * y)
            edge = 6.62 + 0.55 * abs(x) ** 1.5
            jaw = _step(edge - y, -0.05, 0.1)
            lip = _step(y, 6.78, 6.83) * (1.0 - _step(y, 6.9, 6.97))
            lip *= 1.0 - _step(abs(x), 0.24, 0.34)
            cover = look.beard * max(jaw, lip) * (1.0 - lips) * (0.5 + 0.6 * stubble)
            shade += (look.hair - shade) * min(cover, 0.95)
        shade *= 1.0 - lips * (1.0 - look.lips)
        gloss += 0.12 * lips
        brow = _brow_cover(x, y, z, look)
        shade += (look.brow - shade) * 0.92 * brow
        gloss *= 1.0 - brow
        inner = mouth * (1.0 - lips)
        shade += (0.04 - shade) * inner
        gloss *= 1.0 - inner
    if y > 7.5 or z < 0.9:
        strand = _strands(x, y, z, look.phase)
        cover = _hair_cover(x, y, z, look, strand)
        tone = look.hair * (0.45 + 1.1 * strand)
        shade += (tone - shade) * cover
        gloss *= 1.0 - 0.6 * cover
    return shade, gloss


@_kernel
def _eyeball(x, y, z, centre, look):
    """Return the reflectance of the eyeball at a point of the template."""
    dx, dy, dz = x - centre[0], y - centre[1], z - centre[2]
    radius = math.sqrt(dx * dx + dy * dy + dz * dz) + 1e-9
    angle = math.acos(min(max(dz / radius, -1.0), 1.0))
    white = 0.62 * (1.0 - 0.5 * _step(angle, 0.6, 1.2))
    iris = look.iris * (1.0 - 0.7 * _step(angle, 0.36, 0.46))
    shade = iris + (white - iris) * _step(angle, 0.44, 0.5)
    return 0.005 + (shade - 0.005) * _step(angle, 0.17, 0.21)


@_kernel
def _shade(owner, weights, mesh, normals, hollows, look, lines, view, picture):
    """Write the light that each pixel sends to the camera, before exposure."""
    triangles, uv, materials = mesh.triangles, mesh.uv, mesh.materials
    template, masks, eyes = mesh.template, mesh.masks, mesh.eyes
    rows, columns = owner.shape
    size = masks.shape[1]
    length = math.sqrt(view.light_x**2 + view.light_y**2 + view.light_z**2)
    lx, ly, lz = view.light_x / length, view.light_y / length, view.light_z / length
    half = math.sqrt(lx * lx + ly * ly + (lz + 1.0) ** 2)
    hx, hy, hz = lx / half, ly / half, (lz + 1.0) / half
    for row in range(rows):
        for column in range(columns):
            t = owner[row, column]
            if t < 0:
                slope = 1.0 + view.gradient * ((column + 0.5) / columns - 0.5)
                picture[row, column] = view.background * max(slope, 0.0)
                continue
            a, b, c = triangles[t, 0], triangles[t, 1], triangles[t, 2]
            w0, w1 = weights[row, column, 0], weights[row, column, 1]
            w2 = 1.0 - w0 - w1
            x = w0 * template[a, 0] + w1 * template[b, 0] + w2 * template[c, 0]
            y = w0 * template[a, 1] + w1 * template[b, 1] + w2 * template[c, 1]
            z = w0 * template[a, 2] + w1 * template[b, 2] + w2 * template[c, 2]
            nx = w0 * normals[a, 0] + w1 * normals[b, 0] + w2 * normals[c, 0]
            ny = w0 * normals[a, 1] + w1 * normals[b, 1] + w2 * normals[c, 1]
            nz = w0 * normals[a, 2] + w1 * normals[b, 2] + w2 * normals[c, 2]
            scale = 1.0 / (math.sqrt(nx * nx + ny * ny + nz * nz) + 1e-9)
            nx, ny, nz = nx * scale, ny * scale, nz * scale
            hollow = w0 * hollows[a] + w1 * hollows[b] + w2 * hollows[c]
            occlusion = 1.0 - min(max(2.2 * hollow, -0.15), 0.6)
            material = materials[t]
            hardness = 14.0
            if material == BODY:
                lips, mouth, lids = 0.0, 0.0, 0.0
                if z > 0.6:
                    u = w0 * uv[t, 0, 0] + w1 * uv[t, 1, 0] + w2 * uv[t, 2, 0]
                    v = w0 * uv[t, 0, 1] + w1 * uv[t, 1, 1] + w2 * uv[t, 2, 1]
                    i = min(max(int((1.0 - v) * size), 0), size - 1)
                    j = min(max(int(u * size), 0), size - 1)
                    lips = masks[0, i, j] / 255.0
                    mouth = masks[1, i, j] / 255.0
                    lids = masks[2, i, j] / 255.0
                shade, gloss = _skin(x, y, z, lips, mouth, lids, look, lines)
            elif material == EYE:
                centre = eyes[0] if x > 0.0 else eyes[1]
                shade, gloss, hardness = _eyeball(x, y, z, centre, look), 0.9, 90.0
                # The upper lid throws its shadow on the ball.
                occlusion = 1.0 - 0.6 * _step((y - centre[1]) / 0.14, -0.1, 0.5)
            elif material == TEETH:
                gap = 0.5 + 0.5 * math.cos(2.0 * math.pi * x / 0.085)
                shade, gloss, hardness = 0.55 - 0.12 * gap**6, 0.15, 40.0
                # The back teeth lie in the dark of the cheeks.
                occlusion = 0.1 + 0.9 * _step(z, 1.15, 1.45)
                occlusion *= 1.0 - 0.85 * _step(abs(x), 0.12, 0.24)
            elif material == LASHES:
                shade, gloss, occlusion = 0.01, 0.0, 1.0
            elif material == HAIR:
                shade = look.hair * (0.45 + 1.1 * _strands(x, y, z, look.phase))
                gloss, occlusion = 0.03, 1.0
                if nz < 0.0:  # the inside of the curtain, in the shadow of the head
                    nx, ny, nz, occlusion = -nx, -ny, -nz, 0.35
            else:
                shade, gloss, occlusion = 0.12, 0.05, 0.1 + 0.6 * _step(z, 0.9, 1.45)
            direct = max(nx * lx + ny * ly + nz * lz, 0.0)
            sky = 0.75 + 0.25 * ny
            shine = max(nx * hx + ny * hy + nz * hz, 0.0) ** hardness
            light = view.ambient * sky + (1.0 - view.ambient) * 1.15 * direct
            key = 1.0 - view.ambient
            picture[row, column] = occlusion * (shade * light + 0.5 * gloss * key * shine)


@_kernel
def _develop(picture, exposure, gamma, step, out):
    """Average blocks of `step` x `step` pixels and turn light into display values."""
    for row in range(out.shape[0]):
        for column in range(out.shape[1]):
            total = 0.0
            for i in range(step):
                for j in range(step):
                    total += picture[row * step + i, column * step + j]
            light = exposure * total / (step * step)
            # A soft shoulder instead of burnt-out highlights.
            light = light if light < 0.6 else 1.0 - 0.16 / (light - 0.2)
            out[row, column] = light ** (1.0 / gamma)


def _mesh(head: Head) -> _Mesh:
    eyes = np.stack([head.vertices[ball].mean(axis=0) for ball in head.eyes])
    return _Mesh(head.vertices, head.triangles, head.uv, head.materials, head.masks, eyes)


class _Person(NamedTuple):
    """An identity with its hair grown, ready to be painted again and again."""

    identity: Identity
    vertices: np.ndarray
    landmarks: tuple[np.ndarray, ...]  # the vertices of eyes, brows and mouth


def _grow(head: Head, identity: Identity) -> _Person:
    """Lift the scalp and the curtain by the thickness of the hair."""
    lift = np.zeros(len(head.vertices), np.float32)
    _grow_hair(head.vertices, identity.appearance, lift)
    scalp = np.zeros(len(lift), bool)
    scalp[head.triangles[head.materials == BODY]] = True
    scalp[head.triangles[head.materials == HAIR]] = True
    normals = np.empty_like(identity.vertices)
    _vertex_normals(identity.vertices, head.triangles, normals)
    vertices = identity.vertices + normals * (lift * scalp)[:, None]
    return _Person(identity, vertices, _landmarks(head, identity.appearance))


def _landmarks(head: Head, look: Appearance) -> tuple[np.ndarray, ...]:
    """Vertices of the eyelids, of the brows as they are painted, and of the lips."""
    x, y, z = head.vertices.T
    side = np.abs(x)
    along = np.clip((side - 0.12) / 0.5, 0.0, 1.0)
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


def _rotation(yaw: float, pitch: float, roll: float) -> np.ndarray:
    cy, sy = math.cos(yaw), math.sin(yaw)
    cp, sp = math.cos(pitch), math.sin(pitch)
    cr, sr = math.cos(roll), math.sin(roll)
    turn = np.array([[cy, 0, sy], [0, 1, 0], [-sy, 0, cy]])
    nod = np.array([[1, 0, 0], [0, cp, -sp], [0, sp, cp]])
    tilt = np.array([[cr, -sr, 0], [sr, cr, 0], [0, 0, 1]])
    return tilt @ nod @ turn


def _project(head: Head, person: _Person, points: np.ndarray, view: View, size: int):
    """Turn the head before the camera.

    Returns the points in camera coordinates, and their columns, rows and depths in a picture of
    `size` x `size` pixels: the tight crop that eyes, cheeks and chin of the neutral face define.
    """
    neutral = person.identity.vertices
    eyes = 0.5 * (neutral[head.eyes[0]].mean(axis=0) + neutral[head.eyes[1]].mean(axis=0))
    height = float(eyes[1] - neutral[head.chin, 1]) / _EYES_TO_CHIN
    width = float(np.ptp(neutral[head.cheeks, 0])) / _CHEEK_TO_CHEEK
    height = 0.5 * (height + width)
    # An open mouth lowers the chin; a face detector would follow part of the way.
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


def _lines(coefficients: dict[str, float]) -> Lines:
    """Say how deep the wrinkles are that the mesh is too coarse to fold."""
    units = recipes.action_units(coefficients)
    return Lines(
        frown=0.9 * units[4] * (1.0 - 0.5 * units[1]),
        forehead=0.8 * units[1],
        nose=0.9 * units[9],
        cheek=min(0.6 * units[9] + 0.4 * units[12] + 0.3 * units[10] + 0.2 * units[15], 1.0),
    )


def _pose(head: Head, person: _Person, coefficients: dict[str, float]) -> np.ndarray:
    """Move the face of a person whose hair is grown; float32, shape (v, 3)."""
    amounts = np.array([coefficients.get(name, 0.0) for name in head.shapes])
    return person.vertices + (express(head, person.identity, amounts) - person.identity.vertices)


def _paint(
    head: Head,
    person: _Person,
    coefficients: dict[str, float],
    view: View,
    size: int,
    rng: np.random.Generator,
) -> tuple[np.ndarray, np.ndarray]:
    """Draw one picture, uint8, `size` x `size`, and say where `REGIONS` are in it."""
    look = person.identity.appearance
    points = _pose(head, person, coefficients)
    large = size * _SUPERSAMPLING
    camera, screen = _project(head, person, points, view, large)
    normals = np.empty_like(camera)
    _vertex_normals(camera, head.triangles, normals)
    hollows = np.empty(len(camera), np.float32)
    _hollows(camera, head.triangles, normals, hollows)
    owner = np.empty((large, large), np.int32)
    weights = np.empty((large, large, 2), np.float32)
    n_triangles = len(head.triangles)
    if look.long_hair < 0.5:
        n_triangles -= int(np.count_nonzero(head.materials == HAIR))
    mesh = _mesh(head)
    _rasterise(screen, mesh, n_triangles, owner, weights)
    picture = np.empty((large, large), np.float32)
    _shade(owner, weights, mesh, normals, hollows, look, _lines(coefficients), view, picture)
    developed = np.empty((size, size), np.float32)
    _develop(picture, view.exposure, _DISPLAY_GAMMA, _SUPERSAMPLING, developed)
    return _photograph(developed, view, rng), _find_regions(person, screen / large)


def _find_regions(person: _Person, screen: np.ndarray) -> np.ndarray:
    """Boxes around projected landmarks: float32, shape (3, 4), as `StimulusSet.regions`.

    Parameters
    ----------
    person : _Person
    screen : numpy.ndarray, shape (v, 3)
        Column and row of each vertex as fractions of the picture.
    """
    places = [screen[vertices, 1::-1] for vertices in person.landmarks]
    boxes = np.array([[*place.min(axis=0), *place.max(axis=0)] for place in places])
    room = _REGION_ROOM * (boxes[0, 3] - boxes[0, 1])
    boxes += room * np.array([-1.0, -1.0, 1.0, 1.0])
    # Eyes and brows may touch: what belongs to both is shared out in the middle.
    eyes, brows = boxes[:2]
    if brows[2] > eyes[0]:
        brows[2] = eyes[0] = 0.5 * (brows[2] + eyes[0])
    # Rounded, so that they do not depend on the last digits of a machine's sine.
    return np.clip(boxes, 0.0, 1.0).round(4).astype(np.float32)


def _photograph(picture: np.ndarray, view: View, rng: np.random.Generator) -> np.ndarray:
    """Add the camera's blur and grain."""
    if view.noise > 0.0:
        picture = picture + rng.normal(0.0, view.noise, picture.shape)
    grey = np.clip(picture * 255.0 + 0.5, 0.0, 255.0).astype(np.uint8)
    if view.blur > 0.0:
        soft = ImageFilter.GaussianBlur(view.blur * len(grey))
        grey = np.asarray(Image.fromarray(grey).filter(soft))
    return grey


# ----------------------------------------------------------------------------- the three designs


def _exposure(look: Appearance, gain: float = 1.0) -> float:
    """Expose as a camera would: halfway towards the same brightness for every skin."""
    return gain * (0.4 / look.skin) ** 0.65


def _act(
    head: Head,
    person: _Person,
    expression: str,
    intensity: float,
    rng: np.random.Generator,
    variation: float,
) -> dict[str, float]:
    """The coefficients of one performance: recipe, personal style, and chance."""
    style = dict(zip(head.shapes, person.identity.style, strict=True))
    lean = rng.normal(0.0, 0.5 * variation)  # one half of the face moves more than the other
    coefficients = {}
    for name, value in recipes.apex(expression).items():
        side = 1.0 + lean * (name.endswith("Left") - name.endswith("Right"))
        chance = 1.0 + variation * rng.normal()
        coefficients[name] = max(value * intensity * style[name] * side * chance, 0.0)
    return coefficients


def _label(expression: str, intensity: float, coefficients: dict[str, float]) -> dict[str, object]:
    valence, arousal = recipes.CIRCUMPLEX[expression]
    row: dict[str, object] = {
        "expression": expression,
        "intensity": intensity,
        "valence": min(max(valence * intensity, -1.0), 1.0),
        "arousal": min(max(arousal * intensity, -1.0), 1.0),
    }
    row |= {f"shape_{name}": coefficients.get(name, 0.0) for name in recipes.SHAPES}
    row |= {f"au_{unit:02d}": x for unit, x in recipes.action_units(coefficients).items()}
    return row


# Its labels, the picture, and where the regions of the face are.
_Picture = tuple[dict[str, object], np.ndarray, np.ndarray]


def _collect(
    tasks: Iterable[Callable[[], list[_Picture]]], design: str, seed: int, threads: int
) -> StimulusSet:
    """Run the tasks, one a person, and join their pictures in the order of the tasks."""
    tasks = list(tasks)
    with ThreadPoolExecutor(threads) as pool:
        done = pool.map(lambda task: task(), tasks)
        pictures = [p for some in progress(done, f"render {design}", len(tasks)) for p in some]
    rows, images, regions = zip(*pictures, strict=True)
    labels = pd.DataFrame(rows)
    sources = dict.fromkeys(labels.columns.drop("stimulus_id"), "rendered")
    declared = "rendered: declared circumplex position, not a human rating"
    sources |= {"valence": declared, "arousal": declared}
    known = {"rendered": 1, "design": design, "seed": seed}
    return StimulusSet(np.stack(images), labels, sources, known, regions=np.stack(regions))


def _require_count(name: str, value: object, least: int, most: int | None = None) -> None:
    whole = isinstance(value, (int, np.integer)) and not isinstance(value, bool)
    if not whole or value < least or (most is not None and value > most):
        limits = f"from {least} to {most}" if most is not None else f"of at least {least}"
        raise FacestagesError(f"{name} must be a whole number {limits}, not {value!r}")


def _require_common(size: int, seed: int, threads: int) -> None:
    _require_count("size", size, 16, 1024)
    _require_count("seed", seed, 0)
    _require_count("threads", threads, 1)


# The first numbers of every stream of random numbers, so that the designs share no faces.
_WILD, _POSED, _VIDEO, _PORTRAIT = 1, 2, 3, 4


def render_wild(
    head: Head,
    *,
    people: int,
    images: int,
    size: int = 48,
    seed: int,
    expressions: Sequence[str] = EXPRESSIONS,
    threads: int = 1,
) -> StimulusSet:
    """Draw many people under all sorts of conditions, as in FER2013.

    Parameters
    ----------
    head : Head
    people, images : int
        How many people there are, and how many pictures of all of them together.
    size : int
        Rows and columns of a picture.
    seed : int
        The same seed gives the same bytes.
    expressions : sequence of str
        The expressions, some of `EXPRESSIONS`; each gets the same number of pictures, give or
        take one.
    threads : int
        How many pictures are drawn at a time. The result does not depend on it.

    Returns
    -------
    StimulusSet
        In the order of the people.

    Raises
    ------
    FacestagesError
        If an argument is not valid.
    """
    _require_common(size, seed, threads)
    _require_count("people", people, 1)
    _require_count("images", images, people)
    if not len(expressions):
        raise FacestagesError("expressions is empty: name at least one expression")
    for name in expressions:
        if name not in EXPRESSIONS:
            raise FacestagesError(
                f"expression '{name}' is not known: {did_you_mean(name, EXPRESSIONS)}"
            )
    bounds = np.linspace(0, images, people + 1).astype(int)

    def person(number: int) -> list[_Picture]:
        rng = np.random.default_rng([seed, _WILD, number])
        someone = _grow(head, sample_identity(head, rng))
        pictures = []
        for index in range(bounds[number], bounds[number + 1]):
            rng = np.random.default_rng([seed, _WILD, number, index])
            expression = expressions[index % len(expressions)]
            intensity = float(rng.uniform(0.6, 1.1)) if expression != "neutral" else 0.0
            coefficients = _act(head, someone, expression, intensity, rng, 0.12)
            view = _wild_view(someone.identity.appearance, rng)
            row = {"stimulus_id": f"wild/{index:06d}", "identity": f"W{number + 1:05d}"}
            row |= {"sex": someone.identity.sex} | _label(expression, intensity, coefficients)
            pictures.append((row, *_paint(head, someone, coefficients, view, size, rng)))
        return pictures

    tasks = ((lambda n=n: person(n)) for n in range(people))
    return _collect(tasks, "wild", seed, threads)


def _wild_view(look: Appearance, rng: np.random.Generator) -> View:
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


def render_posed(
    head: Head,
    *,
    people: int = 70,
    sessions: int = 2,
    size: int = 192,
    seed: int,
    threads: int = 1,
) -> StimulusSet:
    """Draw half women and half men who pose every expression in every session, as in KDEF.

    Parameters
    ----------
    head : Head
    people : int
        Women ``F01, F02, ...`` and men ``M01, M02, ...``; of an odd number the last is a woman.
    sessions : int
        A, B, ...: another day, with other hair, light, background and a little other pose.
    size, seed, threads
        As in `render_wild`.

    Returns
    -------
    StimulusSet
        Of ``people * sessions * 7`` pictures.

    Raises
    ------
    FacestagesError
        If an argument is not valid.
    """
    _require_common(size, seed, threads)
    _require_count("people", people, 1)
    _require_count("sessions", sessions, 1, 26)

    def person(sex: int, number: int) -> list[_Picture]:
        name = f"{'FM'[sex]}{number + 1:02d}"
        rng = np.random.default_rng([seed, _POSED, sex, number])
        identity = sample_identity(head, rng, SEXES[sex])
        pictures = []
        for session in range(sessions):
            rng = np.random.default_rng([seed, _POSED, sex, number, session])
            someone, studio = _arrive(head, identity, rng)
            for expression in EXPRESSIONS:
                intensity, coefficients, view = _sit(head, someone, studio, expression, rng)
                letter = chr(ord("A") + session)
                row = {"stimulus_id": f"posed/{name}{letter}-{expression}", "identity": name}
                row |= {"sex": SEXES[sex], "session": letter}
                row |= _label(expression, intensity, coefficients)
                pictures.append((row, *_paint(head, someone, coefficients, view, size, rng)))
        return pictures

    women = (people + 1) // 2
    everyone = [(0, n) for n in range(women)] + [(1, n) for n in range(people - women)]
    tasks = ((lambda sex=sex, n=n: person(sex, n)) for sex, n in everyone)
    return _collect(tasks, "posed", seed, threads)


def _arrive(head: Head, identity: Identity, rng: np.random.Generator) -> tuple[_Person, View]:
    """The person as of one session, and that session's studio."""
    today = dataclasses.replace(identity, appearance=_restyle(identity.appearance, rng))
    return _grow(head, today), _studio(today.appearance, rng)


def _sit(
    head: Head, person: _Person, studio: View, expression: str, rng: np.random.Generator
) -> tuple[float, dict[str, float], View]:
    """One sitting of a session: the intensity of the pose, its coefficients, and the view."""
    intensity = float(rng.uniform(0.85, 1.1)) if expression != "neutral" else 0.0
    coefficients = _act(head, person, expression, intensity, rng, 0.08)
    return intensity, coefficients, _move_head(studio, rng, 0.03)


def _restyle(look: Appearance, rng: np.random.Generator) -> Appearance:
    """The same person on another day: other hair, a fresh or an older shave, other make-up."""
    return look._replace(
        volume=look.volume * rng.uniform(0.6, 1.5),
        hair=look.hair * rng.uniform(0.75, 1.3),
        hairline=look.hairline + rng.normal(0.0, 0.04),
        beard=look.beard * rng.uniform(0.5, 1.3),
        lips=min(look.lips * rng.uniform(0.85, 1.15), 1.0),
        phase=look.phase + rng.uniform(0.0, 9.0),
    )


def _studio(look: Appearance, rng: np.random.Generator) -> View:
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


def _move_head(view: View, rng: np.random.Generator, spread: float) -> View:
    return view._replace(
        yaw=view.yaw + rng.normal(0.0, spread),
        pitch=view.pitch + rng.normal(0.0, spread),
        roll=view.roll + rng.normal(0.0, 0.7 * spread),
        shift_x=view.shift_x + rng.normal(0.0, 0.3 * spread),
        shift_y=view.shift_y + rng.normal(0.0, 0.3 * spread),
    )


def render_portrait(
    head: Head,
    *,
    sex: str,
    seed: int,
    expression: str,
    session: int = 0,
    size: int = 562,
    zoom: float = 0.7,
    yaw: float = 0.0,
) -> tuple[np.ndarray, np.ndarray]:
    """Draw one posed picture with room around the face, and say where the eyes are.

    For pictures that are yet to be cropped, as those of KDEF.

    Parameters
    ----------
    head : Head
    sex : {'female', 'male'}
    seed : int
        With `sex` it names the person; the same arguments give the same bytes.
    expression : str
        One of `EXPRESSIONS`.
    session : int
        0, 1, ...: another day, as in `render_posed`.
    size : int
        Rows and columns of the picture.
    zoom : float
        Size of the face, of that in the tight crop of `render_posed`.
    yaw : float
        How far the head is turned aside, radians.

    Returns
    -------
    picture : numpy.ndarray of uint8, shape (size, size)
    eyes : numpy.ndarray of float64, shape (2, 2)
        Column and row of the two pupils in pixels, whole numbers at the pixels' centres; the eye
        at the left of the picture comes first.

    Raises
    ------
    FacestagesError
        If an argument is not valid.
    """
    _require_common(size, seed, threads=1)
    _require_count("session", session, 0)
    if not 0.0 < zoom <= 2.0:
        raise FacestagesError(f"zoom must be a number above 0 and at most 2, not {zoom!r}")
    for name, value, allowed in (("sex", sex, SEXES), ("expression", expression, EXPRESSIONS)):
        if value not in allowed:
            raise FacestagesError(f"{name} '{value}' is not known: {did_you_mean(value, allowed)}")
    person = [seed, _PORTRAIT, SEXES.index(sex)]
    # Streams of random numbers that differ by trailing zeros only would be one and the same.
    identity = sample_identity(head, np.random.default_rng([*person, 1]), sex)
    someone, studio = _arrive(head, identity, np.random.default_rng([*person, 2, session]))
    rng = np.random.default_rng([*person, 3, session, EXPRESSIONS.index(expression)])
    _, coefficients, view = _sit(head, someone, studio, expression, rng)
    view = view._replace(zoom=view.zoom * zoom, yaw=view.yaw + yaw)
    picture, _ = _paint(head, someone, coefficients, view, size, rng)
    return picture, _find_pupils(head, someone, coefficients, view, size)


def _find_pupils(
    head: Head, person: _Person, coefficients: dict[str, float], view: View, size: int
) -> np.ndarray:
    """Project the front poles of the eyeballs, where the pupils are painted."""
    _, screen = _project(head, person, _pose(head, person, coefficients), view, size)
    poles = []
    for ball in head.eyes:
        front = head.vertices[ball, 2]
        poles.append(screen[ball[front > front.max() - 1e-4], :2].mean(axis=0, dtype=np.float64))
    # Half a pixel, as the painter counts from the corner of the first pixel.
    return np.array(sorted(poles, key=lambda pole: pole[0])) - 0.5


#: A frame of a video is labelled with its expression from this intensity on, else as neutral.
LABEL_THRESHOLD = 0.3

_FRAMES_AN_EXPRESSION = 13.5


def render_video(
    head: Head,
    *,
    women: int = 12,
    men: int = 15,
    frames_per_person: int = 81,
    size: int = 128,
    seed: int,
    threads: int = 1,
) -> StimulusSet:
    """Draw one video of each person, under one camera and one light of their own, as in DISFA.

    Expressions other than neutral come in an order that differs between people; each rises from
    neutral to its apex and falls back smoothly while the head drifts a little.

    Parameters
    ----------
    head : Head
    women, men : int
        ``F01, F02, ...`` and ``M01, M02, ...``.
    frames_per_person : int
    size, seed, threads
        As in `render_wild`.

    Returns
    -------
    StimulusSet
        ``frame`` counts from 0. ``expression`` is the current one where ``intensity`` is at least
        `LABEL_THRESHOLD`, else neutral; valence, arousal, shapes and action units are those of the
        moment in any case.

    Raises
    ------
    FacestagesError
        If an argument is not valid.
    """
    _require_common(size, seed, threads)
    _require_count("women", women, 0)
    _require_count("men", men, 0)
    _require_count("women + men", women + men, 1)
    _require_count("frames_per_person", frames_per_person, 1)

    def person(sex: int, number: int) -> list[_Picture]:
        name = f"{'FM'[sex]}{number + 1:02d}"
        rng = np.random.default_rng([seed, _VIDEO, sex, number])
        someone = _grow(head, sample_identity(head, rng, SEXES[sex]))
        camera = _studio(someone.identity.appearance, rng)
        drift = _drift(frames_per_person, rng)
        pictures = []
        script = _script(head, someone, frames_per_person, rng)
        for frame, (current, intensity, coefficients) in enumerate(script):
            view = camera._replace(
                yaw=camera.yaw + drift[0, frame],
                pitch=camera.pitch + drift[1, frame],
                roll=camera.roll + 0.6 * drift[2, frame],
                shift_x=camera.shift_x + 0.2 * drift[3, frame],
            )
            row = {"stimulus_id": f"video/{name}-{frame:04d}", "identity": name}
            row |= {"sex": SEXES[sex], "frame": frame}
            row |= _label(current, intensity, coefficients)
            row["expression"] = current if intensity >= LABEL_THRESHOLD else "neutral"
            pictures.append((row, *_paint(head, someone, coefficients, view, size, rng)))
        return pictures

    everyone = [(0, n) for n in range(women)] + [(1, n) for n in range(men)]
    tasks = ((lambda sex=sex, n=n: person(sex, n)) for sex, n in everyone)
    return _collect(tasks, "video", seed, threads)


def _script(
    head: Head, person: _Person, frames: int, rng: np.random.Generator
) -> Iterable[tuple[str, float, dict[str, float]]]:
    """Yield expression, intensity and coefficients of each frame."""
    moving = [name for name in EXPRESSIONS if name != "neutral"]
    n_events = max(1, round(frames / _FRAMES_AN_EXPRESSION))
    order: list[str] = []
    while len(order) < n_events:
        order += [str(name) for name in rng.permutation(moving)]
    peaks = rng.uniform(0.75, 1.1, n_events)
    apexes = [_act(head, person, name, 1.0, rng, 0.08) for name in order[:n_events]]
    blinks = rng.random(frames) < 0.03
    for frame in range(frames):
        event, moment = divmod((frame + 0.5) / frames * n_events, 1.0)
        event = int(event)
        rise = _step(moment, 0.1, 0.4) * (1.0 - _step(moment, 0.7, 0.97))
        intensity = float(peaks[event] * rise)
        coefficients = {name: intensity * value for name, value in apexes[event].items()}
        if blinks[frame]:
            coefficients |= dict.fromkeys(recipes.sided("eyeBlink"), 0.9)
        yield order[event], intensity, coefficients


def _drift(frames: int, rng: np.random.Generator) -> np.ndarray:
    """Four slow wanderings of about 0.03 around zero, shape (4, frames)."""
    time = np.arange(frames)
    waves = np.zeros((4, frames))
    for period in (60.0, 23.0):
        phase = rng.uniform(0.0, 2.0 * np.pi, (4, 1))
        waves += rng.normal(0.0, 0.025, (4, 1)) * np.sin(2.0 * np.pi * time / period + phase)
    return waves


def prepare(out, name: str, entry: Mapping, *, source, detector, threads: int) -> None:
    """Make a face set for `stimuli.sources.prepare_stimuli`."""
    draw = {"wild": render_wild, "posed": render_posed, "video": render_video}[entry["design"]]
    control = control_luminance(entry["size"], entry["histogram"], entry["mask"])
    own = ("source", "design", "histogram", "mask")
    options = {key: value for key, value in entry.items() if key not in own}
    write_stimuli(out, draw(load_head(source), **options, threads=threads), name, control)

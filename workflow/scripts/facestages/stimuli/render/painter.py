"""The painter: which part of the head each pixel shows, and how much light it sends.

All compiled functions stand in this one file: numba keeps what it compiled until the file of the
function changes, and does not notice a change in another file that the function calls.
"""

from __future__ import annotations

import math

import numba
import numpy as np

from facestages.stimuli.render.head_model import BODY, EYE, HAIR, LASHES, TEETH, TONGUE

_kernel = numba.njit(cache=True, nogil=True)


@_kernel
def step(x, low, high):
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
def _strands(x, y, z, look):
    """Light and dark strands that run from the crown down, 0 to 1."""
    around = math.atan2(x, z - 0.3)
    around += 0.04 * look.curl * (_noise(7.0 * around + look.phase, 9.0 * y) - 0.5)
    fine = _noise(around * 75.0 + look.phase, y * 2.5 + 3.0 * z)
    return 0.6 * fine + 0.4 * _noise(around * 17.0 - look.phase, y * 3.0)


@_kernel
def _hair_depth(x, y, z, look, strand):
    """How far a point of the template lies within the hair; negative outside, in decimetres."""
    side = abs(x)
    front = step(z, 0.1, 1.0)
    edge = 7.05 + (0.97 + look.hairline + look.sweep * x) * front
    edge += look.temples * step(side, 0.15, 0.5) * step(z, 0.5, 1.0)
    temple = step(z, -0.15, 0.35) * (1.0 - step(z, 0.55, 0.8)) * step(side, 0.5, 0.7)
    edge += (0.15 - look.sideburns) * temple
    edge += 0.08 * (_noise(4.0 * x + look.phase, 3.0 * z) - 0.5)
    return y - edge - 0.14 * (strand - 0.5)  # dark strands hang farther out


@_kernel
def _hair_cover(x, y, z, look, depth):
    """Cover of the scalp with hair, 0 to 1, at a point of the template."""
    # Hair that falls over the forehead ends in tips, and hair that is combed back starts thin.
    soft = 0.04 if look.hairline < -0.17 else 0.09
    cover = step(depth, -soft, soft)
    cover *= 1.0 - step(abs(x), 0.74, 0.79) * (1.0 - step(y, 7.42, 7.5))  # the ears
    if look.length > 0.0:
        cover = max(cover, step(-z, -0.25, 0.0) * step(y, 5.6, 5.9))
    return cover


@_kernel
def grow_hair(template, sheet, look, out):
    """Write the thickness of the hair at each vertex, in decimetres.

    The vertices from `sheet` on are those of the sheet of long hair.
    """
    for v in range(len(template)):
        x, y, z = template[v, 0], template[v, 1], template[v, 2]
        cover = 1.0
        if v < sheet:
            cover = _hair_cover(x, y, z, look, _hair_depth(x, y, z, look, 0.5))
        around = math.atan2(x, z - 0.3)
        waves = _noise(6.0 * around + look.phase, 5.0 * y) - 0.5
        out[v] = look.volume * cover * (1.0 + (0.2 + 0.8 * look.curl) * waves)


@_kernel
def find_normals(points, triangles, out):
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
def find_hollows(points, triangles, normals, out):
    """Write the depth of each vertex in a hollow: the mean slope up to its neighbours."""
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
def soften(values, triangles, out):
    """Write for each vertex the mean of `values` over the triangles round it."""
    out[:] = 0.0
    count = np.zeros(len(values), np.int32)
    for t in range(len(triangles)):
        a, b, c = triangles[t, 0], triangles[t, 1], triangles[t, 2]
        mean = (values[a] + values[b] + values[c]) / 3.0
        for k in range(3):
            out[triangles[t, k]] += mean
            count[triangles[t, k]] += 1
    for v in range(len(values)):
        out[v] /= max(count[v], 1)


@_kernel
def _is_ragged(around, down, look):
    """Whether the curtain of hair has come to its frayed edge."""
    edge = min(around, 1.0 - around) - look.tuck
    return edge < 0.06 * _noise(7.0 * down + look.phase, math.floor(2.0 * around)) or (
        down > look.length * (0.95 + 0.05 * _noise(60.0 * around, 0.5))
    )


@_kernel
def rasterise(screen, mesh, n_triangles, look, owner, weights):
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
                    look,
                ):
                    continue
                if z > depth[row, column]:
                    depth[row, column] = z
                    owner[row, column] = t
                    weights[row, column, 0] = w0
                    weights[row, column, 1] = w1


@_kernel
def _brow_cover(x, y, z, look):
    """Cover of the eyebrow, 0 to 1, at a point of the template."""
    side = abs(x)
    if z < 0.9 or side < 0.02 or side > 0.74 or abs(y - 7.5) > 0.2:
        return 0.0
    side -= look.brow_gap
    along = min(max((side - 0.12) / 0.5, 0.0), 1.0)
    middle = 7.46 + look.brow_height + look.brow_arch * math.sin(math.pi * along**0.8)
    middle -= 0.02 * along
    half_width = look.brow_width * (1.0 - 0.6 * step(side, 0.3, 0.62))
    hairs = _noise(110.0 * side + 50.0 * (y - middle) + look.phase, 9.0 * y)
    cover = step(1.15 - abs(y - middle) / half_width + 0.35 * (hairs - 0.5), 0.0, 0.7)
    ends = step(side, 0.11, 0.2) * (1.0 - step(side, 0.55, 0.64))
    return cover * ends * (0.85 + 0.15 * hairs)


@_kernel
def _wrinkles(x, y, z, lines):
    """Darkness of the wrinkles, 0 to 1, at a point of the template."""
    if z < 0.8:
        return 0.0
    side = abs(x)
    dark = 0.0
    if lines.frown > 0.0 and side < 0.2:
        upright = math.exp(-(((side - 0.07) / 0.022) ** 2))
        dark += lines.frown * upright * step(y, 7.36, 7.46) * (1.0 - step(y, 7.54, 7.68))
    if lines.forehead > 0.0 and y > 7.6:
        waves = 0.5 + 0.5 * math.cos(2.0 * math.pi * (y - 7.68 - 0.06 * side) / 0.1)
        inside = step(y, 7.6, 7.66) * (1.0 - step(y, 7.84, 7.94)) * (1.0 - step(side, 0.3, 0.5))
        dark += 0.6 * lines.forehead * waves**3 * inside
    if lines.nose > 0.0 and side < 0.22 and 7.05 < y < 7.4:
        waves = 0.5 + 0.5 * math.cos(2.0 * math.pi * (y + 0.5 * side) / 0.075)
        inside = step(y, 7.08, 7.16) * (1.0 - step(y, 7.28, 7.38))
        inside *= step(side, 0.0, 0.06) * (1.0 - step(side, 0.12, 0.2))
        dark += lines.nose * waves**2 * inside
    if lines.cheek > 0.0 and 6.6 < y < 7.0:
        fold = 0.22 + 0.75 * (6.98 - y) - 0.4 * (6.98 - y) ** 2
        near = math.exp(-(((side - fold) / 0.022) ** 2))
        dark += lines.cheek * near * step(y, 6.62, 6.74) * (1.0 - step(y, 6.92, 7.0))
    return min(dark, 1.0)


@_kernel
def _skin(x, y, z, lips, mouth, lids, look, lines):
    """Return reflectance and gloss of the body at a point of the template."""
    patches = _noise(7.0 * x + look.phase, 7.0 * y) + 0.5 * _noise(31.0 * x, 31.0 * y + look.phase)
    shade = look.skin * (1.0 + look.mottling * (patches - 0.75) * 2.0)
    gloss = 0.07
    if z > 0.6:
        shade *= 1.0 - look.lids * lids
        shade *= 1.0 - (0.5 + 0.2 * look.age) * _wrinkles(x, y, z, lines)
        if look.beard + look.moustache > 0.0 and y < 6.98:
            stubble = _noise(70.0 * x + look.phase, 55.0 * y)
            edge = 6.62 + 0.55 * abs(x) ** 1.5
            jaw = look.beard * step(edge - y, -0.05, 0.1)
            lip = step(y, 6.78, 6.83) * (1.0 - step(y, 6.84, 6.9))
            lip *= look.moustache * (1.0 - step(abs(x), 0.24, 0.34))
            cover = max(jaw, lip) * (1.0 - lips) * (0.5 + 0.6 * stubble)
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
        strand = _strands(x, y, z, look)
        depth = _hair_depth(x, y, z, look, strand)
        cover = _hair_cover(x, y, z, look, depth)
        shade *= 1.0 - 1.2 * look.volume * step(depth, -0.12, 0.0)  # the shadow of the hair
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
    white = 0.62 * (1.0 - 0.5 * step(angle, 0.6, 1.2))
    iris = look.iris * (1.0 - 0.7 * step(angle, 0.36, 0.46))
    shade = iris + (white - iris) * step(angle, 0.44, 0.5)
    return 0.005 + (shade - 0.005) * step(angle, 0.17, 0.21)


@_kernel
def _blend(values, a, b, c, w0, w1, w2):
    """Weight the rows `a`, `b` and `c` of `values`, shape (n, 3), and add them."""
    x = w0 * values[a, 0] + w1 * values[b, 0] + w2 * values[c, 0]
    y = w0 * values[a, 1] + w1 * values[b, 1] + w2 * values[c, 1]
    z = w0 * values[a, 2] + w1 * values[b, 2] + w2 * values[c, 2]
    return x, y, z


@_kernel
def shade_pixels(owner, weights, mesh, normals, hollows, look, lines, view, picture):
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
            x, y, z = _blend(template, a, b, c, w0, w1, w2)
            nx, ny, nz = _blend(normals, a, b, c, w0, w1, w2)
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
                occlusion = 1.0 - 0.6 * step((y - centre[1]) / 0.14, -0.1, 0.5)
            elif material == TEETH:
                gap = 0.5 + 0.5 * math.cos(2.0 * math.pi * x / 0.085)
                shade, gloss, hardness = 0.55 - 0.12 * gap**6, 0.15, 40.0
                # The back teeth lie in the dark of the cheeks.
                occlusion = 0.1 + 0.9 * step(z, 1.15, 1.45)
                occlusion *= 1.0 - 0.85 * step(abs(x), 0.12, 0.24)
            elif material == LASHES:
                shade, gloss, occlusion = look.lashes, 0.0, 1.0
            elif material == HAIR:
                shade = look.hair * (0.45 + 1.1 * _strands(x, y, z, look))
                gloss, occlusion = 0.03, 1.0
                if nz < 0.0:  # the inside of the curtain, in the shadow of the head
                    nx, ny, nz, occlusion = -nx, -ny, -nz, 0.35
            else:
                shade, gloss, occlusion = 0.12, 0.05, 0.1 + 0.6 * step(z, 0.9, 1.45)
            direct = max(nx * lx + ny * ly + nz * lz, 0.0)
            sky = 0.75 + 0.25 * ny
            shine = max(nx * hx + ny * hy + nz * hz, 0.0) ** hardness
            light = view.ambient * sky + (1.0 - view.ambient) * 1.15 * direct
            key = 1.0 - view.ambient
            picture[row, column] = occlusion * (shade * light + 0.5 * gloss * key * shine)


@_kernel
def develop(picture, exposure, gamma, block, out):
    """Average blocks of `block` x `block` pixels and turn light into display values."""
    for row in range(out.shape[0]):
        for column in range(out.shape[1]):
            total = 0.0
            for i in range(block):
                for j in range(block):
                    total += picture[row * block + i, column * block + j]
            light = exposure * total / (block * block)
            # A soft shoulder instead of burnt-out highlights.
            light = light if light < 0.6 else 1.0 - 0.16 / (light - 0.2)
            out[row, column] = light ** (1.0 / gamma)

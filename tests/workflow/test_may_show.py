"""A face that may not be shown is in no output of a run: no figure, sheet, explorer or report."""

import base64
import io
import re
import shutil

import cv2
import numpy as np
import pytest
from PIL import Image

from facestages import tables
from facestages.stimuli import read_stimuli

# Faces are compared at this size, at which hair and background count little.
SIDE = 24
EMBEDDED = re.compile(rb"data:image/(?:png|jpeg);base64,([A-Za-z0-9+/=\s]+)")
TILE = 48


def small(picture):
    """A picture as a vector of mean 0 and length 1; None where it is of one colour."""
    grey = np.asarray(Image.fromarray(picture).convert("L").resize((SIDE, SIDE)), float)
    vector = (grey - grey.mean()).ravel()
    length = np.linalg.norm(vector)
    return vector / length if length > 1 else None


def embedded(path):
    """All pictures that a page or a drawing holds as base64, cut into tiles if they are sheets."""
    for found in EMBEDDED.finditer(path.read_bytes()):
        picture = np.asarray(Image.open(io.BytesIO(base64.b64decode(found[1]))).convert("RGB"))
        if picture.shape[1] == 32 * TILE:
            for y in range(0, len(picture), TILE):
                for x in range(0, picture.shape[1], TILE):
                    yield picture[y : y + TILE, x : x + TILE]
        else:
            yield picture


def nearest_face(pictures, faces):
    """The largest correlation of any of these pictures with any face."""
    found = [vector for vector in map(small, pictures) if vector is not None]
    return float((np.stack(found) @ faces.T).max()) if found else 0.0


def nearest_place(path, pictures):
    """The largest correlation of a face with any place of a picture, at sizes from 5 to 20 mm."""
    page = np.asarray(Image.open(path).convert("L"))
    best = 0.0
    for side in range(36, 260, 4):
        if side < min(page.shape):
            for face in pictures:
                grey = np.asarray(Image.fromarray(face).convert("L").resize((side, side)))
                match = cv2.matchTemplate(page, grey, cv2.TM_CCOEFF_NORMED)
                best = max(best, float(match[np.isfinite(match)].max()))
    return best


@pytest.fixture(scope="module")
def hidden(tiny_run, tmp_path_factory):
    """The tiny run once more, with no face that may be shown."""
    folder = tmp_path_factory.mktemp("hidden") / "run"
    shutil.copytree(tiny_run.folder, folder, symlinks=True)
    config = {**tiny_run.config, "datasets": dict(tiny_run.config["datasets"])}
    for name, entry in config["datasets"].items():
        config["datasets"][name] = {**entry, "may_show": "none"}
    run = tiny_run._replace(folder=folder, config=config)
    done = run.snakemake("all")
    assert done.returncode == 0, done.stderr
    return run


@pytest.fixture(scope="module")
def pictures(tiny_run):
    stimuli = (tiny_run.folder / "results" / "stimuli").glob("*.h5")
    return [
        face
        for path in sorted(stimuli)
        if "." not in path.stem
        for face in read_stimuli(path).images
    ]


def vectors(pictures):
    return np.stack([vector for vector in map(small, pictures) if vector is not None])


def test_only_what_shows_faces_is_made_again(hidden, tiny_run):
    changed = {
        path.relative_to(hidden.folder / "results").as_posix()
        for path in (hidden.folder / "results").rglob("*")
        if path.is_file()
        and not path.name.startswith(".")
        and path.stat().st_mtime
        != (tiny_run.folder / path.relative_to(hidden.folder)).stat().st_mtime
    }
    assert not [path for path in changed if path.startswith(("geometry", "separability"))]
    assert {"explorer.html", "figures/fig2.pdf", "figures/fig6.svg"} <= changed


def test_pages_and_drawings_hold_no_face(hidden, tiny_run, pictures):
    faces, shown = vectors(pictures), 0
    for path in (hidden.folder / "results").rglob("*"):
        if path.suffix in (".svg", ".html"):
            twin = tiny_run.folder / path.relative_to(hidden.folder)
            before = nearest_face(embedded(twin), faces)
            if before > 0.97:
                shown += 1
                assert nearest_face(embedded(path), faces) < 0.9, path
    # Figures 2 and 6, the explorer: where faces are shown, the comparison finds them.
    assert shown >= 3


def test_no_picture_shows_a_face(hidden, tiny_run):
    results = tiny_run.folder / "results"
    posed = read_stimuli(results / "stimuli" / "posed.h5")
    drawn = tables.read_tables([results / "figures" / "fig6.csv"])["stimulus_id"].head(3)
    along = posed.images[posed.labels["stimulus_id"].isin(drawn)]
    shown = {"figures/fig6.png": along, "stimuli/posed.sheet.png": posed.images[:18:9]}
    for name, faces in shown.items():
        assert nearest_place(results / name, faces) > 0.95
        assert nearest_place(hidden.folder / "results" / name, faces) < 0.87

"""Small copies of face sets in their official formats, for tests from end to end.

What is on the pictures comes from a `Portrait`: rendered faces, so that nobody's picture is needed.
"""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

import numpy as np
import pandas as pd
from PIL import Image

from facestages.expressions import EXPRESSIONS

#: Where the assets lie that the test command fetches before the tests.
ASSETS = Path(__file__).parents[1] / "resources" / "assets"

#: (identity such as "F01", expression, session "A" or "B", size) -> grey uint8 picture of
#: (size, size), and column and row of its two eyes, float of (2, 2).
Portrait = Callable[[str, str, str, int], tuple[np.ndarray, np.ndarray]]

KDEF_COLUMNS, KDEF_ROWS = 562, 762
_KDEF_CODES = {
    "fear": "AF",
    "angry": "AN",
    "disgust": "DI",
    "happy": "HA",
    "neutral": "NE",
    "sad": "SA",
    "surprise": "SU",
}
# Three channels that differ, so that a reader cannot take one for all.
_TINT = np.array([1.0, 0.93, 0.88])


def small_faces():
    """Six small random RGB pictures of three people, with labels of text and of numbers.

    Returns
    -------
    facestages.stimuli.StimulusSet
    """
    from facestages.stimuli import StimulusSet

    rng = np.random.default_rng(0)
    labels = pd.DataFrame(
        {
            "stimulus_id": [f"s{i}" for i in range(6)],
            "identity": list("aabbcc"),
            "expression": ["happy", "", "sad", "happy", "sad", "sad"],
            "valence": [0.5, np.nan, -0.5, 0.25, 0, 1],
        }
    )
    sources = {"identity": "posed", "expression": "posed", "valence": "human"}
    images = rng.integers(0, 255, (6, 5, 4, 3), dtype=np.uint8)
    return StimulusSet(images, labels, sources, {"rendered": 0})


def rendered_portraits(head) -> Portrait:
    """Portraits of rendered people.

    Parameters
    ----------
    head : facestages.stimuli.render.head_model.Head

    Returns
    -------
    Portrait
        The number of the identity is the person's seed.
    """
    from facestages.stimuli.render.designs import render_portrait

    def portrait(identity: str, expression: str, session: str, size: int):
        return render_portrait(
            head,
            sex={"F": "female", "M": "male"}[identity[0]],
            seed=int(identity[1:]),
            expression=expression,
            session="AB".index(session),
            size=size,
            # Nearly everybody's hair stays inside.
            zoom=0.55,
        )

    return portrait


def write_kdef(
    folder: Path,
    portrait: Portrait,
    people: Iterable[str] = ("F01", "M01"),
    sessions: Iterable[str] = "AB",
    expressions: Iterable[str] = EXPRESSIONS,
    angles: Iterable[str] = ("S",),
    errata: bool = True,
    black: str = "AF01SUFR",
) -> dict[str, np.ndarray]:
    """Write a copy of KDEF: ``AF01/AF01AFS.JPG`` and so on, RGB JPEG of 562x762 pixels.

    Every angle shows the person from the front, as portraits are.

    Parameters
    ----------
    folder : pathlib.Path
    portrait : Portrait
    people, sessions, expressions, angles : iterable of str
    errata : bool
        Also write what is wrong in the official copies: ``AF31V.JPG``, ``AM31H.JPG``, an average
        of AKDEF (``AKDEF/FAFFL.JPG``) and the black picture.
    black : str
        The KDEF name of the black picture.

    Returns
    -------
    dict of str to numpy.ndarray
        By KDEF name, of the pictures with a face in them, column and row of the two eyes.
    """
    eyes = {}
    for identity in people:
        for session in sessions:
            for expression in expressions:
                picture, there = _upright(*portrait(identity, expression, session, KDEF_COLUMNS))
                for angle in angles:
                    stem = f"{session}{identity}{_KDEF_CODES[expression]}{angle}"
                    _write_kdef_picture(folder, stem, picture)
                    eyes[stem] = there
    if errata:
        for name, stem, expression in (
            ("AF31V", "AF31SAHL", "sad"),
            ("AM31H", "AM31SUHR", "surprise"),
        ):
            picture, eyes[stem] = _upright(*portrait(stem[1:4], expression, "A", KDEF_COLUMNS))
            _write_kdef_picture(folder, name, picture)
        _write_kdef_picture(folder, black, np.zeros_like(picture))
        eyes.pop(black, None)
        average = Path(folder, "AKDEF", "FAFFL.JPG")
        average.parent.mkdir()
        Image.fromarray(picture).save(average, quality=94)
    return eyes


def _upright(picture: np.ndarray, eyes: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Continue the first and last row of a square picture to the height of KDEF's."""
    above = (KDEF_ROWS - KDEF_COLUMNS) // 2
    return np.pad(picture, ((above, above), (0, 0)), "edge"), eyes + np.array([0, above])


def _write_kdef_picture(folder: Path, name: str, picture: np.ndarray) -> None:
    path = Path(folder, name[:4], f"{name}.JPG")
    path.parent.mkdir(parents=True, exist_ok=True)
    tinted = np.round(picture[..., None] * _TINT).astype(np.uint8)
    Image.fromarray(tinted).save(path, quality=94)


def write_fer2013_csv(
    path: Path, pictures: np.ndarray, labels: Sequence[str], usages: Sequence[str]
) -> None:
    """Write a copy of ``fer2013.csv``: the columns ``emotion``, ``pixels`` and ``Usage``.

    Parameters
    ----------
    path : pathlib.Path
    pictures : numpy.ndarray of uint8, shape (n, 48, 48)
    labels : sequence of n str
        Names from `EXPRESSIONS`.
    usages : sequence of n str
        ``Training``, ``PublicTest`` or ``PrivateTest``.
    """
    with open(path, "w", newline="") as stream:
        table = csv.writer(stream, lineterminator="\n")
        table.writerow(["emotion", "pixels", "Usage"])
        for picture, label, usage in zip(pictures, labels, usages, strict=True):
            pixels = " ".join(map(str, picture.ravel().tolist()))
            table.writerow([EXPRESSIONS.index(label), pixels, usage])

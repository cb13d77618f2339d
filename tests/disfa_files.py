"""Small folders in the layout of DISFA, and pictures that show their own number."""

from collections.abc import Callable, Mapping
from pathlib import Path

import cv2
import numpy as np

from facestages.action_units import DISFA_UNITS

_FOLDERS = {"left": "Videos_LeftCamera", "right": "Video_RightCamera"}
_VIDEOS = {"left": "LeftVideo{}_comp.avi", "right": "RightVideo{}_Comp.avi"}
_N_BITS = 16
_FRAMES_A_SECOND = 20


def write_disfa(
    folder: Path,
    subjects: Mapping[str, int],
    *,
    size: tuple[int, int] = (1024, 768),
    draw: Callable[[str, int], np.ndarray] | None = None,
    intensities: Callable[[str, int, int], int] | None = None,
    camera: str = "left",
    codec: str = "MJPG",
) -> Path:
    """Write videos and label files under the official names.

    Parameters
    ----------
    folder : pathlib.Path
        Is made if it is not there; may already hold the videos of the other camera.
    subjects : mapping of str to int
        Number of frames of each.
    size : (int, int)
        Width and height of the videos, even numbers.
    draw : callable
        (subject, frame) -> uint8 picture of that size, grey or RGB. Frames count from 1, as in the
        label files. Without it every frame shows its number, see `numbered_frame`.
    intensities : callable
        (subject, frame, action unit) -> 0 to 5. All 0 without it.
    camera : {"left", "right"}
    codec : str
        Four letters: ``MJPG`` (motion JPEG), ``XVID`` (MPEG-4, frames that need their neighbours).

    Returns
    -------
    pathlib.Path
        `folder`.
    """
    for subject, n_frames in subjects.items():
        video = video_path(folder, subject, camera)
        video.parent.mkdir(parents=True, exist_ok=True)
        frames = range(1, n_frames + 1)
        pictures = (draw(subject, k) if draw else numbered_frame(k, size) for k in frames)
        write_video(video, pictures, size, codec)
        write_labels(folder, subject, n_frames, intensities)
    return folder


def video_path(folder: Path, subject: str, camera: str = "left") -> Path:
    """Where `write_disfa` writes a video."""
    return folder / _FOLDERS[camera] / _VIDEOS[camera].format(subject)


def label_path(folder: Path, subject: str, unit: int) -> Path:
    """Where `write_disfa` writes a label file."""
    return folder / "ActionUnit_Labels" / subject / f"{subject}_au{unit}.txt"


def write_labels(
    folder: Path,
    subject: str,
    n_lines: int,
    intensities: Callable[[str, int, int], int] | None = None,
) -> None:
    """Write the twelve label files of a subject."""
    for unit in DISFA_UNITS:
        path = label_path(folder, subject, unit)
        path.parent.mkdir(parents=True, exist_ok=True)
        values = (
            intensities(subject, frame, unit) if intensities else 0
            for frame in range(1, n_lines + 1)
        )
        path.write_text("".join(f"{frame},{value}\n" for frame, value in enumerate(values, 1)))


def write_video(path: Path, pictures, size: tuple[int, int], codec: str = "MJPG") -> None:
    """Write grey or RGB pictures as a video."""
    code = cv2.VideoWriter_fourcc(*codec)
    writer = cv2.VideoWriter(str(path), cv2.CAP_FFMPEG, code, _FRAMES_A_SECOND, size)
    assert writer.isOpened()
    for picture in pictures:
        assert picture.shape[:2] == size[::-1] and picture.dtype == np.uint8
        grey = picture.ndim == 2
        writer.write(cv2.cvtColor(picture, cv2.COLOR_GRAY2BGR if grey else cv2.COLOR_RGB2BGR))
    writer.release()


def numbered_frame(number: int, size: tuple[int, int]) -> np.ndarray:
    """Draw a number as 16 vertical bars, white for 1 and black for 0, the highest bit on the left.

    Bars survive compression, and a crop or a change of size that leaves each of them in its
    sixteenth of the width.

    Parameters
    ----------
    number : int
        0 to 65535.
    size : (int, int)
        Width, of at least 64, and height.

    Returns
    -------
    numpy.ndarray of uint8, shape (height, width)
    """
    width, height = size
    bits = [number >> bit & 1 for bit in reversed(range(_N_BITS))]
    row = np.take(bits, np.arange(width) * _N_BITS // width) * 255
    return np.tile(row.astype(np.uint8), (height, 1))


def read_number(picture: np.ndarray) -> int:
    """Read the number that `numbered_frame` drew, from a grey or RGB picture."""
    grey = picture.mean(axis=2) if picture.ndim == 3 else picture
    width = grey.shape[1]
    # The middle of each bar, away from its blurred edges.
    centres = (np.arange(_N_BITS) + 0.5) * width / _N_BITS
    bits = grey[:, centres.astype(int)].mean(axis=0) > 127
    return int("".join(map(str, bits.astype(int))), 2)

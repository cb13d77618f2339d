"""DISFA: every label meets its own frame, frames are chosen as said, errors name what to mend."""

import gc
import os
import subprocess
import sys
import tracemalloc
from pathlib import Path

import cv2
import numpy as np
import pytest

from disfa_files import (
    numbered_frame,
    read_number,
    video_path,
    write_disfa,
    write_labels,
    write_video,
)
from disfa_frames import (
    OPTIONS,
    SIZE,
    coded_number,
    decode_all,
    frame_of,
    label_frames,
    read,
    write,
)
from facestages.disfa_files import (
    find_subjects,
    subject_files,
)
from refusals import refusal

LIBRARY = Path(__file__).parents[3] / "workflow" / "scripts"


@pytest.mark.parametrize("codec", ["MJPG", "XVID"])
@pytest.mark.parametrize("select", ["even", "activity"])
def test_label_line_k_is_of_the_kth_frame(tmp_path, select, codec):
    # The video's frames show their number counted from 0, the labels count from 1.
    folder = write(
        tmp_path,
        {"SN001": 90},
        draw=lambda subject, frame: numbered_frame(frame - 1, SIZE),
        intensities=coded_number,
        codec=codec,
    )
    source = read(folder, frames_per_person=89, select=select)
    pictures = list(source.pictures)
    assert len(pictures) == source.n == 89
    for picture in pictures:
        frame = frame_of(picture)
        assert read_number(picture.read()) == frame - 1
        assert picture.stimulus_id == f"SN001/{frame:05d}"
        assert picture.name == f"LeftVideoSN001_comp.avi, frame {frame}"
    assert list(map(frame_of, pictures)) == list(range(1, 90))
    labels = label_frames(folder, pictures).table
    coded = 36 * labels["au_01"] + 6 * labels["au_25"] + labels["au_12"]
    assert list(coded) == list(labels["frame"]) == list(range(1, 90))


def test_colours_are_red_green_blue(tmp_path):
    red = np.zeros((*SIZE[::-1], 3), np.uint8)
    red[..., 0] = 220
    folder = write(tmp_path, {"SN001": 8}, draw=lambda subject, frame: red)
    for image in decode_all(folder):
        assert image.shape == (120, 160, 3) and image.dtype == np.uint8
        np.testing.assert_allclose(image.mean(axis=(0, 1)), [220, 0, 0], atol=8)


def test_full_size(tmp_path):
    folder = write_disfa(tmp_path, {"SN001": 12}, intensities=coded_number)
    pictures = list(read(folder).pictures)
    assert [picture.read().shape for picture in pictures] == [(768, 1024, 3)] * 5
    assert [read_number(p.read()) for p in pictures] == [frame_of(p) for p in pictures]


def test_pictures_can_be_read_late(tmp_path):
    folder = write(tmp_path, {"SN001": 30})
    pictures = list(read(folder).pictures)
    frames = [frame_of(picture) for picture in pictures]
    assert [read_number(picture.read()) for picture in reversed(pictures)] == frames[::-1]


def test_one_frame_at_a_time(tmp_path):
    size = (320, 240)
    folder = write(tmp_path, {"SN001": 60}, size=size)
    source = read(folder, frames_per_person=50)
    pictures = iter(source.pictures)
    next(pictures)
    gc.collect()
    tracemalloc.start()
    try:
        for picture in pictures:
            picture.read()
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    # The frame being decoded, the one before it, which this loop still holds, and its RGB copy.
    assert peak < 4 * size[0] * size[1] * 3


def test_an_unfinished_reading_closes_the_video(tmp_path):
    def open_videos():
        links = Path("/proc/self/fd")
        if not links.exists():
            pytest.skip("needs /proc")
        return sum(os.path.exists(f) and os.readlink(f).endswith(".avi") for f in links.iterdir())

    folder = write(tmp_path, {"SN001": 30})
    pictures = iter(read(folder).pictures)
    assert open_videos() == 0, "nothing is open before the first picture is asked for"
    next(pictures)
    assert open_videos() == 1
    pictures.close()
    assert open_videos() == 0


@pytest.mark.parametrize("n_labels", [39, 40, 41])
def test_one_frame_more_or_less_is_fine(tmp_path, n_labels):
    folder = write(tmp_path, {"SN001": 40})
    write_labels(folder, "SN001", n_labels, coded_number)
    source = read(folder, frames_per_person=n_labels - 1)
    numbers = [read_number(picture.read()) for picture in source.pictures]
    assert numbers == list(range(1, n_labels))
    assert (source.report["label_lines"], source.report["frames_in_video"]) == (n_labels, 40)


@pytest.mark.parametrize(
    "n_labels, cause", [(38, "label files are cut short"), (42, "video is cut short")]
)
def test_two_frames_more_or_less_are_refused_beforehand(tmp_path, n_labels, cause):
    folder = write(tmp_path, {"SN001": 40})
    write_labels(folder, "SN001", n_labels)
    message = refusal(read, folder)
    assert message.startswith("SN001: ") and "LeftVideoSN001_comp.avi" in message
    assert "has 40 frames" in message and f"{n_labels} lines" in message and cause in message


def test_truncated_video(tmp_path):
    folder = write(tmp_path, {"SN001": 60})
    video = video_path(folder, "SN001")
    content = video.read_bytes()
    video.write_bytes(content[: len(content) // 2])
    source = read(folder, frames_per_person=10)
    passed = []
    message = refusal(lambda: passed.extend(source.pictures))
    assert message.startswith("SN001: ") and "60 lines" in message and "copy it again" in message
    assert 0 < len(passed) < 10
    assert "frames_in_video" not in source.report


@pytest.mark.parametrize("stated", [0, 7, 4000])
def test_decoding_has_the_last_word(tmp_path, monkeypatch, stated):
    folder = write(tmp_path, {"SN001": 40})
    honest = cv2.VideoCapture

    class Misstating:
        def __init__(self, *args):
            self.capture = honest(*args)

        def get(self, key):
            return stated if key == cv2.CAP_PROP_FRAME_COUNT else self.capture.get(key)

        def __getattr__(self, name):
            return getattr(self.capture, name)

    monkeypatch.setattr(cv2, "VideoCapture", Misstating)
    assert len(decode_all(folder)) == 5


def damage(folder, kind):
    """Spoil the video of SN001."""
    video = video_path(folder, "SN001")
    content = bytearray(video.read_bytes())
    if kind == "one frame":
        middle = len(content) // 2
        content[middle : middle + 3000] = bytes(3000)
    spoiled = {
        "empty": b"",
        "text": b"no video at all" * 100,
        "head": content[:4000],
        "half a frame": content[:6000],
    }
    video.write_bytes(spoiled.get(kind, content))
    return video


@pytest.mark.parametrize("kind", ["empty", "text", "head"])
def test_no_video_inside(tmp_path, kind):
    folder = write(tmp_path, {"SN001": 40})
    video = damage(folder, kind)
    message = refusal(read, folder)
    assert message.startswith(f"SN001: {video} cannot be read as a video")
    assert "Copy it again" in message


def test_a_damaged_frame(tmp_path):
    folder = write(tmp_path, {"SN001": 40})
    damage(folder, "one frame")
    message = refusal(lambda: list(read(folder).pictures))
    assert message.startswith("SN001: ") and "damaged" in message


@pytest.mark.parametrize("kind", ["none", "text", "half a frame", "one frame"])
def test_opencv_and_ffmpeg_are_silent(tmp_path, kind):
    folder = write(tmp_path, {"SN001": 40})
    damage(folder, kind)
    code = (
        "import sys; sys.path.insert(0, sys.argv[1])\n"
        "from facestages.errors import FacestagesError\n"
        "from facestages.stimuli.disfa import read_subject\n"
        "try: list(read_subject(sys.argv[2], 'SN001', **eval(sys.argv[3])).pictures)\n"
        "except FacestagesError: print('refused')"
    )
    run = subprocess.run(
        [sys.executable, "-c", code, str(LIBRARY), str(folder), repr(OPTIONS)],
        capture_output=True,
        text=True,
        check=True,
    )
    assert run.stdout == ("" if kind == "none" else "refused\n")
    assert run.stderr == ""


@pytest.mark.parametrize("name", ['it\'s my "DISFA" 100%d [copy] ü', "data:disfa"])
def test_odd_characters_in_the_path(tmp_path, monkeypatch, name):
    write(tmp_path / name, {"SN001": 20})
    monkeypatch.chdir(tmp_path)
    for folder in (name, tmp_path / name):
        assert len(decode_all(folder)) == 5


def test_the_folder_is_only_read_from(tmp_path):
    folder = write(tmp_path, {"SN001": 20})
    for path in sorted(folder.rglob("*"), reverse=True):
        path.chmod(0o555 if path.is_dir() else 0o444)
    before = {path: path.stat().st_mtime_ns for path in (folder, *folder.rglob("*"))}
    try:
        find_subjects(folder)
        subject_files(folder, "SN001")
        decode_all(folder)
        after = {path: path.stat().st_mtime_ns for path in (folder, *folder.rglob("*"))}
    finally:
        for path in folder.rglob("*"):
            path.chmod(0o755)
    assert after == before


def test_a_subject_without_a_video(tmp_path):
    folder = write(tmp_path, {"SN001": 4})
    message = refusal(read, folder, "SN002")
    assert message.startswith("SN002: ") and "no video of the left camera" in message
    assert "leave the subject out" in message


def test_numbers_survive_compression(tmp_path):
    numbers = [0, 1, 4844, 21845, 43690, 65535]
    write_video(tmp_path / "a.avi", (numbered_frame(n, SIZE) for n in numbers), SIZE)
    capture = cv2.VideoCapture(str(tmp_path / "a.avi"))
    assert [read_number(capture.read()[1]) for _ in numbers] == numbers

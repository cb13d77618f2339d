"""DISFA: every label meets its own frame, frames are chosen as said, errors name what to mend."""

import gc
import json
import os
import subprocess
import sys
import tracemalloc
from itertools import pairwise
from pathlib import Path

import cv2
import numpy as np
import pandas as pd
import pytest

from disfa_files import (
    label_path,
    numbered_frame,
    read_number,
    video_path,
    write_disfa,
    write_labels,
    write_video,
)
from facestages.action_units import DISFA_UNITS, RULES_V1
from facestages.disfa_files import (
    OFFICIAL_SUBJECTS,
    choose_subjects,
    find_subjects,
    missing_subjects,
    read_subject_list,
    subject_files,
)
from facestages.errors import FacestagesError
from facestages.stimuli.disfa import choose_frames, read_action_units, read_subject

LIBRARY = Path(__file__).parents[3] / "workflow" / "scripts"
SIZE = (160, 120)
OPTIONS = {
    "camera": "left",
    "frames_per_person": 5,
    "select": "even",
    "min_distance": 1,
    "seed": 0,
    "rules": RULES_V1,
    "rules_version": "au-rule-v1",
    "threshold": 1,
}


def coded_number(subject, frame, unit):
    """Intensities from which the frame's number can be told."""
    return {12: frame % 6, 25: frame // 6 % 6, 1: frame // 36 % 6}.get(unit, 0)


def write(folder, subjects, **options):
    return write_disfa(folder, subjects, **{"size": SIZE, **options})


def read(folder, subject="SN001", **options):
    return read_subject(folder, subject, **{**OPTIONS, **options})


def refusal(function, *args, **options):
    """Call what must be refused; return the message, which has one or two lines."""
    with pytest.raises(FacestagesError) as caught:
        function(*args, **options)
    message = str(caught.value)
    assert len(message.splitlines()) <= 2
    return message


def decode_all(folder, subject="SN001", **options):
    return [picture.read() for picture in read(folder, subject, **options).pictures]


def quiet(n, active=()):
    """Action units of `n` frames; AU 12 has the intensity 3 in the active ones."""
    units = pd.DataFrame(0, index=range(1, n + 1), columns=list(DISFA_UNITS), dtype=np.int8)
    units.loc[list(active), 12] = 3
    return units


def choose(units, count, **options):
    defaults = {"subject": "SN001", "select": "even", "min_distance": 1, "seed": 0}
    return choose_frames(units, count, **{**defaults, **options})


# ------------------------------------------------------------------------------- frames and labels


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
        frame, labels = picture.labels["frame"], picture.labels
        assert read_number(picture.read()) == frame - 1
        assert 36 * labels["au_01"] + 6 * labels["au_25"] + labels["au_12"] == frame
        assert labels["stimulus_id"] == f"SN001/{frame:05d}"
        assert picture.name == f"LeftVideoSN001_comp.avi, frame {frame}"
    assert [picture.labels["frame"] for picture in pictures] == list(range(1, 90))


def test_labels_and_sources(tmp_path):
    def smile_late(subject, frame, unit):
        return 2 if frame > 20 and unit in (6, 12) else int(frame > 10 and unit == 12)

    folder = write(tmp_path, {"SN001": 30}, intensities=smile_late)
    source = read(folder, frames_per_person=29, sex="female", threshold=2)
    rows = [picture.labels for picture in source.pictures]
    names = ["stimulus_id", "identity", "sex", "expression", "frame"]
    units = [f"au_{unit:02d}" for unit in DISFA_UNITS]
    assert all(list(row) == names + units for row in rows)
    assert [row["expression"] for row in rows] == ["neutral"] * 10 + [""] * 10 + ["happy"] * 9
    assert {(row["identity"], row["sex"]) for row in rows} == {("SN001", "female")}
    assert type(rows[0]["frame"]) is int and type(rows[0]["au_06"]) is float
    assert source.sources == {
        "identity": "file",
        "sex": "file",
        "expression": "au-rule-v1",
        "frame": "file",
        **dict.fromkeys(units, "human"),
    }
    report = json.loads(json.dumps(source.report))
    assert report == source.report, "plain values only"
    assert (report["label_lines"], report["frames_in_video"]) == (30, 30)
    assert report["frames_chosen"] == 29
    assert report["counts_by_threshold"]["2"]["happy"] == 10
    assert report["chosen_counts_by_threshold"]["2"]["happy"] == 9
    assert report["counts_by_threshold"]["3"]["happy"] == 0
    assert next(iter(read(folder).pictures)).labels["sex"] == ""


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
    assert [read_number(p.read()) for p in pictures] == [p.labels["frame"] for p in pictures]


def test_pictures_can_be_read_late(tmp_path):
    folder = write(tmp_path, {"SN001": 30})
    pictures = list(read(folder).pictures)
    frames = [picture.labels["frame"] for picture in pictures]
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


# ------------------------------------------------------------------------------- videos and lengths


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


# ------------------------------------------------------------------------------- folders


def test_find_subjects(tmp_path):
    folder = write(tmp_path, {"SN010": 4, "SN002": 4})
    write(tmp_path, {"SN003": 4}, camera="right")
    (tmp_path / "Videos_LeftCamera" / "._LeftVideoSN099_comp.avi").write_bytes(b"")
    (tmp_path / "Videos_LeftCamera" / "notes SN098.txt").write_bytes(b"")
    (tmp_path / "Videos_LeftCamera" / "LeftVideoSN0971_comp.avi").write_bytes(b"")
    assert find_subjects(folder) == ["SN002", "SN010"]
    assert find_subjects(str(folder), "right") == ["SN003"]


def test_missing_subjects():
    assert len(OFFICIAL_SUBJECTS) == 27
    assert missing_subjects(list(OFFICIAL_SUBJECTS)) == []
    assert missing_subjects(["SN001", "SN014", *OFFICIAL_SUBJECTS[3:]]) == ["SN002", "SN003"]


@pytest.mark.parametrize(
    "video, labels",
    [
        ("videos_leftcamera/leftvideosn001_comp.AVI", "actionunit_labels/sn001/sn001_AU{}.TXT"),
        ("Video_LeftCamera/LeftVideoSN001_Comp.avi", "ActionUnit_Labels/SN001/SN001_au{}.txt"),
        ("LEFT VIDEO/SN001.avi", "Action Unit Labels/SN001/SN001_au{}.txt"),
        ("LeftVideoSN001_comp.avi", "ActionUnit_Labels/SN001_au{}.txt"),
    ],
)
def test_names_in_other_cases_and_places(tmp_path, video, labels):
    made = write(tmp_path / "made", {"SN001": 20}, intensities=coded_number)
    moved = {video: video_path(made, "SN001")}
    moved |= {labels.format(unit): label_path(made, "SN001", unit) for unit in DISFA_UNITS}
    folder = tmp_path / "given"
    for name, origin in moved.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        origin.rename(folder / name)
    assert find_subjects(folder) == ["SN001"]
    assert subject_files(folder, "SN001") == [folder / name for name in moved]
    pictures = list(read(folder).pictures)
    assert [read_number(p.read()) for p in pictures] == [p.labels["frame"] for p in pictures]


@pytest.mark.parametrize("name", ['it\'s my "DISFA" 100%d [copy] ü', "data:disfa"])
def test_odd_characters_in_the_path(tmp_path, monkeypatch, name):
    write(tmp_path / name, {"SN001": 20})
    monkeypatch.chdir(tmp_path)
    for folder in (name, tmp_path / name):
        assert len(decode_all(folder)) == 5


def test_links_that_lead_in_circles(tmp_path):
    folder = write(tmp_path / "disfa", {"SN001": 20})
    (folder / "left video again").symlink_to(folder)
    (folder / "Videos_LeftCamera" / "up").symlink_to("..")
    (folder / "ActionUnit_Labels" / "up").symlink_to("..")
    (folder / "left video a").symlink_to("left video b")
    (folder / "left video b").symlink_to("left video a")
    (folder / "left video c").symlink_to("Videos_LeftCamera")
    (folder / "LeftVideoSN009.avi").symlink_to("LeftVideoSN009.avi")
    assert find_subjects(folder) == ["SN001"]
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


def test_subject_files_leaves_out_what_is_missing(tmp_path):
    folder = write(tmp_path, {"SN001": 4, "SN002": 4})
    label_path(folder, "SN001", 12).unlink()
    files = subject_files(folder, "SN001")
    units = [unit for unit in DISFA_UNITS if unit != 12]
    assert files == [video_path(folder, "SN001")] + [
        label_path(folder, "SN001", unit) for unit in units
    ]
    for unit in DISFA_UNITS:
        label_path(folder, "SN002", unit).unlink()
    assert subject_files(folder, "SN002") == [video_path(folder, "SN002")]
    assert subject_files(folder, "SN003") == []


def test_folders_that_are_refused(tmp_path):
    missing = tmp_path / "missing"
    assert refusal(find_subjects, missing) == (
        f"{missing}: no such folder. Correct the path in the config"
    )
    for name, remedy in (("DISFA.zip", "Unpack it first"), ("notes.txt", "Give the folder")):
        (tmp_path / name).write_bytes(b"")
        message = refusal(find_subjects, tmp_path / name)
        assert "is a file" in message and remedy in message
    (tmp_path / "circle").symlink_to("circle")
    assert "circle: cannot be looked into" in refusal(find_subjects, tmp_path / "circle")
    message = refusal(find_subjects, tmp_path, "lft")
    assert "unknown camera 'lft'; did you mean 'left'?" in message


def test_folders_without_videos(tmp_path):
    message = refusal(find_subjects, tmp_path)
    assert "no video of the left camera" in message and "It holds nothing" in message
    assert "Videos_LeftCamera/LeftVideoSN001_comp.avi" in message
    (tmp_path / "ActionUnit_Labels").mkdir()
    assert "It holds ActionUnit_Labels. Give the folder" in refusal(find_subjects, tmp_path)
    (tmp_path / "Videos_LeftCamera.zip").write_bytes(b"")
    assert "It holds Videos_LeftCamera.zip: unpack it" in refusal(find_subjects, tmp_path)
    write(tmp_path, {"SN001": 4, "SN002": 4}, camera="right")
    message = refusal(find_subjects, tmp_path)
    assert "holds 2 of the right camera: set 'camera' to right" in message


def test_two_videos_of_a_subject(tmp_path):
    folder = write(tmp_path, {"SN001": 4})
    other = folder / "LeftVideoSN001.mp4"
    other.write_bytes(b"")
    message = refusal(find_subjects, folder)
    assert message.startswith("SN001: has two videos of the left camera")
    assert str(other) in message and "Remove or rename one" in message
    write(tmp_path, {"SN002": 4}, camera="right")
    assert find_subjects(folder, "right") == ["SN002"]


def test_a_subject_without_a_video(tmp_path):
    folder = write(tmp_path, {"SN001": 4})
    message = refusal(read, folder, "SN002")
    assert message.startswith("SN002: ") and "no video of the left camera" in message
    assert "leave the subject out" in message


# ------------------------------------------------------------------------------- label files


def test_read_action_units(tmp_path):
    folder = write(tmp_path, {"SN001": 50}, intensities=coded_number)
    units = read_action_units(folder, "SN001")
    assert units.shape == (50, 12) and list(units.columns) == list(DISFA_UNITS)
    assert list(units.index) == list(range(1, 51)) and units.index.name == "frame"
    assert list(units[12]) == [frame % 6 for frame in range(1, 51)]
    assert units[2].sum() == 0


def test_label_files_of_other_editors(tmp_path):
    folder = write(tmp_path, {"SN001": 3})
    path = label_path(folder, "SN001", 12)
    path.write_bytes(b"\xef\xbb\xbf1,0\r\n2, 4 \r\n\r\n3,5\r\n\r\n")
    assert list(read_action_units(folder, "SN001")[12]) == [0, 4, 5]


def test_a_subject_without_labels(tmp_path):
    folder = write(tmp_path, {"SN001": 3, "SN002": 3})
    for unit in DISFA_UNITS:
        label_path(folder, "SN002", unit).unlink()
    for subject in ("SN002", "SN003"):
        message = refusal(read_action_units, folder, subject)
        assert message.startswith(f"{subject}: is a subject without labels")
        assert f"ActionUnit_Labels/{subject}/{subject}_au1.txt" in message
        assert "leave the subject out" in message
    label_path(folder, "SN001", 12).unlink()
    message = refusal(read_action_units, folder, "SN001")
    assert message.startswith("SN001: SN001_au12.txt missing in ") and "Copy" in message


def test_two_label_files_of_a_unit(tmp_path):
    folder = write(tmp_path, {"SN001": 3})
    (folder / "ActionUnit_Labels" / "SN001" / "SN001_au01.txt").write_text("1,0\n2,0\n3,0\n")
    message = refusal(subject_files, folder, "SN001")
    assert "SN001: has two label files of AU 1" in message and "Remove one" in message


@pytest.mark.parametrize(
    "content, parts",
    [
        ("1,0\n2;0\n3,0\n", ["line 2", "'2;0'", "'frame,intensity'", "Correct"]),
        ("1,0\n2,0.5\n3,0\n", ["line 2", "'2,0.5'", "whole numbers"]),
        ("1,0\n2,-1\n3,0\n", ["line 2", "'2,-1'"]),
        ("1,0\n2,0,0\n3,0\n", ["line 2", "'2,0,0'"]),
        ("frame,intensity\n1,0\n", ["line 1", "'frame,intensity'"]),
        (b"\xff\xfe1\x00,\x00", ["line 1", "'frame,intensity'"]),
        ("1,0\n2,6\n3,0\n", ["line 2", "intensity is 6", "0 to 5", "Correct"]),
        ("1,0\n2,0\n4,0\n", ["line 3", "frame 4 where 3", "without a gap", "Copy"]),
        ("1,0\n1,0\n2,0\n", ["line 2", "frame 1 where 2"]),
        ("0,0\n1,0\n2,0\n", ["line 1", "frame 0 where 1"]),
        ("1,0\n2,0\n", ["has 2 lines", "have 3", "Copy"]),
        ("1,0\n2,0\n3,0\n4,0\n", ["has 4 lines", "have 3", "Copy"]),
        ("", ["is empty", "Copy"]),
    ],
)
@pytest.mark.parametrize("unit", [1, 12])
def test_label_files_that_are_refused(tmp_path, unit, content, parts):
    folder = write(tmp_path, {"SN001": 3})
    path = label_path(folder, "SN001", unit)
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    message = refusal(read_action_units, folder, "SN001")
    assert message.startswith("SN001: ") and str(path) in message
    assert all(part in message for part in parts), message


# ------------------------------------------------------------------------------- subject list


def test_read_subject_list(tmp_path):
    path = tmp_path / "subjects.csv"
    rows = ["SN001,female", "sn002,M", "SN003,women", "SN004,Male", "SN005,f"]
    path.write_text("\n".join(["subject,sex,age", *(row + ",30" for row in rows)]))
    assert read_subject_list(path) == {
        "SN001": "female",
        "SN002": "male",
        "SN003": "female",
        "SN004": "male",
        "SN005": "female",
    }


@pytest.mark.parametrize(
    "rows, parts",
    [
        (["SN001,female", "2,male"], ["row 2", "subject is '2'", "SN and three digits"]),
        (["SN001,female", "sn001,female"], ["row 2", "SN001 is there twice", "Remove"]),
        (["SN001,x"], ["row 1", "sex of SN001 is 'x'", "female or male"]),
        (["SN001,"], ["row 1", "sex of SN001 is ''", "remove the row"]),
        (["SN001"], ["row 1", "has 1 values"]),
    ],
)
def test_subject_lists_that_are_refused(tmp_path, rows, parts):
    path = tmp_path / "subjects.csv"
    path.write_text("\n".join(["subject,sex", *rows]))
    message = refusal(read_subject_list, path)
    assert str(path) in message and all(part in message for part in parts), message


def test_subject_lists_without_a_column(tmp_path):
    path = tmp_path / "subjects.csv"
    path.write_text("subject,gender\nSN001,female\n")
    assert "has no column 'sex'" in refusal(read_subject_list, path)
    assert "no such file" in refusal(read_subject_list, tmp_path / "other.csv")


# ------------------------------------------------------------------------------- choice of frames


@pytest.mark.parametrize("select", ["even", "activity"])
@pytest.mark.parametrize("n, count, min_distance", [(4845, 212, 10), (100, 99, 1), (50, 1, 40)])
def test_chosen_frames(select, n, count, min_distance):
    units = quiet(n, active=range(10, n, 3))
    for seed in range(20):
        frames = choose(units, count, select=select, min_distance=min_distance, seed=seed)
        assert frames.shape == (count,) and frames.dtype.kind == "i"
        assert frames[0] >= 1 and frames[-1] <= n - 1, "the last label may have no frame"
        assert all(b - a >= min_distance for a, b in pairwise(frames))


@pytest.mark.parametrize("select", ["even", "activity"])
def test_the_seed_decides(select):
    units = quiet(1000)
    chosen = [choose(units, 7, select=select, seed=seed) for seed in (0, 1, -1, 0)]
    np.testing.assert_array_equal(chosen[0], chosen[3])
    assert not np.array_equal(chosen[0], chosen[1])
    assert not np.array_equal(chosen[1], chosen[2])


@pytest.mark.parametrize("select", ["even", "activity"])
def test_each_subject_has_random_numbers_of_its_own(select):
    units = quiet(1000)
    alone = choose(units, 7, select=select, subject="SN002")
    other = choose(units, 7, select=select, subject="SN001")
    np.testing.assert_array_equal(alone, choose(units, 7, select=select, subject="SN002"))
    assert not np.array_equal(alone, other)


def test_even_frames_are_evenly_spaced():
    for seed in range(20):
        distances = np.diff(choose(quiet(4845), 212, seed=seed))
        assert set(distances) == {22, 23}
        assert set(np.diff(choose(quiet(101), 10, seed=seed))) == {10}
    firsts = {choose(quiet(101), 10, seed=seed)[0] for seed in range(200)}
    assert firsts == set(range(1, 11)), "every first frame can come"


def test_even_frames_fit_exactly():
    np.testing.assert_array_equal(choose(quiet(12), 3, min_distance=5), [1, 6, 11])


def test_activity_picks_the_active_frames():
    active = range(300, 340)
    frames = choose(quiet(1000, active), 40, select="activity")
    np.testing.assert_array_equal(frames, active)
    units = quiet(1000, active)
    units.loc[500, [1, 2, 4]] = 2
    assert 500 in choose(units, 1, select="activity")
    spread = choose(units, 20, select="activity", min_distance=10)
    assert 500 in spread
    assert 3 <= np.isin(spread, active).sum() <= 4, "as many active ones as the distance allows"


def test_activity_goes_on_with_quiet_frames():
    frames = choose(quiet(1000, range(1, 11)), 30, select="activity")
    assert set(range(1, 11)) <= set(frames)
    assert frames.max() > 500, "quiet frames come from everywhere"


@pytest.mark.parametrize("select, fit", [("even", "only 20 fit"), ("activity", "fit")])
def test_frames_that_do_not_fit(select, fit):
    message = refusal(choose, quiet(201), 21, select=select, min_distance=10, subject="SN007")
    assert message.startswith("SN007: frames_per_person = 21 with min_distance = 10")
    assert "of 200 usable frames" in message and fit in message
    assert "Lower frames_per_person or min_distance" in message
    assert "only 0 fit" in refusal(choose, quiet(1), 1, select=select)


def test_choices_that_are_refused():
    assert "did you mean 'activity'?" in refusal(choose, quiet(9), 1, select="active")
    assert "frames_per_person = 0" in refusal(choose, quiet(9), 0)
    assert "min_distance = 0" in refusal(choose, quiet(9), 1, min_distance=0)


def test_usable_frames_can_be_given():
    np.testing.assert_array_equal(choose(quiet(9), 9, n_usable=9), range(1, 10))


# ------------------------------------------------------------------------------- the rest


def test_looking_for_files_needs_nothing_heavy(tmp_path):
    # Snakemake looks for subjects at the start of every run; OpenCV takes its time to import.
    folder = write(tmp_path, {"SN001": 4})
    code = (
        "import sys; sys.path.insert(0, sys.argv[1])\n"
        "from facestages import disfa_files\n"
        "assert disfa_files.find_subjects(sys.argv[2]) == ['SN001']\n"
        "assert len(disfa_files.subject_files(sys.argv[2], 'SN001')) == 13\n"
        "print({'cv2', 'PIL', 'numpy', 'pandas'} & set(sys.modules))"
    )
    run = subprocess.run(
        [sys.executable, "-c", code, str(LIBRARY), str(folder)],
        capture_output=True,
        text=True,
        check=True,
    )
    assert run.stdout.strip() == "set()"


def test_numbers_survive_compression(tmp_path):
    numbers = [0, 1, 4844, 21845, 43690, 65535]
    write_video(tmp_path / "a.avi", (numbered_frame(n, SIZE) for n in numbers), SIZE)
    capture = cv2.VideoCapture(str(tmp_path / "a.avi"))
    assert [read_number(capture.read()[1]) for _ in numbers] == numbers


def test_people_are_chosen_by_sex_or_by_name(tmp_path):
    folder = write(tmp_path, {"SN001": 4, "SN002": 4, "SN003": 4})
    table = tmp_path / "subjects.csv"
    table.write_text("subject,sex\nSN001,female\nSN002,m\nSN003,F\nSN004,f\n")
    assert choose_subjects(folder, "left", "all") == ["SN001", "SN002", "SN003"]
    assert choose_subjects(folder, "left", "women", table) == ["SN001", "SN003"]
    assert choose_subjects(folder, "left", "men", table) == ["SN002"]
    assert choose_subjects(folder, "left", ["SN003", "SN001"]) == ["SN001", "SN003"]
    with pytest.raises(FacestagesError, match="of the left camera of SN009"):
        choose_subjects(folder, "left", ["SN009", "SN001"])
    table.write_text("subject,sex\nSN001,female\nSN003,F\n")
    with pytest.raises(FacestagesError, match="says nothing of SN002, whose video is there"):
        choose_subjects(folder, "left", "women", table)
    table.write_text("subject,sex\nSN001,f\nSN002,f\nSN003,f\n")
    with pytest.raises(FacestagesError, match="none of the 3 people .* is male"):
        choose_subjects(folder, "left", "men", table)

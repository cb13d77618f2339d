"""The files of a DISFA folder: found under the official names, refused where they are ambiguous."""

import subprocess
import sys
from pathlib import Path

import pytest

from disfa_files import (
    label_path,
    read_number,
    video_path,
)
from disfa_frames import coded_number, decode_all, frame_of, read, write
from facestages.action_units import DISFA_UNITS
from facestages.disfa_files import (
    OFFICIAL_SUBJECTS,
    choose_subjects,
    find_subjects,
    missing_subjects,
    read_subject_list,
    subject_files,
)
from facestages.errors import FacestagesError
from refusals import refusal

LIBRARY = Path(__file__).parents[2] / "workflow" / "scripts"


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
    assert [read_number(p.read()) for p in pictures] == [frame_of(p) for p in pictures]


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
    inner = write(tmp_path / "DISFA", {"SN001": 4})
    assert f"{inner} holds videos: give that folder" in refusal(find_subjects, tmp_path)
    inner.rename(tmp_path.parent / "away")
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


def test_two_label_files_of_a_unit(tmp_path):
    folder = write(tmp_path, {"SN001": 3})
    (folder / "ActionUnit_Labels" / "SN001" / "SN001_au01.txt").write_text("1,0\n2,0\n3,0\n")
    message = refusal(subject_files, folder, "SN001")
    assert "SN001: has two label files of AU 1" in message and "Remove one" in message


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

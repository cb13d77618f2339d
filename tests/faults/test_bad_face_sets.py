"""KDEF, DISFA and cropping: an error in pictures, videos or labels is named in one line."""

import numpy as np
import pytest
from PIL import Image

from disfa_files import label_path, numbered_frame, video_path, write_disfa, write_labels
from face_sets import ASSETS, rendered_portraits, write_kdef
from facestages.action_units import RULES_V1
from facestages.stimuli import read_stimuli
from facestages.stimuli.render.head_model import load_head
from workflow_runner import link_downloads

SIZE, FRAMES = (160, 120), 30
PREPARED = "results/stimuli/new.h5", "logs/prepare_stimuli/new.log"
EXTRACTED = "results/frames/new/SN002.h5", "logs/extract_frames/new/SN002.log"


@pytest.fixture(scope="module")
def portrait():
    return rendered_portraits(load_head(ASSETS / "headmodel"))


@pytest.fixture
def disfa(workspace):
    """Two videos of numbered frames, taken whole."""
    folder = workspace.folder / "DISFA"
    subjects = {"SN001": FRAMES, "SN002": FRAMES}
    write_disfa(folder, subjects, size=SIZE, draw=lambda _, frame: numbered_frame(frame, SIZE))
    workspace.config["datasets"]["new"] = {
        "source": "disfa", "path": "DISFA", "frames_per_person": 5, "size": 32, "crop": None,
    }  # fmt: skip
    return folder


@pytest.fixture
def kdef(workspace, portrait):
    """A tree of two people."""
    folder = workspace.folder / "KDEF"
    write_kdef(folder, portrait, ("F01", "M01"), expressions=("happy", "sad"), errata=False)
    workspace.config["datasets"]["new"] = {"source": "kdef", "path": "KDEF", "size": 48}
    resources = workspace.folder / "resources"
    if not resources.exists():
        link_downloads(workspace.folder)
    return folder


# ------------------------------------------------------------------------------- DISFA


def test_a_video_cut_short(workspace, disfa):
    video = video_path(disfa, "SN002")
    content = video.read_bytes()
    video.write_bytes(content[: len(content) // 2])
    workspace.refuse_job(*EXTRACTED, "SN002", video.name, "frames", "cut short", "copy it again")
    video.write_bytes(content)
    workspace.make("results/stimuli/new.h5")


def test_labels_two_frames_too_many(workspace, disfa):
    write_labels(disfa, "SN002", FRAMES + 2)
    workspace.refuse_job(*EXTRACTED, "SN002", f"has {FRAMES} frames", f"{FRAMES + 2} lines")
    write_labels(disfa, "SN002", FRAMES + 1)
    workspace.make("results/stimuli/new.h5")


def test_a_subject_without_labels(workspace, disfa):
    for path in label_path(disfa, "SN002", 1).parent.iterdir():
        path.unlink()
    workspace.refuse_job(*EXTRACTED, "SN002: is a subject without labels", "leave the subject out")
    workspace.config["datasets"]["new"]["subjects"] = ["SN001"]
    workspace.make("results/stimuli/new.h5")


def test_more_frames_than_there_are(workspace, disfa):
    workspace.config["datasets"]["new"]["frames_per_person"] = 28
    workspace.refuse_job(*EXTRACTED, "SN002: frames_per_person = 28", "only 6 fit", "min_distance")


def test_subjects_that_are_not_there(workspace, disfa):
    workspace.config["datasets"]["new"]["subjects"] = ["SN001", "SN009"]
    workspace.refuse_config(PREPARED[0], "datasets.new", "SN009", "'subjects'")
    workspace.config["datasets"]["new"]["subjects"] = "women"
    workspace.refuse_config(PREPARED[0], "needs the key 'subject_list'")
    workspace.config["datasets"]["new"]["subject_list"] = "people.csv"
    workspace.refuse_config(PREPARED[0], "subject_list = 'people.csv': no such file")
    (workspace.folder / "people.csv").write_text("subject,sex\nSN001,f\n")
    workspace.refuse_config(PREPARED[0], "people.csv", "says nothing of SN002")


def test_a_circle_of_links_beside_the_videos(workspace, disfa):
    (disfa / "Videos_LeftCamera" / "again").symlink_to(disfa, target_is_directory=True)
    (disfa / "loop").symlink_to(disfa / "loop")
    workspace.make("results/stimuli/new.h5")


@pytest.mark.parametrize(
    ("rules", "words"),
    [
        ({"hapy": "6+12"}, "mean 'happy'?"),
        ({"happy": "6+13"}, "13"),
        ({"happy": "6+12"}, "a name of their own"),
        (dict(reversed(RULES_V1.items())), "a name of their own"),
    ],
)
def test_rules_that_are_none(workspace, disfa, rules, words):
    workspace.config["datasets"]["new"]["action_units"] = {"rules": rules}
    workspace.refuse_config(PREPARED[0], "datasets.new.action_units", words)


# ------------------------------------------------------------------------------- KDEF


def test_a_person_missing_is_a_warning(workspace, kdef):
    workspace.make(PREPARED[0])
    assert len(read_stimuli(workspace.folder / PREPARED[0])) == 8
    log = (workspace.folder / PREPARED[1]).read_text()
    assert log.count("it lacks 68 of 70 people") == 1


def test_a_circle_of_links_in_the_tree(workspace, kdef):
    (kdef / "AF01" / "up").symlink_to(kdef, target_is_directory=True)
    workspace.make(PREPARED[0])
    assert len(read_stimuli(workspace.folder / PREPARED[0])) == 8


def test_pictures_with_two_faces_and_with_none(workspace, kdef, portrait):
    first = portrait("F01", "happy", "A", 300)[0]
    Image.fromarray(np.hstack([first, first[:, ::-1]])).save(kdef / "AF01" / "AF01HAS.JPG")
    noise = np.random.default_rng(0).integers(0, 256, (300, 300), dtype=np.uint8)
    Image.fromarray(noise).save(kdef / "AM01" / "AM01SAS.JPG")
    workspace.refuse_job(
        *PREPARED,
        "new: 2 of 8 pictures do not show just one face",
        "AF01/AF01HAS.JPG (2 faces found), AM01/AM01SAS.JPG (no face found)",
        "crop.failures",
    )
    workspace.config["datasets"]["new"]["crop"] = {"failures": "drop"}
    workspace.make("results/stimuli/new.report.md")
    assert len(read_stimuli(workspace.folder / PREPARED[0])) == 6
    report = (workspace.folder / "results/stimuli/new.report.md").read_text()
    assert "- AF01/AF01HAS.JPG: 2 faces found; left out" in report


def test_no_kdef_at_all(workspace, kdef):
    for path in kdef.rglob("*.JPG"):
        path.rename(path.with_name("x" + path.name))
    workspace.refuse_job(*PREPARED, "KDEF", "no", "xAF01")


def test_crop_without_a_size(workspace):
    workspace.config["datasets"]["own"]["crop"] = {}
    workspace.refuse_config("all", "datasets.own", "'crop' needs the key 'size'")


def test_matching_colour_pictures(workspace, kdef):
    workspace.config["datasets"]["new"]["crop"] = {"histogram": "match"}
    workspace.refuse_config("all", "crop.histogram = 'match'", "color: grey")


def test_predictions_of_a_network_without_classes(workspace):
    workspace.config["datasets"]["own"]["predicted_by"] = ["pixels"]
    workspace.refuse_config("all", "predicted_by = 'pixels'", "the key 'classes'")
    workspace.config["datasets"]["own"]["predicted_by"] = ["pixel"]
    workspace.refuse_config("all", "did you mean 'pixels'?")


def test_a_folder_without_any_frame_does_not_count_as_made(workspace):
    (workspace.folder / "results/frames/new").mkdir(parents=True)
    workspace.config["datasets"]["new"] = {"source": "disfa", "path": "DISFA"}
    workspace.refuse_config(PREPARED[0], "datasets.new.path = 'DISFA': no such file or folder")

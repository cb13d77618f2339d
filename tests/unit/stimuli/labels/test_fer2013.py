"""Labels of FER2013 are those of its pictures."""

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from face_sets import write_fer2013_csv
from facestages.stimuli.fer2013 import read_fer2013
from facestages.stimuli.labels.fer2013 import list_labels


@pytest.mark.parametrize("splits", [None, ["PrivateTest", "Training"]])
def test_labels_of_the_csv_file_by_name(tmp_path, splits):
    pictures = np.random.default_rng(0).integers(0, 256, (3, 48, 48)).astype(np.uint8)
    usages = ["Training", "PublicTest", "PrivateTest"]
    write_fer2013_csv(tmp_path / "fer2013.csv", pictures, ["happy", "angry", "neutral"], usages)
    faces = read_fer2013(tmp_path / "fer2013.csv", splits=splits)
    table, sources, _ = list_labels({"path": tmp_path}, faces.labels[["stimulus_id"]])
    pd.testing.assert_frame_equal(table, faces.labels.drop(columns="stimulus_id"))
    assert sources == faces.sources


def test_no_picture_of_the_folders_is_opened(tmp_path):
    for place in ("train/happy/a.png", "test/sad/b.png"):
        (tmp_path / place).parent.mkdir(parents=True)
        Image.new("L", (48, 48)).save(tmp_path / place)
    faces = read_fer2013(tmp_path)
    (tmp_path / "test/sad/b.png").write_bytes(b"no picture any more")
    table, *_ = list_labels({"path": tmp_path}, faces.labels[["stimulus_id"]])
    assert table.to_dict("list") == {"expression": ["sad", "happy"], "split": ["test", "Training"]}

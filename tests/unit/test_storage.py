"""Params name products by their path in the run; a job finds them at its inputs."""

import pytest

from facestages import storage

COPIES = ".snakemake/storage/s3/faces"
INPUTS = [f"{COPIES}/results/a.csv", f"{COPIES}/resources/assets/xception"]


@pytest.fixture
def bucket(monkeypatch):
    monkeypatch.setenv(storage.VARIABLE, COPIES)


def test_without_a_bucket_nothing_changes(monkeypatch):
    monkeypatch.delenv(storage.VARIABLE, raising=False)
    settings = {"file": "results/a.csv"}
    assert not storage.is_used() and storage.locate(settings, INPUTS) is settings
    assert storage.path_in_run("results/a.csv") == "results/a.csv"


@pytest.mark.parametrize(
    ("told", "found"),
    [
        ("results/a.csv", f"{COPIES}/results/a.csv"),
        # In a folder that is an input.
        ("resources/assets/xception/w.h5", f"{COPIES}/resources/assets/xception/w.h5"),
        # Names that only begin as an input does, files that are no input, the user's files, words.
        ("resources/assets/xception_2/w.h5", "resources/assets/xception_2/w.h5"),
        ("results/b.csv", "results/b.csv"),
        ("/home/me/own.pth", "/home/me/own.pth"),
        ("pretrained", "pretrained"),
        ("", ""),
        (None, None),
        (3, 3),
    ],
)
def test_what_is_an_input_is_found_there(bucket, told, found):
    assert storage.locate(told, INPUTS) == found


def test_at_any_depth(bucket):
    told = {"posed": [{"file": "results/a.csv", "n": 2}], "label": ("x", "results/a.csv")}
    file = f"{COPIES}/results/a.csv"
    assert storage.locate(told, INPUTS) == {"posed": [{"file": file, "n": 2}], "label": ["x", file]}


def test_pages_name_the_path_in_the_run(bucket):
    assert storage.path_in_run(INPUTS[0]) == "results/a.csv"
    assert storage.path_in_run("/elsewhere/a.csv") == "/elsewhere/a.csv"

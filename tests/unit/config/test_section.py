"""Types of values in the config: paths as a shell takes them."""

import os
import pwd

import pytest

from facestages.config import load_config
from facestages.config.section import expand_path
from facestages.errors import FacestagesError

STAGES = {"early": "pixels", "final": "pixels"}


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", "/home/me")
    monkeypatch.setenv("DATA", "/data")
    monkeypatch.setenv("EMPTY", "")
    monkeypatch.delenv("NOWHERE", raising=False)


@pytest.mark.parametrize(
    ("path", "expanded"),
    [
        ("~/faces.csv", "/home/me/faces.csv"),
        ("~", "/home/me"),
        ("$HOME/faces.csv", "/home/me/faces.csv"),
        ("${DATA}_2/$DATA", "/data_2//data"),
        ("faces/~/x", "faces/~/x"),
        ("price 5$/$1", "price 5$/$1"),
        ("../faces.csv", "../faces.csv"),
    ],
)
def test_a_path_is_as_in_a_shell(path, expanded):
    assert expand_path(path) == expanded


def test_the_folder_of_another_user():
    user = pwd.getpwuid(os.getuid())
    assert expand_path(f"~{user.pw_name}/x") == f"{user.pw_dir}/x"


def test_a_file_with_a_dollar_sign_is_itself(tmp_path):
    (tmp_path / "$NOWHERE").touch()
    assert expand_path("$NOWHERE") == "$NOWHERE"


def test_letters_are_composed_as_on_the_disk(tmp_path):
    nfc, nfd = "\u00e4", "a\u0308"
    (tmp_path / nfd).mkdir()
    (tmp_path / nfd / f"{nfc}.csv").touch()
    for path in (f"{nfc}/{nfc}.csv", f"{nfd}/{nfd}.csv"):
        assert expand_path(path) == f"{nfd}/{nfc}.csv"
        assert expand_path(f"{tmp_path}/{path}") == f"{tmp_path}/{nfd}/{nfc}.csv"
    assert expand_path(f"{nfc}/x{nfd}") == f"{nfd}/x{nfd}"


@pytest.mark.parametrize(
    ("path", "told"),
    [
        ("$NOWHERE/x", "'$NOWHERE/x': the environment has no variable 'NOWHERE'. Set it"),
        ("${EMPTY}/x", "'${EMPTY}/x': the environment has no variable 'EMPTY'"),
        ("~nobody-of-this-name/x", "there is no such user. Write the whole path"),
    ],
)
def test_what_stands_for_nothing_is_told(path, told):
    with pytest.raises(ValueError) as caught:
        expand_path(path)
    assert told in str(caught.value)


def config_of(path):
    """A config in which each key that takes a path has this one."""
    spec = {"input": {"size": 8, "channels": 1}, "stages": STAGES}
    files = {"size": 8, "crop": None}
    return {
        "datasets": {
            "table": {
                "source": "table",
                "label": "T",
                "table": path,
                "folder": path,
                "norms": path,
            },
            "kdef": {"source": "kdef", "path": path, "norms": path, **files},
            "disfa": {"source": "disfa", "path": path, "subject_list": path, **files},
            "fer": {"source": "fer2013", "path": path},
        },
        "networks": {
            "keras": {"label": "K", "keras": path, **spec},
            "torch": {"label": "A", "torch": "a.b:c", "weights": path, "files": [path], **spec},
            "section": {
                "label": "B",
                "torch": {"module": "a:b", "weights": {"path": path}, "input": spec["input"]},
                "stages": STAGES,
            },
        },
        "ratings": {"oasis": {"source": "oasis", "path": path}},
        "assets": {"orl": path},
        "pathvars": {"results": path},
        "figures": {"fig4": {"datasets": ["table"], "networks": ["keras"], "stages": [*STAGES]}},
    }


def texts_in(value):
    if isinstance(value, dict | list):
        for item in value.values() if isinstance(value, dict) else value:
            yield from texts_in(item)
    elif isinstance(value, str):
        yield value


def test_every_path_of_the_config():
    texts = list(texts_in(load_config(config_of("~/x")).model_dump()))
    assert texts.count("/home/me/x") == 15 and "~/x" not in texts


def test_a_path_to_nowhere_is_told_with_its_key():
    with pytest.raises(FacestagesError) as caught:
        load_config(config_of("$NOWHERE/x"))
    lines = str(caught.value).splitlines()
    assert len(lines) == 15
    for key in ("datasets.table.folder", "networks.torch.files.0", "pathvars.results"):
        assert any(line.startswith(f"config: {key}: '$NOWHERE/x': the envir") for line in lines)

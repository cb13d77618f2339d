"""The manifest of assets."""

import pytest
import yaml

from facestages.assets import RESOURCES, read_manifest
from facestages.errors import FacestagesError

ENTRY = {
    "description": "x",
    "source": {"pip": "a==1"},
    "file": "weights.bin",
    "bytes": 1,
    "sha256": 64 * "0",
    "licence": "MIT",
    "citation": "y",
}


def refusal(path):
    """The message about a manifest that must be refused; it has one or two lines."""
    with pytest.raises(FacestagesError) as caught:
        read_manifest(path)
    message = str(caught.value)
    assert len(message.splitlines()) <= 2
    return message


def test_the_manifest_of_the_project_is_valid():
    entries = read_manifest(RESOURCES / "manifest.yaml")
    assert {"headmodel", "mini_xception"} <= set(entries)
    assert entries["mini_xception"]["licence"] == "MIT"


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"sha265": "0"}, "did you mean 'sha256'"),
        ({"sha256": "abc"}, "64 hexadecimal digits"),
        ({"bytes": "many"}, "'bytes' must be a whole number"),
        ({"bytes": True}, "'bytes' must be a whole number"),
        ({"file": "../x.whl"}, "plain file name"),
        ({"source": {"pip": "fer"}}, "name==version"),
        ({"source": {"pip": "fer==1 --index-url x"}}, "name==version"),
        ({"source": {"url": "file:///etc/passwd"}}, "http(s)"),
        ({"source": {"pip": "a==1", "url": "https://x/y"}}, "'source' must be"),
        ({"members": []}, "leave it out"),
        ({"members": ["../x"]}, "without '..'"),
        ({"members": ["/x"]}, "without '..'"),
        ({"licence": None}, "'licence' must be text"),
        ({"source": {"file": "../x"}}, "must be a relative path"),
        ({"metrics": "/x.json"}, "'metrics' must be a relative path"),
        ({"trained_on": 3}, "'trained_on' must be text"),
    ],
)
def test_a_wrong_entry_is_refused_by_name(tmp_path, change, words):
    path = tmp_path / "manifest.yaml"
    path.write_text(yaml.safe_dump({"thing": ENTRY | change}))
    message = refusal(path)
    assert str(path) in message and "'thing'" in message and words in message


def test_an_incomplete_entry_a_shared_file_and_no_yaml_are_refused(tmp_path):
    path = tmp_path / "manifest.yaml"
    entry = dict(ENTRY)
    path.write_text(yaml.safe_dump({"a": entry, "b": dict(entry)}))
    assert "belongs to asset 'a' already" in refusal(path)
    del entry["licence"]
    path.write_text(yaml.safe_dump({"a": entry}))
    assert "'licence' is missing" in refusal(path)
    path.write_text("a: [1")
    assert "cannot be read as YAML" in refusal(path)
    path.write_text("")
    assert "must hold keys and values" in refusal(path)
    assert "no such file" in refusal(tmp_path / "none.yaml")

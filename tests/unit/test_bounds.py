"""What a file declares must fit what it holds."""

import pytest

from facestages.bounds import fits, require_fit, require_size
from facestages.errors import FacestagesError
from facestages.yaml_files import read_yaml


@pytest.mark.parametrize(
    ("declared", "stored", "fitting"),
    [
        (64 << 20, 1, True),
        ((64 << 20) + 1, 1, False),
        (10 << 30, 1 << 30, True),
        ((10 << 30) + 1, 1 << 30, False),
    ],
)
def test_memory_grows_with_the_file(declared, stored, fitting):
    assert fits(declared, stored) is fitting


def test_what_is_refused_is_named(tmp_path):
    path = tmp_path / "net.keras"
    path.write_bytes(bytes(2_000_000))
    require_fit(path, "its weights", 20e6)
    with pytest.raises(FacestagesError, match="net.keras: its weights would take 70 MB of memory"):
        require_fit(path, "its weights", 70e6)
    require_size(path, 2_000_000, "a table")
    with pytest.raises(FacestagesError, match=r"has 2.0 MB, too much for a table \(at most 1.0 MB"):
        require_size(path, 1_000_000, "a table")


def test_aliases_of_yaml(tmp_path):
    path = tmp_path / "a.yaml"
    path.write_text("a: &a [1, 2]\nb: {c: *a, d: *a}\ne: {<<: {f: *a}}")
    assert read_yaml(path) == {"a": [1, 2], "b": {"c": [1, 2], "d": [1, 2]}, "e": {"f": [1, 2]}}
    path.write_text("a: &a [*a]")
    with pytest.raises(FacestagesError, match="more than 100,000 values"):
        read_yaml(path)

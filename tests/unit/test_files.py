"""Files: complete under their name or not there."""

import errno

import pytest

from facestages.errors import FacestagesError
from facestages.files import atomic_path, require_space


def test_failed_write_leaves_the_old_file_and_no_partial(tmp_path):
    target = tmp_path / "a.txt"
    target.write_text("old")
    with pytest.raises(RuntimeError), atomic_path(target) as partial:
        partial.write_text("new")
        raise RuntimeError
    assert target.read_text() == "old"
    assert list(tmp_path.iterdir()) == [target]


@pytest.mark.parametrize(
    ("number", "words"), [(errno.ENOSPC, "disk is full"), (errno.EACCES, "not writable")]
)
def test_failed_write_says_why(tmp_path, number, words):
    with pytest.raises(FacestagesError, match=words), atomic_path(tmp_path / "a"):
        raise OSError(number, "no")


def test_missing_space_is_seen_before_the_work(tmp_path):
    with pytest.raises(FacestagesError, match="needs 1,000,000,000,000.0 MB"):
        require_space(tmp_path / "new" / "a.h5", 10**18)

"""Files: complete under their name or not there; one writer of each."""

import errno
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from facestages import files
from facestages.errors import FacestagesError
from facestages.files import atomic_folder, atomic_path, claim, require_space

COLLISION = "another run has written it meanwhile, or writes it now"


@pytest.fixture(params=["links", "no links"])
def target(tmp_path, request, monkeypatch):
    """A path to write, on file systems with and without hard links."""
    if request.param == "no links":

        def refuse(*_):
            raise OSError(errno.EOPNOTSUPP, "no hard links")

        monkeypatch.setattr(os, "link", refuse)
    return tmp_path / "a.txt"


def write(path, text):
    with atomic_path(path) as partial:
        partial.write_text(text)


def names(folder):
    return sorted(item.name for item in folder.iterdir())


# ------------------------------------------------------------------------------- one writer


def test_failed_write_leaves_the_old_file_and_no_partial(target):
    target.write_text("old")
    with pytest.raises(RuntimeError), atomic_path(target) as partial:
        partial.write_text("new")
        raise RuntimeError
    assert target.read_text() == "old"
    assert names(target.parent) == ["a.txt"]


def test_one_writer_after_another(target):
    for text in ("first", "second", "third"):
        write(target, text)
        assert target.read_text() == text
    assert names(target.parent) == ["a.txt"]


@pytest.mark.parametrize("before", [None, "older"])
def test_the_writer_that_began_last_wins(target, before):
    if before:
        target.write_text(before)
    with pytest.raises(FacestagesError, match=COLLISION), atomic_path(target) as old:
        old.write_text("old")
        write(target, "new")
    assert target.read_text() == "new"
    assert names(target.parent) == ["a.txt"]


def test_a_writer_that_goes_on_in_a_file_taken_from_it_is_refused(target):
    with pytest.raises(FacestagesError, match=COLLISION), atomic_path(target) as old:
        with atomic_path(target):
            # A library that opens the file late makes it anew.
            old.write_text("old")
    assert target.read_text() == ""
    assert names(target.parent) == ["a.txt"]


@pytest.mark.parametrize("before", [None, "older"])
def test_a_file_that_somebody_else_has_put_there_stays(target, before):
    if before:
        target.write_text(before)
    with pytest.raises(FacestagesError, match=COLLISION), atomic_path(target) as partial:
        partial.write_text("ours")
        other = target.with_name("other.txt")
        other.write_text("theirs")
        os.replace(other, target)
    assert target.read_text() == "theirs"


def test_a_file_that_appears_at_the_last_moment_stays(tmp_path, monkeypatch):
    link = os.link

    def theirs_first(source, path):
        Path(path).write_text("theirs")
        link(source, path)

    monkeypatch.setattr(os, "link", theirs_first)
    with pytest.raises(FacestagesError, match=COLLISION):
        write(tmp_path / "a.txt", "ours")
    assert (tmp_path / "a.txt").read_text() == "theirs"


def test_a_file_that_was_removed_meanwhile_is_written(target):
    target.write_text("older")
    with atomic_path(target) as partial:
        partial.write_text("new")
        target.unlink()
    assert target.read_text() == "new"


def test_no_refused_writer_of_many_leaves_a_byte(target):
    def attempt(number):
        try:
            write(target, f"{number}" * 1000)
        except FacestagesError as error:
            assert COLLISION in str(error)
            return None
        return f"{number}" * 1000

    with ThreadPoolExecutor(8) as pool:
        for _ in range(20):
            written = set(pool.map(attempt, range(8)))
            assert target.read_text() in written - {None}
            assert names(target.parent) == ["a.txt"]


# ------------------------------------------------------------------------------- claims


def test_a_claim_ends_those_of_earlier_jobs(tmp_path, monkeypatch):
    """Also of files that an earlier job has not begun to write."""
    paths = [tmp_path / "a.txt", tmp_path / "b.txt"]
    earlier, later = {}, {}
    for claims in (earlier, later):
        monkeypatch.setattr(files, "_claims", claims)
        claim(paths)
    for path in paths:
        write(path, "later")
    monkeypatch.setattr(files, "_claims", earlier)
    for path in paths:
        with pytest.raises(FacestagesError, match=COLLISION):
            write(path, "earlier")
        assert path.read_text() == "later"
    assert names(tmp_path) == ["a.txt", "b.txt"]


def test_a_file_written_after_the_claim_stays(tmp_path):
    claim([tmp_path / "a.txt"])
    (tmp_path / "a.txt").write_text("theirs")
    with pytest.raises(FacestagesError, match=COLLISION):
        write(tmp_path / "a.txt", "ours")
    assert (tmp_path / "a.txt").read_text() == "theirs"


def test_claims_end_with_the_process(tmp_path):
    code = f"from facestages import files; files.claim([{str(tmp_path / 'a')!r}]); raise SystemExit"
    environment = os.environ | {"PYTHONPATH": str(Path(files.__file__).parents[1])}
    subprocess.run([sys.executable, "-c", code], env=environment, check=True)
    assert names(tmp_path) == []


# ------------------------------------------------------------------------------- partial files


def test_what_killed_jobs_left_of_a_file_is_removed(target):
    left, other = ".partial-0123abcd-a.txt", ".partial-0123abcd-b-a.txt"
    outside = target.parent / "outside"
    outside.mkdir()
    (outside / "kept").touch()
    target.with_name(left).write_text("half")
    target.with_name(other).write_text("of another file")
    target.with_name(left.replace("0", "1")).mkdir()
    target.with_name(left.replace("0", "2")).symlink_to(outside)
    write(target, "whole")
    assert names(target.parent) == [other, "a.txt", "outside"]
    assert names(outside) == ["kept"]


def test_a_link_under_the_temporary_name_is_not_followed(target, monkeypatch):
    monkeypatch.setattr(files.secrets, "token_hex", lambda _: "0123abcd")
    victim = target.with_name("victim")
    victim.write_text("kept")
    monkeypatch.setattr(files, "_partials", lambda _: [])
    target.with_name(".partial-0123abcd-a.txt").symlink_to(victim)
    with pytest.raises(FileExistsError):
        write(target, "text")
    assert victim.read_text() == "kept"


@pytest.mark.parametrize("umask", [0o022, 0o027, 0o002])
def test_permissions_are_those_of_any_new_file(target, umask):
    previous = os.umask(umask)
    try:
        write(target, "")
    finally:
        os.umask(previous)
    assert target.stat().st_mode & 0o777 == 0o666 & ~umask


@pytest.mark.parametrize("name", ["x" * 251 + ".csv", "é" * 125 + ".csv"])
def test_the_longest_names_can_be_written(tmp_path, name):
    with atomic_path(tmp_path / name) as partial:
        assert partial.suffix == ".csv"
        partial.write_text("text")
    assert names(tmp_path) == [name]


def test_an_interrupted_file_can_be_gone_on_with(target):
    for text in ("one", "two"):
        with pytest.raises(RuntimeError), atomic_path(target, resume=True) as partial:
            with open(partial, "a") as stream:
                stream.write(text)
            raise RuntimeError
    with atomic_path(target, resume=True) as partial:
        assert partial.read_text() == "onetwo"
    assert names(target.parent) == ["a.txt"]


def test_nobody_appends_to_the_file_of_an_interrupted_process(target):
    with pytest.raises(FacestagesError, match=COLLISION):
        with atomic_path(target, resume=True) as old, open(old, "a") as stream:
            stream.write("one")
            stream.flush()
            with atomic_path(target, resume=True) as new:
                stream.write("old")
                stream.flush()
                assert new.read_text() == "one"
    assert target.read_text() == "one"


# ------------------------------------------------------------------------------- folders


def test_a_folder_is_replaced_whole(tmp_path):
    folder = tmp_path / "asset"
    for member in ("old", "new"):
        with atomic_folder(folder) as partial:
            (partial / member).touch()
    assert names(folder) == ["new"]
    assert names(tmp_path) == ["asset"]


def test_a_folder_stays_if_the_new_one_fails(tmp_path):
    (tmp_path / "asset").mkdir()
    (tmp_path / "asset" / "old").touch()
    with pytest.raises(RuntimeError), atomic_folder(tmp_path / "asset") as partial:
        (partial / "new").touch()
        raise RuntimeError
    assert names(tmp_path / "asset") == ["old"]
    assert names(tmp_path) == ["asset"]


@pytest.mark.parametrize("before", [False, True])
def test_the_folder_that_was_begun_last_wins(tmp_path, before):
    folder = tmp_path / "asset"
    if before:
        folder.mkdir()
    with pytest.raises(FacestagesError, match=COLLISION), atomic_folder(folder) as old:
        with atomic_folder(folder) as new:
            (new / "new").touch()
        (old / "old").touch()
    assert names(folder) == ["new"]
    assert names(tmp_path) == ["asset"]


# ------------------------------------------------------------------------------- disks


@pytest.mark.parametrize(
    ("number", "words"), [(errno.ENOSPC, "disk is full"), (errno.EACCES, "not writable")]
)
def test_failed_write_says_why(tmp_path, number, words):
    with pytest.raises(FacestagesError, match=words), atomic_path(tmp_path / "a"):
        raise OSError(number, "no")


def test_missing_space_is_seen_before_the_work(tmp_path):
    with pytest.raises(FacestagesError, match="needs 1,000,000,000,000.0 MB"):
        require_space(tmp_path / "new" / "a.h5", 10**18)

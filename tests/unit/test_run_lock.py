"""One run at a time in a results folder."""

import errno
import fcntl
import os
import subprocess
import sys
from pathlib import Path

import pytest

from facestages import run_lock
from facestages.errors import FacestagesError
from facestages.files import atomic_path, claim

HOLD = """
import subprocess, sys
from facestages import run_lock
run_lock.hold(sys.argv[1])
child = subprocess.Popen(["sleep", "60"])
print(child.pid, flush=True)
child.wait()
"""


@pytest.fixture(autouse=True)
def outside_of_runs(monkeypatch):
    """What a test sets in the environment ends with it."""
    monkeypatch.setenv(run_lock.VARIABLE, "")


@pytest.fixture
def other_run(tmp_path):
    """Another run in the results folder, which has started a job."""
    environment = os.environ | {"PYTHONPATH": str(Path(run_lock.__file__).parents[1])}
    process = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(tmp_path / "results")],
        env=environment,
        stdout=subprocess.PIPE,
        text=True,
        cwd=tmp_path,
    )
    job = int(process.stdout.readline())
    yield process
    os.kill(job, 9)
    process.kill()
    process.wait()
    process.stdout.close()


def test_a_second_run_is_told_of_the_first(tmp_path, other_run):
    with pytest.raises(FacestagesError) as caught:
        run_lock.hold(tmp_path / "results")
    (line,) = str(caught.value).splitlines()
    assert f"another run works in {tmp_path}/results" in line
    assert f"process {other_run.pid}, started in {tmp_path}" in line


def test_another_folder_is_free(tmp_path, other_run):
    run_lock.hold(tmp_path / "other")


def test_a_killed_run_leaves_no_lock_though_its_job_lives(tmp_path, other_run):
    other_run.kill()
    other_run.wait()
    run_lock.hold(tmp_path / "results")


def test_a_job_of_an_earlier_run_begins_no_file(tmp_path, monkeypatch):
    """Also after the later run has ended: the results are those of the run that began last."""
    monkeypatch.setattr(fcntl, "flock", lambda *_: None)
    run_lock.hold(tmp_path / "results")
    earlier = os.environ[run_lock.VARIABLE]
    with atomic_path(tmp_path / "a") as partial:
        partial.write_text("earlier")
    run_lock.hold(tmp_path / "results")
    with atomic_path(tmp_path / "a") as partial:
        partial.write_text("later")
    monkeypatch.setenv(run_lock.VARIABLE, earlier)
    with pytest.raises(FacestagesError, match="another run has begun in .*results since this job"):
        claim([tmp_path / "a"])
    assert [path.name for path in tmp_path.iterdir() if path.is_file()] == ["a"]
    assert (tmp_path / "a").read_text() == "later"


def test_a_removed_lock_file_stops_no_job(tmp_path):
    run_lock.hold(tmp_path / "results")
    (tmp_path / "results" / run_lock.NAME).unlink()
    run_lock.require_newest()


def test_without_locks_a_run_goes_on(tmp_path, monkeypatch):
    def refuse(*_):
        raise OSError(errno.ENOLCK, "no locks")

    monkeypatch.setattr(fcntl, "flock", refuse)
    run_lock.hold(tmp_path / "results")


def test_a_link_in_place_of_the_lock_is_not_followed(tmp_path):
    victim = tmp_path / "victim"
    victim.write_text("kept")
    (tmp_path / run_lock.NAME).symlink_to(victim)
    run_lock.hold(tmp_path)
    assert victim.read_text() == "kept"

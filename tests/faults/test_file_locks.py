"""A shared file system that locks no files, or keeps the lock of a job that has died."""

import fcntl
from contextlib import ExitStack
from pathlib import Path

import pytest

STIMULI = Path("results/stimuli/own.h5")
ACTIVATIONS = Path("results/activations/own/pixels/seed-0.h5")
GEOMETRY = Path("results/geometry/own/pixels/seed-0.h5")
SCORES = Path("results/separability/own/pixels/seed-0.csv")


@pytest.mark.parametrize(
    ("read", "target"), [((STIMULI, ACTIVATIONS), GEOMETRY), ((STIMULI, GEOMETRY), SCORES)]
)
def test_files_that_cannot_be_locked(workspace, monkeypatch, read, target):
    """A file has its name only when it is complete, so nobody needs to lock it."""
    monkeypatch.delenv("HDF5_USE_FILE_LOCKING", raising=False)
    (workspace.folder / target).unlink()
    with ExitStack() as stack:
        for path in read:
            stream = stack.enter_context((workspace.folder / path).open("rb"))
            fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
        workspace.make(str(target))

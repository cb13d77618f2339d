"""Assets whose files were changed after they were fetched."""

import os
import shutil

import pytest

from facestages.assets import RESOURCES

ASSET, MEMBER = "resources/assets/nn1", "nn1.weights.h5"
SHIPPED = RESOURCES / "weights" / MEMBER


def flip(path):
    with open(path, "r+b") as stream:
        stream.seek(50_000)
        byte = stream.read(1)[0]
        stream.seek(50_000)
        stream.write(bytes([byte ^ 1]))


def cut(path):
    os.truncate(path, 50_000)


def add_another(path):
    (path.parent / "other.weights.h5").write_text("another file")


@pytest.fixture
def member(workspace):
    workspace.make(ASSET)
    return workspace.folder / ASSET / MEMBER


@pytest.mark.parametrize("change", [flip, cut, os.remove, add_another])
def test_a_changed_asset_is_fetched_anew(workspace, member, change):
    status = member.stat()
    change(member)
    if member.exists():
        # A disk that loses a bit changes no time.
        os.utime(member, ns=(status.st_atime_ns, status.st_mtime_ns))
    workspace.make(ASSET)
    assert [item.name for item in member.parent.glob("[!.]*")] == [MEMBER]
    assert member.read_bytes() == SHIPPED.read_bytes()
    assert "Nothing to be done" in workspace.run(ASSET).stderr


def test_a_changed_asset_is_not_used(workspace, member):
    networks = workspace.config["networks"]
    networks["nn1"] = {"label": "NN1", "architecture": "light_cnn"} | {
        "classes": ["happy", "sad", "neutral"],
        "weights": {"asset": "nn1", "member": MEMBER},
        "stages": {"early": "batchnorm_1", "final": "out_layer"},
    }
    target = "results/predictions/own/nn1/seed-0.csv"
    workspace.make(target)
    expected = (workspace.folder / target).read_bytes()
    flip(member)
    (workspace.folder / target).unlink()
    workspace.make(target)
    assert (workspace.folder / target).read_bytes() == expected


def test_what_interrupted_fetches_left_is_removed(workspace, member):
    for name in ("0123abcd", "4567cdef"):
        shutil.copytree(member.parent, member.parents[1] / f".partial-{name}-nn1")
    member.unlink()
    workspace.make(ASSET)
    assert not list(member.parents[1].glob(".partial-*"))

"""Files that lie: what lies in other places, was never written or does not fit is refused."""

import h5py
import numpy as np
import pytest

from facestages import notes, store
from facestages.errors import FacestagesError


@pytest.fixture
def geometry(tmp_path):
    """A file of one layer of four pictures."""
    path = tmp_path / "results" / "geometry.h5"
    with store.create(path, "geometry") as file:
        group = file.create_group("layer")
        store.add_dimension(group, "stimulus_id", list("abcd"))
        store.add_dimension(group, "other_stimulus", 4)
        store.add_array(group, "gram", ("stimulus_id", "other_stimulus"), np.eye(4))
    return path


def spoil(path, change):
    """Change an open layer, and make the file whole again."""
    with h5py.File(path, "r+", libver="latest") as file:
        change(file["layer"])
    notes.write_user_block(path)


def read(path):
    with store.open_read(path, "geometry") as file:
        return file["layer"]["gram"][:], file["layer/gram"].attrs.get("note")


def test_what_is_in_order_is_read(geometry):
    np.testing.assert_array_equal(read(geometry)[0], np.eye(4))


def link(group, where):
    del group["gram"]
    group["gram"] = where


def replace(group, *arguments, **options):
    del group["gram"]
    group.create_dataset("gram", *arguments, **options)


def point_to(group, file, name="layer/gram"):
    layout = h5py.VirtualLayout((4, 4), float)
    layout[:] = h5py.VirtualSource(file, name, (4, 4))
    del group["gram"]
    group.create_virtual_dataset("gram", layout)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda group: link(group, h5py.SoftLink("/layer/stimulus_id")), "a link"),
        (lambda group: link(group, h5py.ExternalLink("../other.h5", "layer/gram")), "a link"),
        (lambda group: point_to(group, "../other.h5"), "there is no ../other.h5 below"),
        (lambda group: point_to(group, "missing.h5"), "there is no missing.h5 below"),
        (
            lambda group: replace(group, (4, 4), float, external=[("../other.h5", 0, 128)]),
            "not in this file",
        ),
        (lambda group: replace(group, (4, 2**50), float, chunks=(1, 2**20)), "not in this file"),
        (lambda group: replace(group, data=np.eye(3)), "does not fit"),
        (lambda group: replace(group, (4, 4), h5py.ref_dtype), "neither numbers nor text"),
        (lambda group: group.pop("gram") and None, "cannot be read"),
    ],
    ids="soft external virtual missing storage bomb shape reference absent".split(),
)
def test_what_is_not_in_the_file_is_refused(geometry, change, reason):
    geometry.parent.with_name("other.h5").write_bytes(geometry.read_bytes())
    spoil(geometry, change)
    with pytest.raises(FacestagesError, match=rf"geometry.h5: .*gram.*{reason}.*: delete it"):
        read(geometry)


def test_a_virtual_array_of_a_damaged_file_is_refused(geometry):
    part = geometry.with_name("part.h5")
    part.write_bytes(geometry.read_bytes())
    spoil(geometry, lambda group: point_to(group, "part.h5"))
    np.testing.assert_array_equal(read(geometry)[0], np.eye(4))
    part.write_bytes(part.read_bytes()[:-1] + b"x")
    with pytest.raises(FacestagesError, match="part.h5: is truncated or damaged"):
        read(geometry)


def test_a_large_attribute_is_refused(geometry):
    def change(group):
        replace(group, data=np.eye(4))
        group["gram"].attrs["note"] = np.zeros(10**6)

    spoil(geometry, change)
    with pytest.raises(FacestagesError, match="'note' cannot be read .*too large"):
        read(geometry)

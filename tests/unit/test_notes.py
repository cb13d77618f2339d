"""Notes: what is written is read, in a user block and beside other files."""

import json

import pytest

from facestages import notes, store

NOTE = {"made": "m", "given": {"key": "digest"}}


@pytest.fixture(autouse=True)
def begun():
    notes.begin(NOTE)
    yield
    notes.begin({})


def test_an_hdf5_file_carries_its_note(tmp_path):
    with store.create(tmp_path / "a.h5", "stimuli"):
        pass
    note = notes.read(tmp_path / "a.h5")
    assert note.pop("crc32") > 0 and note == NOTE
    assert [path.name for path in tmp_path.iterdir()] == ["a.h5"]


def test_a_note_that_does_not_fit_is_none(tmp_path):
    notes.begin({"made": "m" * notes.USER_BLOCK})
    with store.create(tmp_path / "a.h5", "stimuli"):
        pass
    assert notes.read(tmp_path / "a.h5").keys() == {"crc32"}
    with store.open_read(tmp_path / "a.h5", "stimuli"):
        pass


@pytest.mark.parametrize("name", ["a.csv", "folder"])
def test_other_products_have_it_beside_them(tmp_path, name):
    notes.write_beside(tmp_path / name, "s")
    assert notes.read(tmp_path / name) == {**NOTE, "sha256": "s"}
    assert (tmp_path / f".{name}.note").is_file()


@pytest.mark.parametrize("content", [b"", b"{", b"[1]", b"\xff", json.dumps(NOTE).encode()[:-3]])
def test_what_cannot_be_read_is_no_note(tmp_path, content):
    (tmp_path / ".a.csv.note").write_bytes(content)
    (tmp_path / "a.h5").write_bytes(content)
    assert notes.read(tmp_path / "a.csv") == notes.read(tmp_path / "a.h5") == {}
    assert notes.read(tmp_path / "none.h5") == {}


def test_all_that_a_job_is_told_is_in_its_digest():
    told = ({"seed": "0"}, {"k": [1, (2, 3)]}, {"a": "x", "b": None})
    digest = notes.digest_job(*told)
    # Snakemake hands a tuple over as it is, and names in no order.
    assert digest == notes.digest_job({"seed": "0"}, {"k": [1, [2, 3]]}, {"b": None, "a": "x"})
    others = ({"seed": "1"}, {"k": [1, (2, 4)]}, {"a": "y", "b": None})
    for place, other in enumerate(others):
        assert notes.digest_job(*told[:place], other, *told[place + 1 :]) != digest

"""Every reference tells what it is about, and opens elsewhere."""

import numpy as np
import xarray

from facestages.stimuli import read_facts


def test_the_file_tells_what_it_is_about(prepared, write):
    path = write("picture,other,dissimilarity", "p0-happy,p1-sad,2", "p2-happy,p3-sad,1")
    found = prepared("pairs", path=path)
    assert (found.name, found.dataset, found.kind) == ("people", "own", "pairs")
    assert (found.label, found.cite, found.simulated) == ("People", "A lab, 2026", False)
    assert found.stimuli_digest == read_facts("own.h5")[2]["stimuli_digest"]
    assert found.raters == ["all"] and found.times == [0.0] and not found.has_time


def test_xarray_opens_it(prepared, write):
    path = write("picture,other,dissimilarity", "p0-happy,p1-sad,2", "p2-happy,p3-sad,1")
    prepared("pairs", path=path)
    with xarray.open_dataset("people.h5", engine="h5netcdf") as opened:
        assert opened["dissimilarity"].dims == ("rater", "time", "pair")
        assert opened["first"].to_numpy().tolist() == ["p0-happy.png", "p2-happy.png"]


def test_the_same_input_gives_the_same_reference(prepared):
    first, again = (prepared("simulated", raters=2, pictures=12) for _ in range(2))
    np.testing.assert_array_equal(first.dissimilarity, again.dissimilarity)
    assert (first.first, first.second, first.raters) == (again.first, again.second, again.raters)

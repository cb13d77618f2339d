"""The public names, and how little `import facestages` loads."""

import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import facestages

CODE = Path(facestages.__file__).parents[1]


@pytest.mark.parametrize("name", sorted(facestages._ADDRESSES))
def test_every_public_name_is_there_and_documented(name):
    public = getattr(facestages, name)
    assert callable(public) and public.__doc__
    assert re.search(rf"\b{name}\b", facestages.__doc__), name
    assert name in dir(facestages)


def test_public_names_keep_their_addresses():
    from facestages.geometry import gram_matrix, principal_components
    from facestages.networks import open_network
    from facestages.separability import silhouette, silhouette_null

    assert gram_matrix is facestages.gram_matrix
    assert principal_components is facestages.principal_components
    assert open_network is facestages.open_network
    assert silhouette_null is facestages.silhouette_null
    # Of a matrix, whichever it is.
    assert silhouette(1 - np.eye(4), [0, 0, 1, 1]) == 0


def test_a_name_that_is_not_there():
    with pytest.raises(AttributeError, match="module 'facestages' has no attribute 'silhouete'"):
        facestages.silhouete  # noqa: B018
    assert not hasattr(facestages, "no_such_module")


def test_importing_it_loads_nothing_heavy():
    code = (
        "import sys; before = set(sys.modules); import facestages; "
        "print(*(name for name in set(sys.modules) - before if not name.startswith('facestages')))"
    )
    run = [sys.executable, "-S", "-c", f"import sys; sys.path.insert(0, {str(CODE)!r}); {code}"]
    loaded = subprocess.run(run, capture_output=True, text=True, check=True).stdout.split()
    assert {name.partition(".")[0] for name in loaded} <= {"importlib", "warnings"}


def test_importing_it_takes_no_time():
    code = "import time; t = time.perf_counter(); import facestages; print(time.perf_counter() - t)"
    run = [sys.executable, "-c", f"import sys; sys.path.insert(0, {str(CODE)!r}); {code}"]
    # A busy machine makes one of them slow.
    assert min(float(subprocess.check_output(run)) for _ in range(3)) < 0.3

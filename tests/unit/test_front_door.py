"""The public names, how little `import facestages` loads, and old addresses of modules."""

import importlib
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


def test_the_same_functions_have_shorter_addresses():
    from facestages.geometry import gram_matrix, principal_components
    from facestages.separability import silhouette, silhouette_null

    assert gram_matrix is facestages.gram_matrix
    assert principal_components is facestages.principal_components
    assert silhouette is facestages.silhouette
    assert silhouette_null is facestages.silhouette_null


def test_a_name_that_is_not_there():
    with pytest.raises(AttributeError, match="module 'facestages' has no attribute 'silhouete'"):
        facestages.silhouete  # noqa: B018
    assert not hasattr(facestages, "no_such_module")


def test_measures_on_arrays():
    rng = np.random.default_rng(0)
    people = np.repeat(["a", "b", "c"], 10)
    points = rng.normal(size=(3, 50)).repeat(10, axis=0) + rng.normal(size=(30, 50))
    gram = facestages.gram_matrix(points)
    assert facestages.silhouette(gram, people) > facestages.silhouette_null(gram, people, 20).max()
    scores, ratio = facestages.principal_components(gram, 2)
    assert scores.shape == (30, 2) and ratio.sum() < 1
    assert facestages.debiased_cka(gram, gram) == pytest.approx(1)


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


@pytest.mark.parametrize(("old", "new"), sorted(facestages._RENAMED.items()))
def test_an_old_address_is_answered_with_the_new_one(old, new):
    words = f"^facestages.{re.escape(old)} has moved: import facestages.{re.escape(new)}$"
    with pytest.raises(ImportError, match=words):
        importlib.import_module(f"facestages.{old}")
    path = CODE.joinpath("facestages", *new.split("."))
    assert path.with_suffix(".py").is_file() or (path / "__init__.py").is_file()


def test_old_addresses_in_every_form_of_import():
    with pytest.raises(ImportError, match=r"import facestages\.analysis\.rsa"):
        import facestages.rsa  # noqa: F401
    with pytest.raises(ImportError, match=r"import facestages\.analysis\.affect"):
        from facestages.affect import regress  # noqa: F401
    with pytest.raises(ImportError, match=r"import facestages\.analysis\.affect"):
        from facestages import affect  # noqa: F401
    with pytest.raises(ModuleNotFoundError, match="No module named 'facestages.nothing'"):
        importlib.import_module("facestages.nothing")

"""Functions of the user's, by their address."""

import sys

import pytest

from facestages.networks.own_code import call_function
from refusals import refusal

WHERE = "networks.net.keras"


@pytest.fixture
def module(tmp_path, monkeypatch):
    """A module of the user's, in the folder where the workflow runs."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", sys.path.copy())
    monkeypatch.delitem(sys.modules, "minenets", raising=False)

    def write(text):
        sys.modules.pop("minenets", None)
        (tmp_path / "minenets.py").write_text(text)

    return write


def test_a_function_where_the_workflow_runs(module):
    module("def small(width, depth=1): return width * depth")
    assert call_function("minenets:small", 3, where=WHERE, depth=2) == 6


@pytest.mark.parametrize(
    ("code", "address", "problem"),
    [
        ("", "no_nets:small", "No module named 'no_nets'. Give package.module:function"),
        ("", "minenets:small", "has no attribute 'small'. Give package.module:function"),
        ("import no_such", "minenets:small", "importing it failed: ModuleNotFoundError"),
        ("x =", "minenets:small", "importing it failed: SyntaxError"),
        ("raise SystemExit", "minenets:small", "importing it failed: SystemExit"),
        (
            "class Net:\n    def get_submodule(self): pass\nsmall = Net()",
            "minenets:small",
            "is a Net, not a function. Name one that returns it: def build(): return small",
        ),
        ("def small(width): pass", "minenets:small", "calling it without arguments failed: TypeE"),
    ],
)
def test_what_goes_wrong_in_it(module, code, address, problem):
    module(code)
    message = refusal(call_function, address, where=WHERE)
    assert f"{WHERE} = '{address}': " in message and problem in message

import sys

import pytest

from facestages.imports import import_without


def test_a_module_is_hidden_for_a_while():
    import json

    with import_without("json", "antigravity"):
        for module in ("json", "json.decoder", "antigravity"):
            with pytest.raises(ImportError):
                __import__(module)
    assert __import__("json") is json
    assert "antigravity" not in sys.modules

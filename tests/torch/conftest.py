"""Tests of torch compare with what modules give on the processor, also where there is a GPU."""

import pytest
import torch

from facestages.networks import torch_backend

_BEST_DEVICE = torch_backend._best_device


@pytest.fixture(scope="session", autouse=True)
def on_the_processor():
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(torch_backend, "_best_device", lambda: torch.device("cpu"))
        yield


@pytest.fixture
def best_device(monkeypatch):
    """Where networks of this test compute: on a GPU if there is one."""
    monkeypatch.setattr(torch_backend, "_best_device", _BEST_DEVICE)
    return _BEST_DEVICE

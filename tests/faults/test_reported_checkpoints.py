"""What users of other tools reported of weights and of networks of libraries, as runs."""

import json
import subprocess
import sys

import pytest

from zoo_libraries import ARE_REAL, STAND_INS

SAVE = """
import sys, torch
from torchvision import models
torch.save(models.get_model("resnet18").state_dict(), sys.argv[1])
"""
STAGES = {"early": "blocks.0", "middle": "blocks.5", "penultimate": "fc_norm", "final": "head"}
VIT = {"label": "ViT", "timm": "vit_tiny_patch16_224", "weights": "untrained", "stages": STAGES}
RESNET = {"label": "ResNet", "torchvision": "resnet18", "weights": "pretrained"}


@pytest.mark.skipif(ARE_REAL, reason="torchvision may not import without zoos.py")
def test_networks_of_libraries(workspace, monkeypatch):
    """Layers are listed without weights; weights are fetched by a job of their own, here from the
    user's cache. The libraries are stand-ins."""
    monkeypatch.setenv("PYTHONPATH", str(STAND_INS))
    monkeypatch.setenv("TORCH_HOME", str(workspace.folder))
    cache = workspace.folder / "hub" / "checkpoints"
    cache.mkdir(parents=True)
    file = cache / "resnet18-f37072fd.pth"
    subprocess.run([sys.executable, "-c", SAVE, file], check=True)
    resnet = {**RESNET, "stages": {"early": "conv1", "final": "fc"}}
    workspace.config["networks"] |= {"vit": VIT, "resnet": resnet}
    fetched = "resources/zoos/torchvision/resnet18.json"
    result = workspace.run("results/layers/vit.csv", fetched)
    assert result.returncode == 0, result.stderr
    layers = (workspace.folder / "results" / "layers" / "vit.csv").read_text()
    assert "vit,blocks.5," in layers and ",197x" in layers
    told = json.loads((workspace.folder / fetched).read_text())
    assert len(told["weights"]) == 64 and told["library"] is None, "a stand-in has no version"

"""Torch networks as people report them: they run, or are refused by one line that says why."""

RECORDED = "results/activations/own/net/seed-0.h5"
NETS = """
import torch
from torch import nn
from torch.nn import functional as F


class Block(nn.Module):
    def __init__(self):
        super().__init__()
        self.norm, self.mlp = nn.LayerNorm(8), nn.Linear(8, 8)
        self.attn = nn.MultiheadAttention(8, 2, batch_first=True)

    def forward(self, x):
        y, attention = self.attn(self.norm(x), self.norm(x), self.norm(x))
        return x + self.mlp(y), attention


class ViT(nn.Module):
    def __init__(self):
        super().__init__()
        self.patch, self.blocks = nn.Conv2d(1, 8, 8, 8), nn.ModuleList([Block(), Block()])
        self.norm, self.head = nn.LayerNorm(8), nn.Linear(8, 2)

    def train(self, mode=True):
        super().train(mode)

    def forward(self, x):
        x = self.patch(x).flatten(2).transpose(1, 2)
        for block in self.blocks:
            x, _ = block(x)
        return self.head(self.norm(x).mean(1))


class AlwaysDropout(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv, self.fc1, self.fc2 = nn.Conv2d(1, 4, 3), nn.Linear(100, 8), nn.Linear(8, 2)

    def forward(self, x):
        x = F.adaptive_avg_pool2d(self.conv(x), 5)
        x = F.dropout(x.view(x.size(0), -1), 0.5)
        return self.fc2(F.relu(self.fc1(x)))
"""
STAGES = {"early": "patch", "middle": "blocks.1", "penultimate": "norm@mean", "final": "head"}


def add_torch(workspace, kind, stages):
    (workspace.folder / "usernets.py").write_text(NETS)
    torch = {"module": f"usernets:{kind}", "input": {"size": 32, "channels": 1}}
    network = {"label": "Own", "torch": torch, "stages": stages}
    workspace.config["networks"]["net"] = network


def test_a_transformer_whose_blocks_return_tuples_is_drawn(workspace):
    add_torch(workspace, "ViT", STAGES)
    workspace.config["networks"]["net"]["layers"] = ["blocks.*[1]", "*@cls"]
    workspace.config["figures"]["fig4"]["networks"] = ["pixels", "net"]
    workspace.make("results/figures/fig4.pdf")
    numbers = (workspace.folder / "results/separability/own/net/seed-0.csv").read_text()
    for layer in ("blocks.0[1]", "blocks.1", "norm@mean", "norm@cls"):
        assert f",{layer}," in numbers


def test_dropout_that_never_ends_is_named(workspace):
    add_torch(workspace, "AlwaysDropout", {"early": "conv", "final": "fc2"})
    workspace.refuse_job(
        *(RECORDED, "logs/record_activations/own/net/seed-0.log"),
        "layer 'fc1' is the first whose output for the same picture changes",
        "training=self.training",
    )


def test_layers_are_listed_whatever_is_wrong_with_the_stages(workspace):
    add_torch(workspace, "ViT", {"early": "patch", "middle": "blocks.2", "my stage": 3})
    workspace.config["figures"]["fig4"] |= {"networks": ["net"], "stages": ["early", "later"]}
    workspace.config["network"] = "net"
    result = workspace.run("list_layers")
    assert result.returncode == 0, result.stderr
    listed = result.stdout.splitlines()
    rows = [line.split()[0] for line in listed if line]
    assert {"patch", "blocks.0", "blocks.1[0]", "blocks.1[1]", "norm", "head"} <= set(rows)
    assert "  middle: no layer 'blocks.2': did you mean 'blocks.1' or 'blocks.0'?" in listed
    assert any(line.startswith("  blocks.0.attn.out_proj: attention computes") for line in listed)

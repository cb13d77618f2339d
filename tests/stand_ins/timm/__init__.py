"""Stands in for timm where it is not installed: the functions that the project calls, as of timm
1.0.31, and one vision transformer with timm's names, narrower than its own."""

import torch
from torch import nn

from . import data

__all__ = ["create_model", "data", "is_model", "list_models"]

WIDTH, DEPTH = 24, 12


class Block(nn.Module):
    def __init__(self):
        super().__init__()
        self.norm1, self.norm2 = nn.LayerNorm(WIDTH), nn.LayerNorm(WIDTH)
        self.attn = nn.Linear(WIDTH, WIDTH)
        self.mlp = nn.Sequential(
            nn.Linear(WIDTH, 2 * WIDTH), nn.GELU(), nn.Linear(2 * WIDTH, WIDTH)
        )

    def forward(self, x):
        mixed = torch.softmax(x @ x.transpose(1, 2), dim=-1) @ self.attn(self.norm1(x))
        x = x + mixed
        return x + self.mlp(self.norm2(x))


class VisionTransformer(nn.Module):
    def __init__(self, num_classes, in_chans):
        super().__init__()
        self.patch_embed = nn.Conv2d(in_chans, WIDTH, 16, 16)
        self.cls_token = nn.Parameter(torch.randn(1, 1, WIDTH))
        self.pos_embed = nn.Parameter(torch.randn(1, 197, WIDTH))
        self.blocks = nn.Sequential(*(Block() for _ in range(DEPTH)))
        self.norm = nn.LayerNorm(WIDTH)
        self.fc_norm = nn.Identity()
        self.head = nn.Linear(WIDTH, num_classes)

    def forward(self, x):
        patches = self.patch_embed(x).flatten(2).transpose(1, 2)
        tokens = torch.cat([self.cls_token.expand(len(x), 1, WIDTH), patches], 1)
        tokens = self.norm(self.blocks(tokens + self.pos_embed))
        return self.head(self.fc_norm(tokens[:, 0]))


def list_models():
    return ["vit_tiny_patch16_224"]


def is_model(name):
    return name.partition(".")[0] in list_models()


def create_model(name, pretrained=False, num_classes=1000, in_chans=3):
    if not is_model(name):
        raise RuntimeError(f"Unknown model ({name})")
    if "." in name:
        raise RuntimeError(f"Invalid pretrained tag ({name.partition('.')[2]}) for {name}.")
    if pretrained:
        raise ConnectionError("Name or service not known")
    return VisionTransformer(num_classes, in_chans)

"""The residual masking network (the paper's RMN): a ResNet-34 with a small U-net after each stage.

Pham, Vu, Tran: Facial Expression Recognition Using Residual Masking Network, ICPR 2020, pages
4513-4519. Module names are those of the published weights.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from facestages.networks.inputs import require_halvable


class ResMaskNet(nn.Module):
    """Residual masking network.

    After each stage of the trunk, ``x = x * (1 + mask(x))``: at each place, the mask weighs the
    channels.

    Parameters
    ----------
    n_classes : int
        Number of expressions; 7 in the published weights: angry, disgust, fear, happy, sad,
        surprise, neutral.
    width : int
        Channels of the first stage, 64 in the published network; all others are multiples of it.
        The published network has 137,796,423 parameters.

    Notes
    -----
    The published weights expect faces of 224 x 224 pixels, RGB from 0 to 1.
    """

    def __init__(self, n_classes: int = 7, width: int = 64) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(3, width, 7, stride=2, padding=3, bias=False)
        self.bn1 = nn.BatchNorm2d(width)
        self.relu = nn.ReLU()
        self.maxpool = nn.MaxPool2d(3, stride=2, padding=1)
        self.layer1 = _stage(width, width, blocks=3, stride=1)
        self.layer2 = _stage(width, 2 * width, blocks=4, stride=2)
        self.layer3 = _stage(2 * width, 4 * width, blocks=6, stride=2)
        self.layer4 = _stage(4 * width, 8 * width, blocks=3, stride=2)
        self.avgpool = nn.AdaptiveAvgPool2d(1)
        self.fc = nn.Sequential(nn.Dropout(0.4), nn.Linear(8 * width, n_classes))
        # The masks come last, which gives the order of keys of the published files.
        self.mask1 = MaskingBlock(width, depth=4)
        self.mask2 = MaskingBlock(2 * width, depth=3)
        self.mask3 = MaskingBlock(4 * width, depth=2)
        self.mask4 = MaskingBlock(8 * width, depth=1)

    def forward(self, x: Tensor) -> Tensor:
        """Logits of the expressions.

        Parameters
        ----------
        x : torch.Tensor of float32, shape (n, 3, rows, columns)
            Rows and columns are multiples of 32; 224 for the published weights.

        Returns
        -------
        torch.Tensor, shape (n, n_classes)

        Raises
        ------
        FacestagesError
            If the input has another shape.
        """
        # With other sizes, the way up of a U-net would not have the shapes of the way down.
        require_halvable("ResMaskNet", x.shape)
        x = self.maxpool(self.relu(self.bn1(self.conv1(x))))
        x = self.layer1(x)
        x = x * (1 + self.mask1(x))
        x = self.layer2(x)
        x = x * (1 + self.mask2(x))
        x = self.layer3(x)
        x = x * (1 + self.mask3(x))
        x = self.layer4(x)
        x = x * (1 + self.mask4(x))
        return self.fc(self.avgpool(x).flatten(1))


class MaskingBlock(nn.Module):
    """U-net whose output, a softmax over the channels, weighs its input.

    Down: residual blocks that double the channels, with max pooling between them. Up: transposed
    convolution, concatenation with the same level of the way down, residual block.

    Parameters
    ----------
    channels : int
        Channels of input and output.
    depth : int
        Levels; rows and columns are halved depth - 1 times.
    """

    def __init__(self, channels: int, depth: int) -> None:
        super().__init__()
        self.depth = depth
        # The k-th residual block leads from widths[k - 1] to widths[k] channels.
        down = [channels * 2**level for level in range(depth + 1)]
        widths = down + down[-2::-1]
        # Each shortcut is registered twice, here and in its block: the published files name both.
        for k in self._down:
            self.add_module(f"downsample{k}", _shortcut(widths[k - 1], widths[k]))
        for k in self._down:
            self._add_block(k, widths)
        for k in self._up:
            self.add_module(f"downsample{k}", _shortcut(widths[k - 1], widths[k]))
        for k in self._up:
            if k < 2 * depth:
                self.add_module(f"up_pool{k}", _up_pool(widths[k - 1], widths[k]))
            self._add_block(k, widths)

    @property
    def _down(self) -> range:
        return range(1, self.depth + 1)

    @property
    def _up(self) -> range:
        return range(self.depth + 1, 2 * self.depth + 1)

    def _add_block(self, k: int, widths: list[int]) -> None:
        shortcut = self.get_submodule(f"downsample{k}")
        self.add_module(f"conv{k}", BasicBlock(widths[k - 1], widths[k], downsample=shortcut))

    def forward(self, x: Tensor) -> Tensor:
        """Softmax weights of the input's shape, (n, channels, rows, columns)."""
        levels = []
        for k in self._down:
            x = self.get_submodule(f"conv{k}")(x)
            if k < self.depth:
                levels.append(x)
                x = F.max_pool2d(x, 2)
        for k in self._up:
            if k < 2 * self.depth:
                x = self.get_submodule(f"up_pool{k}")(x)
                x = torch.cat([x, levels.pop()], dim=1)
            x = self.get_submodule(f"conv{k}")(x)
        return torch.softmax(x, dim=1)


class BasicBlock(nn.Module):
    """Two 3 x 3 convolutions and a shortcut (He et al. 2016, Figure 5, left).

    Parameters
    ----------
    n_in, n_out : int
        Channels of input and output.
    stride : int
        Of the first convolution.
    downsample : torch.nn.Module, optional
        Shortcut where input and output differ in shape; the identity otherwise.
    """

    def __init__(
        self, n_in: int, n_out: int, stride: int = 1, downsample: nn.Module | None = None
    ) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(n_in, n_out, 3, stride=stride, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(n_out)
        self.conv2 = nn.Conv2d(n_out, n_out, 3, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(n_out)
        self.downsample = downsample

    def forward(self, x: Tensor) -> Tensor:
        """From (n, n_in, rows, columns) to (n, n_out, rows / stride, columns / stride)."""
        out = torch.relu(self.bn1(self.conv1(x)))
        out = self.bn2(self.conv2(out))
        shortcut = x if self.downsample is None else self.downsample(x)
        return torch.relu(out + shortcut)


def _stage(n_in: int, n_out: int, blocks: int, stride: int) -> nn.Sequential:
    downsample = None if (n_in, stride) == (n_out, 1) else _shortcut(n_in, n_out, stride)
    first = BasicBlock(n_in, n_out, stride, downsample)
    return nn.Sequential(first, *(BasicBlock(n_out, n_out) for _ in range(blocks - 1)))


def _shortcut(n_in: int, n_out: int, stride: int = 1) -> nn.Sequential:
    conv = nn.Conv2d(n_in, n_out, 1, stride=stride, bias=False)
    return nn.Sequential(conv, nn.BatchNorm2d(n_out))


def _up_pool(n_in: int, n_out: int) -> nn.Sequential:
    conv = nn.ConvTranspose2d(n_in, n_out, 2, stride=2)
    return nn.Sequential(conv, nn.BatchNorm2d(n_out), nn.ReLU())

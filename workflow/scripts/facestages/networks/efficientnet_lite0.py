"""EfficientNet-Lite0, a small network trained to recognise objects (ImageNet).

Tan and Le: EfficientNet, ICML 2019, Table 1, in the Lite variant of 2020, which has no
squeeze-and-excitation, and ReLU6 in place of swish. Module names are those of the published
weights.
"""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor, nn

from facestages.networks.inputs import require_halvable

#: Repeats, kernel, stride of the first, expansion, channels of each stage (Table 1).
STAGES = (
    (1, 3, 1, 1, 16),
    (2, 3, 2, 6, 24),
    (2, 5, 2, 6, 40),
    (3, 3, 2, 6, 80),
    (3, 5, 1, 6, 112),
    (4, 5, 2, 6, 192),
    (1, 3, 1, 6, 320),
)


class EfficientNetLite0(nn.Module):
    """EfficientNet-Lite0.

    Parameters
    ----------
    n_classes : int
        1,000 in the published network, which has 4,652,008 parameters.

    Notes
    -----
    The published weights expect pictures of 224 x 224 pixels, RGB from -1 to 1. Stochastic depth is
    left out, as it acts in training only.
    """

    def __init__(self, n_classes: int = 1000) -> None:
        super().__init__()
        self._conv_stem = SameConv2d(3, 32, 3, stride=2)
        self._bn0 = _norm(32)
        self._relu0 = nn.ReLU6()
        self._blocks = nn.ModuleList(_blocks(32))
        self._conv_head = nn.Conv2d(320, 1280, 1, bias=False)
        self._bn1 = _norm(1280)
        self._relu1 = nn.ReLU6()
        self._avg_pooling = nn.AdaptiveAvgPool2d(1)
        self._dropout = nn.Dropout(0.2)
        self._fc = nn.Linear(1280, n_classes)

    def forward(self, x: Tensor) -> Tensor:
        """Logits of the classes.

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
        require_halvable("EfficientNetLite0", x.shape)
        x = self._relu0(self._bn0(self._conv_stem(x)))
        for block in self._blocks:
            x = block(x)
        x = self._relu1(self._bn1(self._conv_head(x)))
        x = self._dropout(self._avg_pooling(x).flatten(1))
        return self._fc(x)


class MBConvBlock(nn.Module):
    """Inverted residual block: expansion, depthwise convolution, projection (Sandler et al. 2018).

    Parameters
    ----------
    n_in, n_out : int
        Channels of input and output.
    kernel, stride : int
        Of the depthwise convolution.
    expansion : int
        Ratio of the channels inside the block to those of its input.
    """

    def __init__(self, n_in: int, n_out: int, kernel: int, stride: int, expansion: int) -> None:
        super().__init__()
        inside = expansion * n_in
        self.expands = expansion > 1
        self.has_shortcut = (n_in, stride) == (n_out, 1)
        if self.expands:
            self._expand_conv = nn.Conv2d(n_in, inside, 1, bias=False)
            self._bn0 = _norm(inside)
            self._relu0 = nn.ReLU6()
        self._depthwise_conv = SameConv2d(inside, inside, kernel, stride, groups=inside)
        self._bn1 = _norm(inside)
        self._relu1 = nn.ReLU6()
        self._project_conv = nn.Conv2d(inside, n_out, 1, bias=False)
        self._bn2 = _norm(n_out)

    def forward(self, x: Tensor) -> Tensor:
        """From (n, n_in, rows, columns) to (n, n_out, rows / stride, columns / stride)."""
        out = self._relu0(self._bn0(self._expand_conv(x))) if self.expands else x
        out = self._relu1(self._bn1(self._depthwise_conv(out)))
        out = self._bn2(self._project_conv(out))
        return x + out if self.has_shortcut else out


class SameConv2d(nn.Conv2d):
    """Convolution with TensorFlow's padding "SAME", for sizes that the stride divides.

    With stride 2 the padding is odd; its larger part is below and on the right.
    """

    def __init__(self, n_in: int, n_out: int, kernel: int, stride: int, groups: int = 1) -> None:
        super().__init__(n_in, n_out, kernel, stride, groups=groups, bias=False)
        before, after = (kernel - stride) // 2, (kernel - stride + 1) // 2
        self.margins = (before, after, before, after)

    def forward(self, x: Tensor) -> Tensor:
        """From (n, n_in, rows, columns) to (n, n_out, rows / stride, columns / stride)."""
        return super().forward(F.pad(x, self.margins))


def _blocks(n_in: int):
    for repeats, kernel, stride, expansion, n_out in STAGES:
        for number in range(repeats):
            yield MBConvBlock(n_in, n_out, kernel, 1 if number else stride, expansion)
            n_in = n_out


def _norm(channels: int) -> nn.BatchNorm2d:
    # TensorFlow's epsilon and momentum; PyTorch's momentum is 1 - TensorFlow's, which is 0.99.
    return nn.BatchNorm2d(channels, eps=1e-3, momentum=0.01)

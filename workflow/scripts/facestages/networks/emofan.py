"""EmoFAN, also known as EmoNet: valence, arousal and expression from a face-alignment network.

Toisoul, Kossaifi, Bulat, Tzimiropoulos, Pantic: Estimation of continuous valence and arousal levels
from faces in naturalistic conditions, Nature Machine Intelligence 3, 2021, pages 42-50. The
face-alignment network (FAN) and its blocks: Bulat and Tzimiropoulos, ICCV 2017. Module names are
those of the published weights.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from facestages.errors import FacestagesError

N_LANDMARKS = 68
SIZE = 256


class EmoFAN(nn.Module):
    """Two stacked hourglasses that find facial landmarks, and an emotion head on their features.

    The sum of the landmarks' heat maps is the attention of the head: it weighs the features of the
    hourglasses.

    Parameters
    ----------
    n_expression : int
        8 or 5 in the published weights: neutral, happy, sad, surprise, fear; with 8 also disgust,
        anger, contempt.
    width : int
        Channels of the first convolution, an even number, 64 in the published network. All other
        layers have multiples of half of it. The published network with 8 expressions has
        13,963,410 parameters.

    Notes
    -----
    The published weights expect faces of 256 x 256 pixels, RGB from 0 to 1.
    """

    def __init__(self, n_expression: int = 8, width: int = 64) -> None:
        super().__init__()
        features = 4 * width
        self.conv1 = nn.Conv2d(3, width, 7, stride=2, padding=3)
        self.bn1 = nn.BatchNorm2d(width)
        self.relu = nn.ReLU()
        self.conv2 = ConvBlock(width, 2 * width)
        self.maxpool = nn.MaxPool2d(2)
        self.conv3 = ConvBlock(2 * width, 2 * width)
        self.conv4 = ConvBlock(2 * width, features)

        self.m0 = Hourglass(features, depth=4)
        self.top_m_0 = ConvBlock(features, features)
        self.conv_last0 = nn.Conv2d(features, features, 1)
        self.bn_end0 = nn.BatchNorm2d(features)
        self.l0 = nn.Conv2d(features, N_LANDMARKS, 1)
        self.bl0 = nn.Conv2d(features, features, 1)
        self.al0 = nn.Conv2d(N_LANDMARKS, features, 1)

        self.m1 = Hourglass(features, depth=4)
        self.top_m_1 = ConvBlock(features, features)
        self.conv_last1 = nn.Conv2d(features, features, 1)
        self.bn_end1 = nn.BatchNorm2d(features)
        self.l1 = nn.Conv2d(features, N_LANDMARKS, 1)

        self.conv1x1_input_emo_2 = nn.Conv2d(3 * features, features, 1)
        blocks = [
            layer for _ in range(4) for layer in (ConvBlock(features, features), nn.MaxPool2d(2))
        ]
        self.emo_net_2 = nn.Sequential(*blocks)
        self.avg_pool_2 = nn.AvgPool2d(SIZE // 64)
        self.emo_fc_2 = nn.Sequential(
            nn.Linear(features, 2 * width),
            nn.BatchNorm1d(2 * width),
            nn.ReLU(),
            nn.Linear(2 * width, n_expression + 2),
        )

    def forward(self, x: Tensor) -> dict[str, Tensor]:
        """Expression, valence and arousal of faces, and the heat maps of their landmarks.

        Parameters
        ----------
        x : torch.Tensor of float32, shape (n, 3, 256, 256)

        Returns
        -------
        dict of str to torch.Tensor
            ``expression``: logits, shape (n, n_expression); ``valence`` and ``arousal``: from -1
            to 1, shape (n,); ``heatmap``: shape (n, 68, 64, 64).

        Raises
        ------
        FacestagesError
            If the input has another shape.
        """
        _check_shape(x)
        x = self.relu(self.bn1(self.conv1(x)))
        x = self.maxpool(self.conv2(x))
        x = self.conv4(self.conv3(x))

        first = torch.relu(self.bn_end0(self.conv_last0(self.top_m_0(self.m0(x)))))
        heatmap = self.l0(first)
        # The head takes these features, which also enter the second hourglass.
        first = self.bl0(first)

        second = self.m1(x + first + self.al0(heatmap))
        second = torch.relu(self.bn_end1(self.conv_last1(self.top_m_1(second))))
        heatmap = self.l1(second)

        attention = heatmap.sum(dim=1, keepdim=True)
        x = torch.cat([x, first * attention, second * attention], dim=1)
        x = self.emo_net_2(self.conv1x1_input_emo_2(x))
        x = self.emo_fc_2(self.avg_pool_2(x).flatten(1))
        return {
            "expression": x[:, :-2],
            "valence": x[:, -2].clamp(-1, 1),
            "arousal": x[:, -1].clamp(-1, 1),
            "heatmap": heatmap,
        }


class Hourglass(nn.Module):
    """Features at several scales, each added to the next larger scale's (Newell et al. 2016).

    Parameters
    ----------
    channels : int
    depth : int
        How often rows and columns are halved.
    """

    def __init__(self, channels: int, depth: int) -> None:
        super().__init__()
        self.depth = depth
        for level in range(depth, 0, -1):
            self.add_module(f"b1_{level}", ConvBlock(channels, channels))
            self.add_module(f"b2_{level}", ConvBlock(channels, channels))
        self.b2_plus_1 = ConvBlock(channels, channels)
        for level in range(1, depth + 1):
            self.add_module(f"b3_{level}", ConvBlock(channels, channels))

    def forward(self, x: Tensor) -> Tensor:
        """Features of the input's shape, (n, channels, rows, columns)."""
        skips = []
        for level in range(self.depth, 0, -1):
            skips.append(self.get_submodule(f"b1_{level}")(x))
            # EmoFAN takes the maximum, the original FAN the mean.
            x = self.get_submodule(f"b2_{level}")(F.max_pool2d(x, 2))
        x = self.b2_plus_1(x)
        for level in range(1, self.depth + 1):
            x = self.get_submodule(f"b3_{level}")(x)
            x = skips.pop() + F.interpolate(x, scale_factor=2, mode="nearest")
        return x


class ConvBlock(nn.Module):
    """Three convolutions, their outputs concatenated, and a shortcut (Bulat, Tzimiropoulos 2017).

    Parameters
    ----------
    n_in, n_out : int
        Channels of input and output; `n_out` is a multiple of 4.
    """

    def __init__(self, n_in: int, n_out: int) -> None:
        super().__init__()
        if n_out % 4:
            raise FacestagesError(f"{n_out} channels do not split into 1/2, 1/4 and 1/4")
        self.bn1 = nn.BatchNorm2d(n_in)
        self.conv1 = nn.Conv2d(n_in, n_out // 2, 3, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(n_out // 2)
        self.conv2 = nn.Conv2d(n_out // 2, n_out // 4, 3, padding=1, bias=False)
        self.bn3 = nn.BatchNorm2d(n_out // 4)
        self.conv3 = nn.Conv2d(n_out // 4, n_out // 4, 3, padding=1, bias=False)
        self.downsample = None
        if n_in != n_out:
            conv = nn.Conv2d(n_in, n_out, 1, bias=False)
            self.downsample = nn.Sequential(nn.BatchNorm2d(n_in), nn.ReLU(), conv)

    def forward(self, x: Tensor) -> Tensor:
        """From (n, n_in, rows, columns) to (n, n_out, rows, columns)."""
        half = self.conv1(torch.relu(self.bn1(x)))
        quarter = self.conv2(torch.relu(self.bn2(half)))
        last = self.conv3(torch.relu(self.bn3(quarter)))
        shortcut = x if self.downsample is None else self.downsample(x)
        return torch.cat([half, quarter, last], dim=1) + shortcut


def _check_shape(x: Tensor) -> None:
    if x.shape[1:] != (3, SIZE, SIZE):
        raise FacestagesError(
            f"EmoFAN takes (n, 3, {SIZE}, {SIZE}), not {tuple(x.shape)}; check the network's "
            "'input' in the config"
        )

"""Small networks of ten families, written as their authors write them."""

import torch
from torch import nn
from torch.nn import functional as F


def conv(inputs, outputs, kernel=3, **options):
    padding = options.pop("padding", kernel // 2)
    return nn.Conv2d(inputs, outputs, kernel, padding=padding, **options)


def plain():
    """Grey pictures; everything is a module."""
    return nn.Sequential(
        *(conv(1, 4), nn.BatchNorm2d(4), nn.ReLU(inplace=True), nn.MaxPool2d(4)),
        *(nn.Flatten(), nn.Dropout(), nn.Linear(4 * 64, 5)),
    )


class Residual(nn.Module):
    """One ReLU in place that runs twice; the sum is functional."""

    def __init__(self, inputs, outputs, stride):
        super().__init__()
        self.conv1, self.bn1 = conv(inputs, outputs, stride=stride), nn.BatchNorm2d(outputs)
        self.conv2, self.bn2 = conv(outputs, outputs), nn.BatchNorm2d(outputs)
        self.relu = nn.ReLU(inplace=True)
        self.downsample = conv(inputs, outputs, 1, stride=stride) if stride > 1 else None

    def forward(self, x):
        out = self.bn2(self.conv2(self.relu(self.bn1(self.conv1(x)))))
        out += x if self.downsample is None else self.downsample(x)
        return self.relu(out)


class ResNet(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv1, self.maxpool = conv(3, 4, 7, stride=2), nn.MaxPool2d(3, 2, 1)
        self.layer1 = nn.Sequential(Residual(4, 4, 1), Residual(4, 4, 1))
        self.layer2 = nn.Sequential(Residual(4, 8, 2), Residual(8, 8, 1))
        self.avgpool, self.fc = nn.AdaptiveAvgPool2d(1), nn.Linear(8, 5)

    def forward(self, x):
        x = self.layer2(self.layer1(self.maxpool(self.conv1(x))))
        return self.fc(torch.flatten(self.avgpool(x), 1))


class VGG(nn.Module):
    """Grey pictures, flattened with `view` between features and classifier."""

    def __init__(self, channels=1):
        super().__init__()
        self.features = nn.Sequential(
            *(conv(channels, 4), nn.ReLU(True), nn.MaxPool2d(2)),
            *(conv(4, 8), nn.ReLU(True), nn.MaxPool2d(2)),
        )
        self.classifier = nn.Sequential(nn.Linear(8 * 64, 16), nn.ReLU(True), nn.Linear(16, 5))

    def forward(self, x):
        x = self.features(x)
        return self.classifier(x.view(x.size(0), -1))


class DenseNet(nn.Module):
    def __init__(self):
        super().__init__()
        self.stem = conv(3, 4, 4, stride=4, padding=0)
        self.layers = nn.ModuleDict({f"dense{i}": conv(4 + 2 * i, 2) for i in range(3)})
        self.norm, self.head = nn.BatchNorm2d(10), nn.Linear(10, 5)

    def forward(self, x):
        features = [self.stem(x)]
        for layer in self.layers.values():
            features.append(F.relu(layer(torch.cat(features, 1))))
        x = F.relu(self.norm(torch.cat(features, 1)), inplace=True)
        return self.head(F.adaptive_avg_pool2d(x, 1).flatten(1))


class Inception(nn.Module):
    def __init__(self):
        super().__init__()
        self.stem = conv(3, 4, 4, stride=4, padding=0)
        self.branch1, self.branch3, self.branch5 = (conv(4, 3, kernel) for kernel in (1, 3, 5))
        self.pool = nn.Sequential(nn.MaxPool2d(3, 1, 1), conv(4, 3, 1))
        self.fc = nn.Linear(12 * 64, 5)

    def forward(self, x):
        x = self.stem(x)
        branches = [self.branch1(x), self.branch3(x), self.branch5(x), self.pool(x)]
        return self.fc(torch.cat(branches, 1).flatten(1))


class Block(nn.Module):
    """As in many vision transformers, it returns its tokens and the attention."""

    def __init__(self, width):
        super().__init__()
        self.norm1, self.norm2 = nn.LayerNorm(width), nn.LayerNorm(width)
        self.attn = nn.MultiheadAttention(width, 2, batch_first=True)
        self.mlp = nn.Sequential(
            nn.Linear(width, 2 * width), nn.GELU(), nn.Linear(2 * width, width)
        )

    def forward(self, x):
        y = self.norm1(x)
        y, attention = self.attn(y, y, y)
        x = x + y
        return x + self.mlp(self.norm2(x)), attention


class ViT(nn.Module):
    def __init__(self, width=8):
        super().__init__()
        self.patch_embed = conv(3, width, 8, stride=8, padding=0)
        self.cls_token = nn.Parameter(torch.randn(1, 1, width))
        self.pos_embed = nn.Parameter(torch.randn(1, 17, width))
        self.blocks = nn.ModuleList(Block(width) for _ in range(2))
        self.norm, self.head = nn.LayerNorm(width), nn.Linear(width, 5)

    def forward(self, x):
        x = self.patch_embed(x).flatten(2).transpose(1, 2)
        x = torch.cat([self.cls_token.expand(len(x), -1, -1), x], 1) + self.pos_embed
        for block in self.blocks:
            x, _ = block(x)
        return self.head(self.norm(x)[:, 0])


class WindowBlock(nn.Module):
    """Attention within windows: inside it, a picture has many rows."""

    def __init__(self, width, window):
        super().__init__()
        self.window, self.norm = window, nn.LayerNorm(width)
        self.qkv, self.proj = nn.Linear(width, 3 * width), nn.Linear(width, width)

    def forward(self, x):
        n, h, w, c = x.shape
        s = self.window
        y = self.norm(x).view(n, h // s, s, w // s, s, c).transpose(2, 3).reshape(-1, s * s, c)
        q, k, v = self.qkv(y).chunk(3, -1)
        y = self.proj((q @ k.transpose(1, 2)).softmax(-1) @ v)
        return x + y.view(n, h // s, w // s, s, s, c).transpose(2, 3).reshape(n, h, w, c)


class Swin(nn.Module):
    def __init__(self, width=6):
        super().__init__()
        self.patch_embed = conv(3, width, 4, stride=4, padding=0)
        self.layers = nn.Sequential(WindowBlock(width, 4), WindowBlock(width, 2))
        self.norm, self.head = nn.LayerNorm(width), nn.Linear(width, 5)

    def forward(self, x):
        x = self.layers(self.patch_embed(x).permute(0, 2, 3, 1))
        return self.head(self.norm(x).mean((1, 2)))


class ConvNeXtBlock(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.dwconv, self.norm = conv(width, width, 7, groups=width), nn.LayerNorm(width)
        self.pwconv1, self.act = nn.Linear(width, 4 * width), nn.GELU()
        self.pwconv2 = nn.Linear(4 * width, width)
        self.gamma = nn.Parameter(torch.full((width,), 0.1))

    def forward(self, x):
        y = self.norm(self.dwconv(x).permute(0, 2, 3, 1))
        y = self.gamma * self.pwconv2(self.act(self.pwconv1(y)))
        return x + y.permute(0, 3, 1, 2)


def convnext():
    stem = conv(3, 6, 4, stride=4, padding=0)
    pool = (nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.LayerNorm(6), nn.Linear(6, 5))
    return nn.Sequential(stem, nn.Sequential(ConvNeXtBlock(6), ConvNeXtBlock(6)), *pool)


class Recurrent(nn.Module):
    """Columns of a picture as a sequence, time first; the last step is classified."""

    def __init__(self):
        super().__init__()
        self.cnn = nn.Sequential(conv(1, 4, stride=2), nn.ReLU(), nn.AdaptiveAvgPool2d((1, 6)))
        self.lstm, self.head = nn.LSTM(4, 7, num_layers=2), nn.Linear(7, 5)

    def forward(self, x):
        steps = self.cnn(x).squeeze(2).permute(2, 0, 1)
        steps, (hidden, _) = self.lstm(steps)
        return self.head(hidden[-1])


class TwoHeaded(nn.Module):
    """Expressions and affect as a dictionary, which a module inside returns, too."""

    class Heads(nn.Module):
        def __init__(self):
            super().__init__()
            self.expression, self.affect = nn.Linear(4, 5), nn.Linear(4, 2)

        def forward(self, x):
            return {"expression": self.expression(x), "affect": torch.tanh(self.affect(x))}

    def __init__(self):
        super().__init__()
        self.body = nn.Sequential(conv(3, 4), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten())
        self.heads = self.Heads()

    def forward(self, x):
        return self.heads(self.body(x))


#: Builder and number of channels of each; all take pictures of 32 x 32.
FAMILIES = {
    "plain": (plain, 1),
    "resnet": (ResNet, 3),
    "vgg": (VGG, 1),
    "densenet": (DenseNet, 3),
    "inception": (Inception, 3),
    "vit": (ViT, 3),
    "swin": (Swin, 3),
    "convnext": (convnext, 3),
    "lstm": (Recurrent, 1),
    "two_headed": (TwoHeaded, 3),
}


def build(family):
    torch.manual_seed(0)
    return FAMILIES[family][0]().eval()

from types import SimpleNamespace

import torch
from torch import nn

MEAN, DEVIATION = [0.485, 0.456, 0.406], [0.229, 0.224, 0.225]


class ResNet18:
    """Where the weights of one of torchvision's networks are, and what they expect."""

    url = "https://download.pytorch.org/models/resnet18-f37072fd.pth"

    def transforms(self):
        return SimpleNamespace(crop_size=[224], mean=MEAN, std=DEVIATION)

    def get_state_dict(self):
        return torch.hub.load_state_dict_from_url(self.url, progress=False, check_hash=True)


def list_models(module=None):
    return ["resnet18"]


def get_model_weights(name):
    return SimpleNamespace(DEFAULT=ResNet18())


def get_model(name, weights=None, num_classes=1000):
    module = nn.Sequential()
    module.add_module("conv1", nn.Conv2d(3, 8, 7, 16))
    module.add_module("bn1", nn.BatchNorm2d(8))
    module.add_module("avgpool", nn.AdaptiveAvgPool2d(1))
    module.add_module("flatten", nn.Flatten())
    module.add_module("fc", nn.Linear(8, num_classes))
    if weights is not None:
        module.load_state_dict(weights.get_state_dict())
    return module

"""Stands in for torchvision where it is not installed: what the project calls, as of 0.28."""

from . import models

__all__ = ["models"]

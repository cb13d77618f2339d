"""timm and torchvision for tests: the real ones where they are installed, else stand-ins."""

from __future__ import annotations

import importlib.util
from pathlib import Path

STAND_INS = Path(__file__).with_name("stand_ins")

#: Whether tests see the real libraries.
ARE_REAL = all(map(importlib.util.find_spec, ("timm", "torchvision")))

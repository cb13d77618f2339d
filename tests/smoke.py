"""What an installed wheel must do, without pytest and without the checkout.

``python tests/smoke.py``, from another folder.
"""

import subprocess
import sys
import time
from pathlib import Path

started = time.perf_counter()
import facestages  # noqa: E402

seconds = time.perf_counter() - started

HERE = Path(__file__).resolve().parents[1]
assert HERE not in Path(facestages.__file__).resolve().parents, f"taken from {facestages.__file__}"
assert seconds < 0.3, f"import facestages takes {seconds:.2f} s"

import numpy as np  # noqa: E402

rng = np.random.default_rng(0)
people = np.repeat([0, 1, 2], 20)
noise = rng.normal(size=(60, 5))
assert facestages.silhouette(noise + 10 * people[:, None], people) > 0.8
assert abs(facestages.silhouette(noise, people)) < 0.1

from facestages.assets import RESOURCES, read_manifest  # noqa: E402

assert read_manifest(RESOURCES / "manifest.yaml")
help_text = subprocess.run(
    [sys.executable, "-m", "facestages", "--help"], capture_output=True, text=True, check=True
)
assert "check" in help_text.stdout, help_text.stdout
print(f"facestages {facestages.__version__}: import in {seconds:.3f} s, measures and files work")

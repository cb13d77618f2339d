"""Keras, imported without the messages that TensorFlow prints.

TensorFlow writes them to the file descriptor before it reads its settings, so neither Python nor an
environment variable can suppress them.
"""

from __future__ import annotations

import contextlib
import importlib.util
import os
import sys
from collections.abc import Iterator

from facestages.errors import FacestagesError
from facestages.imports import import_without


@contextlib.contextmanager
def _standard_error_closed() -> Iterator[None]:
    kept = os.dup(2)
    nowhere = os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(nowhere, 2)
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
        os.close(nowhere)


_BACKEND = os.environ.get("KERAS_BACKEND", "tensorflow")

if _BACKEND != "tensorflow":
    if importlib.util.find_spec(_BACKEND) is None:
        raise FacestagesError(
            f"{_BACKEND}, which Keras is to compute with, is not installed. Install it (pip "
            f"install {_BACKEND}), or choose another 'backend' in the config"
        )
    # Keras imports an installed TensorFlow with any backend.
    sys.modules.setdefault("tensorflow", None)

# By default TensorFlow takes all the memory of a GPU at once.
os.environ.setdefault("TF_FORCE_GPU_ALLOW_GROWTH", "true")

# Keras wraps its models for scikit-learn and draws with matplotlib, if it can import these. That
# takes two seconds, and nothing here uses it.
with _standard_error_closed(), import_without("sklearn", "matplotlib"):
    import keras

__all__ = ["keras"]

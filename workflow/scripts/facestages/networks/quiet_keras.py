"""Keras, without the messages that TensorFlow prints when it is imported.

TensorFlow writes them to the file descriptor itself before its own settings are read, so neither
Python nor an environment variable can keep them off the terminal.
"""

from __future__ import annotations

import contextlib
import importlib.util
import os
import sys
from collections.abc import Iterator

from facestages.errors import FacestagesError


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
    # Keras imports TensorFlow all the same where it is installed.
    sys.modules.setdefault("tensorflow", None)

# TensorFlow would take all the memory of a GPU at once.
os.environ.setdefault("TF_FORCE_GPU_ALLOW_GROWTH", "true")

with _standard_error_closed():
    import keras

__all__ = ["keras"]

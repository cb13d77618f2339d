"""The GPUs that a framework sees, and the precision that it computes in.

Only the framework asked about is imported, since one process cannot hold TensorFlow and PyTorch.
"""

from __future__ import annotations

import importlib.metadata
import logging
import os

from facestages.errors import FacestagesError

logger = logging.getLogger(__name__)


def count_gpus(framework: str) -> int:
    """Number of GPUs that ``tensorflow``, ``torch`` or ``jax`` sees; 0 for any other framework."""
    if framework == "torch":
        import torch

        return torch.cuda.device_count() if torch.cuda.is_available() else 0
    if framework == "jax":
        import jax

        return sum(device.platform == "gpu" for device in jax.devices())
    if framework == "tensorflow":
        import tensorflow as tf

        return len(tf.config.list_physical_devices("GPU"))
    return 0


def require_gpus(asked: int, framework: str) -> None:
    """Raise `FacestagesError` if a framework sees fewer GPUs than a job asked for."""
    seen = count_gpus(framework) if asked else 0
    if seen >= asked:
        return
    visible = os.environ.get("CUDA_VISIBLE_DEVICES")
    among = "" if visible is None else f" (CUDA_VISIBLE_DEVICES='{visible}')"
    raise FacestagesError(
        f"gpu={asked} was asked for, but {framework} {_version(framework)} sees {seen or 'none'}"
        f"{among}. Run it on a machine with a GPU, with a build of {framework} that supports it, "
        f"or set analysis.gpu to 0"
    )


def use_full_float32(framework: str) -> None:
    """Keep a GPU from rounding float32 to TF32, which has 10 bits and errors of 1e-3."""
    if framework == "torch":
        import torch

        torch.backends.cuda.matmul.allow_tf32 = False
        torch.backends.cudnn.allow_tf32 = False
    elif framework == "jax":
        import jax

        jax.config.update("jax_default_matmul_precision", "highest")
    elif framework == "tensorflow":
        import tensorflow as tf

        tf.config.experimental.enable_tensor_float_32_execution(False)


# Compute capability from which NVIDIA's GPUs have units for a precision.
_CAPABILITY = {"mixed_bfloat16": (8, 0), "mixed_float16": (7, 0)}


def warn_of_slow_precision(precision: str, framework: str) -> None:
    """Log a line if what TensorFlow or torch computes on has no units for a mixed precision."""
    if precision not in _CAPABILITY or framework == "jax":
        return
    has = _capability(framework)
    if has is None and precision == "mixed_float16":
        logger.warning(
            "precision %s: most processors have no units for it, and are slower with it", precision
        )
    elif has is not None and has < _CAPABILITY[precision]:
        logger.warning(
            "precision %s: a GPU of compute capability %d.%d has no units for it, and is no faster "
            "than with float32",
            *(precision, *has),
        )


def _capability(framework: str) -> tuple[int, int] | None:
    """Compute capability of the first GPU; None without one."""
    if not count_gpus(framework):
        return None
    if framework == "torch":
        import torch

        return torch.cuda.get_device_capability()
    import tensorflow as tf

    gpu = tf.config.list_physical_devices("GPU")[0]
    return tf.config.experimental.get_device_details(gpu).get("compute_capability")


def _version(framework: str) -> str:
    # TensorFlow's package for processors has a name of its own.
    for package in (framework, f"{framework}-cpu"):
        try:
            return importlib.metadata.version(package)
        except importlib.metadata.PackageNotFoundError:
            continue
    return ""

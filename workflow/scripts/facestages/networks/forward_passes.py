"""Forward passes of users' networks: what they fail with, and GPUs that are too small for them."""

from __future__ import annotations

import logging
import os
import re
import traceback
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

from facestages.errors import DeviceMemoryError, FacestagesError, device_failure, name_error

if TYPE_CHECKING:
    import numpy as np

    from facestages.networks import Network

logger = logging.getLogger(__name__)

CHECK_INPUT = "Check 'input' in the config"
#: What to check where some pictures have passed, so that 'input' is right.
ANY_NUMBER = "Its code must take any number of pictures, and keep nothing of a pass"


@contextmanager
def forward_pass(network: str, if_shapes: str = ANY_NUMBER) -> Iterator[None]:
    """Make one line of whatever a forward pass of a user's network fails with; `if_shapes` is what
    to check if the shape of pictures does not fit."""
    try:
        yield
    except (FacestagesError, MemoryError):
        raise
    except (Exception, SystemExit) as error:
        logger.info("network %s", network, exc_info=True)
        problem = f"network {network}: a forward pass failed"
        raise explain_pass(problem, error, if_shapes) from error


def explain_pass(problem: str, error: BaseException, if_shapes: str) -> FacestagesError:
    """One line on a forward pass that failed: the error, its place, and what to check."""
    if failure := device_failure(problem, error):
        return failure
    advice = if_shapes if _is_about_shape(error) else "Check the network's code"
    return FacestagesError(f"{problem}: {name_error(error)}{user_line(error)}. {advice}")


# Words by which errors of frameworks and of users' code tell that pictures do not fit.
_SHAPE = re.compile(r"\b(shapes?|sizes?|channels?|dim(ension)?s?|height|width|resolution)\b", re.I)

# Errors that name something of the code, which may be called `size`.
_OF_CODE = AttributeError, NameError, KeyError, TypeError, ImportError, NotImplementedError


def _is_about_shape(error: BaseException) -> bool:
    """Whether an error says that the pictures have a size or channels that do not fit."""
    text = str(error)
    if isinstance(error, AssertionError) and error.__traceback__:
        text += f" {traceback.extract_tb(error.__traceback__)[-1].line}"
    is_of_code = isinstance(error, _OF_CODE) or "stride" in text
    return not is_of_code and bool(_SHAPE.search(text))


def user_line(error: BaseException) -> str:
    """File and line of the user's code in which an error came about, in brackets, if in any."""
    if isinstance(error, SyntaxError):
        return ""  # its text names them
    frames = traceback.extract_tb(error.__traceback__)
    library = os.path.dirname(os.path.dirname(__file__))
    others = ("site-packages", "dist-packages", library, os.path.dirname(traceback.__file__), "<")
    own = [frame for frame in frames if not any(part in frame.filename for part in others)]
    return f" ({os.path.basename(own[-1].filename)}, line {own[-1].lineno})" if own else ""


def record_within_memory(
    network: Network,
    record: Callable[[np.ndarray, Sequence[str]], dict[str, np.ndarray]],
    images: np.ndarray,
    layers: Sequence[str],
) -> dict[str, np.ndarray]:
    """What ``record(images, layers)`` returns, recorded in the network's batches.

    Where these are too large for the memory of a GPU, the batches are halved from then on.
    """
    import numpy as np

    while True:
        batch = network.batch
        starts = range(0, len(images), batch)
        try:
            parts = [record(images[start : start + batch], layers) for start in starts]
        except DeviceMemoryError:
            tried = min(batch, len(images))
            if tried == 1:
                raise
            network.batch = min(network.batch, tried // 2)
            logger.warning(
                "network %s: the memory of the GPU is too small for %d pictures at once. It shows "
                "%d at once from here on",
                network.name,
                tried,
                network.batch,
            )
            continue
        if len(parts) == 1:
            return parts[0]
        return {layer: np.concatenate([part[layer] for part in parts]) for layer in layers}

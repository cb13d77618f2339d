"""Errors that a user can mend, and hints at misspelt names."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Sequence

from facestages.text import printable, printable_lines

# Most names that a message lists.
_MANY = 60

# How torch, TensorFlow and jax name the errors of a GPU, in their class or in their text.
_OUT_OF_MEMORY = re.compile(r"OutOfMemoryError|ResourceExhausted|RESOURCE_EXHAUSTED")
_GPU_FAILED = re.compile(r"AcceleratorError|CUDA error|CUDA_ERROR_|cudaError|CU(DNN|BLAS)_STATUS")


class FacestagesError(Exception):
    """A problem that the user can mend.

    The message has one or two lines: what is wrong, where, why, and what to do about it. It may
    quote a file, so control characters in it are made visible.
    """

    def __init__(self, message: str) -> None:
        super().__init__(printable_lines(message))


class DeviceMemoryError(FacestagesError):
    """The memory of a GPU is too small for what was asked of it."""


def did_you_mean(name: object, allowed: Iterable[object]) -> str:
    """Name the allowed values, and the one nearest to `name` if there is one.

    E.g. ``"did you mean 'posed'? Allowed: posed, video, wild"``.
    """
    names = sorted({shorten(value) for value in allowed})
    if not names:
        return "none is defined"
    # In small letters, as 'FIG4' and 'fig4' are as near as can be.
    small = {value.lower(): value for value in names}
    near = difflib.get_close_matches(str(name).lower(), small, n=1, cutoff=0.5)
    hint = f"did you mean '{small[near[0]]}'? " if near else ""
    if len(names) > _MANY:
        return f"{hint}Allowed: {len(names)} names, such as {', '.join(names[:3])}"
    return f"{hint}Allowed: {', '.join(names)}"


def check_choice(where: str, key: str, chosen: Sequence[str], allowed: Sequence[str]) -> None:
    """Refuse anything but a list of some of the allowed names.

    `where` and `key` tell the user what was chosen: ``KDEF`` and ``angles``.
    """
    if isinstance(chosen, str) or not chosen:
        raise FacestagesError(
            f"{where}: '{key}' must be a list with some of {', '.join(allowed)}, not {chosen!r}"
        )
    for name in chosen:
        if name not in allowed:
            raise FacestagesError(
                f"{where}: unknown name '{name}' in '{key}'; {did_you_mean(name, allowed)}"
            )


def shorten(text: object, most: int = 60) -> str:
    """A user's text for a message: on one line, printable, cut after `most` characters."""
    start = str(text)[: most + 1]
    line = printable(" ".join(start.split()))
    return line if len(start) <= most else f"{line[:most]}..."


def name_error(error: BaseException) -> str:
    """Kind and text of a library's error, for a message."""
    return f"{type(error).__name__}: {shorten(error, 200)}".rstrip(": .")


def device_failure(problem: str, error: BaseException) -> FacestagesError | None:
    """One line on an error that comes from a GPU; None for any other error."""
    text = name_error(error)
    if _OUT_OF_MEMORY.search(f"{type(error).__name__} {error}"):
        return DeviceMemoryError(
            f"{problem}: the memory of the GPU is too small. Compute on the processor "
            f"(CUDA_VISIBLE_DEVICES='' snakemake ...), or on a GPU with more memory"
        )
    if _GPU_FAILED.search(f"{type(error).__name__} {error}"):
        return FacestagesError(
            f"{problem}: the GPU no longer answers ({text}). Give the command again, which keeps "
            f"what is finished, or compute on the processor (CUDA_VISIBLE_DEVICES='' snakemake ...)"
        )
    return None

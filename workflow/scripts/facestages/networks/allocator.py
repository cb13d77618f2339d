"""Memory that a forward pass frees, kept for the next one."""

from __future__ import annotations

import ctypes
import sys

# Parameters of mallopt, as <malloc.h> of the GNU C library numbers them.
_TRIM_THRESHOLD, _MMAP_MAX, _ARENA_MAX = -1, -4, -8


def keep_freed_memory() -> None:
    """Make the GNU C library keep freed memory, in one arena for all threads.

    A forward pass allocates and frees megabytes for every layer. By default, the GNU C library
    returns them to the kernel, which hands them out again page by page, filled with zeros. That can
    take half the time of a PyTorch network. With other C libraries, this does nothing.
    """
    if sys.platform != "linux":
        return
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        mallopt(_TRIM_THRESHOLD, 2**31 - 1)
        mallopt(_MMAP_MAX, 0)
        # Arenas of single threads are returned to the kernel whatever the threshold.
        mallopt(_ARENA_MAX, 1)

"""Memory that a forward pass frees is kept for the next one."""

from __future__ import annotations

import ctypes
import sys

# Parameters of mallopt, as <malloc.h> of the GNU C library numbers them.
_TRIM_THRESHOLD, _MMAP_MAX, _ARENA_MAX = -1, -4, -8


def keep_freed_memory() -> None:
    """Have the C library of this process keep what is freed, in one place for all threads.

    A forward pass takes and frees megabytes for every layer. By default the GNU C library gives
    them back to the kernel each time, which hands them out again page by page, filled with zeros:
    up to half the time of a PyTorch network. Other C libraries are left as they are.
    """
    if sys.platform != "linux":
        return
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        mallopt(_TRIM_THRESHOLD, 2**31 - 1)
        mallopt(_MMAP_MAX, 0)
        # The areas of single threads are given back whatever the threshold.
        mallopt(_ARENA_MAX, 1)

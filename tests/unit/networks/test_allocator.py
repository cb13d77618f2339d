"""Freed memory."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from facestages.networks import devices


@pytest.mark.skipif(sys.platform != "linux", reason="of the GNU C library")
def test_freed_memory_is_taken_again():
    """Without asking the kernel for it page by page, in whichever thread."""
    code = """
import resource, threading
from facestages.networks.allocator import keep_freed_memory

def fill():
    for _ in range(8):
        bytearray(b"x") * (48 << 20)

def count_faults(work):
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    work()
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before

def in_thread():
    thread = threading.Thread(target=fill)
    thread.start()
    thread.join()

counts = [count_faults(fill)]
keep_freed_memory()
fill()
print(*counts, count_faults(fill), count_faults(in_thread), resource.getpagesize())
"""
    environment = {k: v for k, v in os.environ.items() if not k.startswith("MALLOC_")}
    environment["PYTHONPATH"] = str(Path(devices.__file__).parents[2])
    answer = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, env=environment
    )
    before, after, in_thread, page = map(int, answer.stdout.split())
    pages = 8 * (48 << 20) / page
    if before < 0.5 * pages:
        pytest.skip("this C library keeps what is freed anyway")
    assert max(after, in_thread) < 0.1 * before

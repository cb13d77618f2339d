"""How much memory jobs will use, in MB, foreseen from the shapes of what they work on.

Snakemake asks before anything runs, so this is arithmetic alone. The numbers were measured;
`bench/memory.py` compares them with what the jobs of a run have used.
"""

from __future__ import annotations

import math
import os
import resource
from collections.abc import Iterable
from pathlib import Path

from facestages.errors import FacestagesError

_MB = 10**6
_FLOAT = 4

# Python with the libraries that a job imports.
_FRAMEWORK = {"keras": 820, "torch": 400, "numpy": 110}
_ANALYSIS = 150
# With readers of tables and of MATLAB's files.
_REFERENCE = 200

# About so many maps of the input's size are held at once for each picture of a forward pass.
_MAPS = {"keras": 192, "torch": 192, "numpy": 0}
_BATCH = {"keras": 16, "torch": 8, "numpy": 32}

#: MB of layers' outputs that `recording.accumulation.accumulate_gram` holds; more take more passes.
HELD = 1600

# Columns of a block of activations.
_COLUMNS = 8192


def forward(framework: str, pixels: int, weights: int, passes: int = 1) -> int:
    """A network, and batches of pictures in so many forward passes at once.

    `pixels` are those of its input. `weights` are bytes, and there are copies while they load.
    """
    maps = passes * _BATCH[framework] * pixels * _MAPS[framework] * _FLOAT
    return _FRAMEWORK[framework] + (int(2.5 * weights) + maps) // _MB


def training(pixels: int, batch: int) -> int:
    """Steps of `batch` pictures of so many pixels, measured with the light CNN."""
    return 1400 + 2800 * batch * pixels // _MB


def recording(units: int, threads: int) -> int:
    """Beside the network: batches of outputs on their way to the disk."""
    return (threads + 1) * min(max(_BATCH.values()) * units * _FLOAT, 1 << 28) // _MB


def accumulation(units: int, n: int, threads: int) -> int:
    """Beside the network: what is held of the layers, and the products of one of them."""
    held = min(_FLOAT * units * n // _MB, HELD)
    return held + _FLOAT * n * n // _MB + recording(units, threads)


def geometry(n: int, units: int = 0) -> int:
    """Gram matrix, spectrum, and copies that are written; blocks of a layer of so many units."""
    blocks = 3 * _FLOAT * n * min(units, _COLUMNS)
    return _ANALYSIS + (16 * n * n + blocks) // _MB


def explorer(face_sets: Iterable[tuple[int, int]]) -> int:
    """A page of face sets, of so many pictures and recordings each, of a dozen layers."""
    sizes = list(face_sets)
    # A small picture; a layer's map and neighbours. The text of the page is held several times.
    page = sum(n * (1400 + 12 * 38 * recordings) for n, recordings in sizes)
    blocks = 4 * 512 * 8 * max((n for n, _ in sizes), default=0)
    return 210 + (5 * page + blocks) // _MB


def multiplication(n: int, *, within: bool) -> int:
    """Products of two shards of n pictures each, or within one, and blocks of these shards."""
    blocks = (1 if within else 2) * 2 * _FLOAT * n * _COLUMNS
    return 80 + (12 * n * n + blocks) // _MB


def separability(n: int, permutations: int) -> int:
    """Inner products, distances, permuted labels, and silhouettes of some of these at once."""
    return 400 + (12 * n * n + 20 * n * permutations) // _MB


def decoding(n: int, permutations: int) -> int:
    """Inner products of training and held-out pictures, and permuted labels."""
    return 340 + (16 * n * n + 20 * n * permutations) // _MB


def correlation(n: int, permutations: int = 0) -> int:
    """Ranks of all pairs of pictures, and the model RDMs."""
    return 280 + 23 * n * n // _MB


def subspaces(n: int, permutations: int = 0) -> int:
    """Inner products, and components of about 1,500 pictures, to which larger sets are thinned."""
    return 460 + (_FLOAT * n * n + 24 * min(n, 3000) ** 2) // _MB


def comparison(n: int, permutations: int = 0) -> int:
    """Blocks of rows of many Gram matrices."""
    return 260 + 32 * n * n // _MB


def partition(n: int, permutations: int = 0) -> int:
    """Components, arbitrary planes, and each picture's weight in a thousand resamples."""
    return 320 + _resamples(n)


def regression(n: int, permutations: int = 0) -> int:
    """Each picture's weight in a thousand resamples, and more libraries."""
    return 190 + _resamples(n)


def _resamples(n: int) -> int:
    return 17 * 1000 * n // _MB


def embedding(n: int, permutations: int = 0) -> int:
    """UMAP of a matrix of distances."""
    return 430 + 24 * n * n // _MB


def judgements(size: int) -> int:
    """Rows of a table of so many bytes, as Python keeps them."""
    return _REFERENCE + 45 * size // _MB


def rdms(size: int, subjects: int) -> int:
    """Matrices of one of so many subjects, in a file of so many bytes."""
    return _REFERENCE + 3 * size // subjects // _MB


def simulated_reference(raters: int, times: int, pictures: int) -> int:
    """Judgements of all raters, and the models and noise of one."""
    pairs = pictures * pictures // 2
    return _REFERENCE + (_FLOAT * raters * times * pairs + 40 * (times + 4) * pairs) // _MB


def beside_reference(n: int, judgements: int) -> int:
    """Distances of n pictures, and so many bytes of judgements."""
    return 400 + (28 * n * n + judgements) // _MB


def peak_memory() -> int:
    """The most memory that this process, or the largest that it waited for, has had, in MB."""
    # `getrusage` of this process would begin with the peak of the program that started it.
    status = Path("/proc/self/status").read_text()
    this_process = int(status.split("VmHWM:")[1].split()[0])
    largest_child = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
    return max(this_process, largest_child) * 1024 // _MB


def require_memory(asked_mb: float, total_mb: float | None) -> None:
    """Refuse a job that asks for more memory than the machine has."""
    if total_mb is not None and asked_mb > total_mb:
        raise FacestagesError(
            f"it needs {math.ceil(asked_mb):,} MB of memory and this machine has "
            f"{math.floor(total_mb):,} MB. Run it on a larger one (docs/how-to/cluster.md), lower "
            f"analysis.most_pictures, or allow less with --set-resources, where it can do with less"
        )


def total_memory(root: str = "/sys/fs/cgroup") -> float | None:
    """Memory of this machine, or what a container is allowed of it, in MB; None if unknown."""
    try:
        limits = [os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")]
    except (ValueError, OSError):
        return None
    for name in ("memory.max", "memory/memory.limit_in_bytes"):
        file = Path(root, name)
        if file.is_file() and (text := file.read_text().strip()).isdigit():
            limits.append(int(text))
    return min(limits) / _MB

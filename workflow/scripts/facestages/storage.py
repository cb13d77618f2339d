"""Where a job finds the files of a run that lie in a bucket.

The plan names every product by its path in the run, such as ``results/geometry/posed/nn2/...``.
With ``--default-storage-provider`` that path is a name in the bucket. Snakemake brings a copy of
each input to the machine of the job, below a folder of its own, and takes the outputs from there.

Snakemake reads this module at the start of every run, so nothing heavy is imported here.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping

#: Tells the jobs of a run the folder of these copies. Not set where the run uses no bucket.
VARIABLE = "FACESTAGES_STORAGE"


def is_used() -> bool:
    """Whether the files of this run lie in a bucket."""
    return VARIABLE in os.environ


def locate(value: object, inputs: Iterable[str]) -> object:
    """A param with the path of each product as it is on this machine.

    Parameters
    ----------
    value : object
        Text, or lists and mappings of it. Text that names an input, or a file in an input folder,
        by its path in the run is replaced. All other text stays.
    inputs : iterable of str
        Inputs of the job, as Snakemake gives them to the script.
    """
    if not is_used():
        return value
    return _locate(value, frozenset(map(str, inputs)))


def _locate(value: object, inputs: frozenset[str]) -> object:
    if isinstance(value, str):
        copy = os.path.join(os.environ[VARIABLE], value)
        is_input = any(copy == path or copy.startswith(f"{path}/") for path in inputs)
        return copy if is_input else value
    if isinstance(value, Mapping):
        return {key: _locate(one, inputs) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [_locate(one, inputs) for one in value]
    return value


def path_in_run(path: str | os.PathLike) -> str:
    """The path of a product in the run, from that of its copy; any other path stays."""
    start = f"{os.environ[VARIABLE]}/" if is_used() else ""
    return os.fspath(path).removeprefix(start)

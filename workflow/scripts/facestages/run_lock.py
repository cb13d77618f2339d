"""One run at a time works in a results folder, and no job of an earlier run beside it.

Snakemake itself sees another run only if both start in the same folder.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import socket
from pathlib import Path

from facestages.errors import FacestagesError

#: Hidden file in the results folder, which names the run that began last. That run has locked it.
NAME = ".running"

#: Tells the jobs of a run where that file lies, and what it says of their run.
VARIABLE = "FACESTAGES_RUN"

# The lock ends with the process, however that ends, and no program that it starts inherits it.
_held: list[int] = []


def hold(folder: str | os.PathLike) -> None:
    """Lock a results folder for as long as this process lives, and name this run there.

    Where the file system has no locks nothing is locked. Where the folder cannot be written to,
    the jobs will say so.

    Raises
    ------
    FacestagesError
        If another run has locked it.
    """
    path = Path(folder, NAME).absolute()
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o666)
    except OSError:
        return
    _held.append(descriptor)
    try:
        import fcntl

        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        other = _one_line(os.read(descriptor, 1000))
        raise FacestagesError(
            f"another run works in {path.parent} ({other}). Wait until it has ended, or give this "
            f"one a results folder of its own (pathvars in the config)"
        ) from error
    except (ImportError, OSError):
        pass
    host, process, place = socket.gethostname(), os.getpid(), os.getcwd()
    run = f"{secrets.token_hex(4)} on {host}, process {process}, started in {place}"
    run = _one_line(run.encode(errors="replace"))
    with contextlib.suppress(OSError):
        os.truncate(descriptor, 0)
        os.write(descriptor, run.encode())
        os.environ[VARIABLE] = f"{path}\n{run}"


def require_newest() -> None:
    """Refuse to go on in a job of a run after which another one has begun in the same folder.

    Outside of a run's jobs nothing is refused.

    Raises
    ------
    FacestagesError
        If another run has begun.
    """
    path, _, run = os.environ.get(VARIABLE, "").partition("\n")
    with contextlib.suppress(OSError):
        newest = _one_line(Path(path).read_bytes()) if path else run
        if newest != run:
            raise FacestagesError(
                f"another run has begun in {Path(path).parent} since this job was started "
                f"({newest}): let it end, then run the same command again"
            )


def _one_line(text: bytes) -> str:
    return " ".join(text.decode(errors="replace").split())

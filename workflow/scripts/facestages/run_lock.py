"""One run at a time works in a results folder.

Snakemake itself sees another run only if both start in the same folder.
"""

from __future__ import annotations

import os
import socket
from pathlib import Path

from facestages.errors import FacestagesError

#: Hidden file in the results folder. Whoever has locked it works there.
NAME = ".running"

# The lock ends with the process, however that ends, and no program that it starts inherits it.
_held: list[int] = []


def hold(folder: str | os.PathLike) -> None:
    """Lock a results folder for as long as this process lives.

    Where the file system has no locks, or the folder cannot be written to, nothing is locked.

    Raises
    ------
    FacestagesError
        If another run has locked it.
    """
    path = Path(folder, NAME)
    try:
        import fcntl

        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o666)
        _held.append(descriptor)
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        os.truncate(descriptor, 0)
        text = f"on {socket.gethostname()}, process {os.getpid()}, started in {os.getcwd()}"
        os.write(descriptor, text.encode())
    except BlockingIOError as error:
        other = " ".join(os.read(descriptor, 1000).decode(errors="replace").split())
        raise FacestagesError(
            f"another run works in {path.parent.absolute()} ({other}). Wait until it has ended, "
            f"or give this one a results folder of its own (pathvars in the config)"
        ) from error
    except (ImportError, OSError):
        return

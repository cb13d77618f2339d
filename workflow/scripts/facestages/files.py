"""Files that appear under their final name only when they are complete; YAML; free space."""

from __future__ import annotations

import contextlib
import errno
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

from facestages.bounds import require_few_nodes, require_size
from facestages.errors import FacestagesError, shorten

# The largest that comes with the project has 30 kB.
_MOST_BYTES = 500_000

#: Suffixes of archives, which users sometimes give where a folder is wanted.
ARCHIVE_SUFFIXES = tuple(".zip .rar .7z .tar .gz .tgz .bz2 .tbz2 .xz .txz".split())


@contextlib.contextmanager
def atomic_path(path: str | os.PathLike) -> Iterator[Path]:
    """Yield a temporary path beside `path`; rename it to `path` if the block succeeds.

    It has the same suffix as `path`. Missing parent folders are made.

    Raises
    ------
    FacestagesError
        If the disk is full or the folder cannot be written to. Then the temporary file is removed,
        and an older file of the final name stays as it was.
    """
    path = Path(path)
    partial = path.with_name(f".partial-{path.name}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        yield partial
        _flush_to_disk(partial)
        os.replace(partial, path)
    except BaseException as error:
        partial.unlink(missing_ok=True)
        # A FacestagesError has its message already.
        reason = None if isinstance(error, FacestagesError) else _write_failure(error)
        if reason is None:
            raise
        raise FacestagesError(f"cannot write {path}: {reason}") from error


def _flush_to_disk(path: Path) -> None:
    with open(path, "rb") as stream:
        os.fsync(stream.fileno())


def _write_failure(error: BaseException | None) -> str | None:
    """Why a write failed, or None if `error` is of another kind."""
    # A library that fails again while it cleans up hides the first error in the context.
    while error is not None:
        number, text = getattr(error, "errno", None), str(error)
        # HDF5 folds the system's error number into its own message.
        if number in (errno.ENOSPC, errno.EDQUOT) or "No space left on device" in text:
            return "the disk is full. Free some space and run the same command again"
        if number == errno.EFBIG:
            return (
                "the file is larger than the disk or 'ulimit -f' allows. Write to another disk or "
                "raise the limit"
            )
        if number in (errno.EACCES, errno.EROFS, errno.EPERM):
            return "the folder is not writable. Change its permissions or the results folder"
        error = error.__context__
    return None


def read_yaml(path: str | os.PathLike) -> dict:
    """Read a YAML file of keys and values.

    Raises
    ------
    FacestagesError
        If the file is missing, is not YAML, or holds something else; the message names the line.
    """
    import yaml

    try:
        require_size(path, _MOST_BYTES, "a YAML file")
        loader = yaml.SafeLoader(Path(path).read_text(encoding="utf-8"))
        node = loader.get_single_node()
        require_few_nodes(path, node)
        content = None if node is None else loader.construct_document(node)
    except FacestagesError:
        raise
    except FileNotFoundError as error:
        raise FacestagesError(f"{path}: no such file. Correct the path") from error
    # PyYAML raises errors of many kinds, for instance for what looks like a date and is none.
    except Exception as error:
        mark = getattr(error, "problem_mark", None)
        reason = f"line {mark.line + 1}: {error.problem}" if mark else shorten(error, 200)
        raise FacestagesError(f"{path}: cannot be read as YAML: {reason}. Mend it") from error
    if not isinstance(content, dict):
        raise FacestagesError(f"{path}: must hold keys and values, a line 'key: value' each")
    return content


def require_space(path: str | os.PathLike, n_bytes: int) -> None:
    """Raise `FacestagesError` if the disk that holds `path` has less than `n_bytes` free."""
    folder = Path(path).absolute().parent
    while not folder.exists():
        folder = folder.parent
    free = shutil.disk_usage(folder).free
    if free < n_bytes:
        raise FacestagesError(
            f"cannot write {path}: it needs {n_bytes / 1e6:,.1f} MB and the disk has "
            f"{free / 1e6:,.1f} MB free. Free some space and run the same command again"
        )

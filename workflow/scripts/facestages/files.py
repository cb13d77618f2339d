"""Files that appear under their final name only when they are complete; free space."""

from __future__ import annotations

import atexit
import contextlib
import errno
import hashlib
import os
import re
import secrets
import shutil
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

from facestages import run_lock
from facestages.errors import FacestagesError

#: Suffixes of archives, which users sometimes give where a folder is wanted.
ARCHIVE_SUFFIXES = tuple(".zip .rar .7z .tar .gz .tgz .bz2 .tbz2 .xz .txz".split())
# What file managers and archives leave in folders.
_CLUTTER = ("thumbs.db", "desktop.ini", "__macosx", "@eadir", "icon\r")


def is_clutter(name: str) -> bool:
    """Whether a file or folder of this name is hidden, or was left by a program."""
    return name.startswith(".") or name.lower() in _CLUTTER


class _Claim(NamedTuple):
    """The right of this process to give a file or folder its name.

    The partial file is the token: a process that starts later removes it, and no process can give
    a file that it no longer has its name.
    """

    partial: Path
    descriptor: int
    before: tuple[int, ...] | None


_claims: dict[str, _Claim] = {}


def claim(paths: Iterable[str | os.PathLike]) -> None:
    """Make this process the one that writes these files or folders, from now on.

    A process that claimed them earlier, and still works, fails when it comes to write them. Claims
    that are not used end with the process.

    Raises
    ------
    FacestagesError
        If a folder cannot be written to.
    """
    atexit.register(_end_claims)
    for path in map(Path, paths):
        with _explained(path):
            _claims[os.path.abspath(path)] = _take(path)


def _end_claims() -> None:
    while _claims:
        _release(_claims.popitem()[1])


@contextlib.contextmanager
def atomic_path(path: str | os.PathLike, *, resume: bool = False) -> Iterator[Path]:
    """Yield a temporary path beside `path`; rename it to `path` if the block succeeds.

    It is an empty file that no other process has, with the same suffix as `path`, to be written in
    place. Missing parent folders are made. Of two processes that write the same file, the one that
    began last wins.

    Parameters
    ----------
    path : path-like
    resume : bool
        The temporary file begins with what an interrupted process left of this file, and stays if
        the block fails.

    Raises
    ------
    FacestagesError
        If the disk is full, the folder cannot be written to, or another process has begun to write
        the file or has written it since this one began. Then the temporary file is removed, and an
        older file of the final name stays as it was.
    """
    path = Path(path)
    with _claimed(path, resume) as held:
        yield held.partial
        _flush_to_disk(held.partial)
        _require_claim(held, path)
        _rename(held, path)


@contextlib.contextmanager
def atomic_folder(path: str | os.PathLike) -> Iterator[Path]:
    """As `atomic_path`, for a folder: yield an empty one, which replaces that of the final name."""
    path = Path(path)
    with _claimed(path) as held, contextlib.ExitStack() as stack:
        new, old = _new_partial(path), _new_partial(path)
        for folder in (new, old):
            stack.callback(shutil.rmtree, folder, ignore_errors=True)
        new.mkdir()
        yield new
        _require_claim(held, path)
        with contextlib.suppress(FileNotFoundError):
            os.rename(path, old)
        # The system refuses this if another process has put a folder there in between.
        os.rename(new, path)


@contextlib.contextmanager
def _claimed(path: Path, resume: bool = False) -> Iterator[_Claim]:
    """The claim that this process has on a file, or else a new one, until the block ends."""
    with _explained(path):
        held = _claims.pop(os.path.abspath(path), None) or _take(path, resume)
        try:
            _require_claim(held, path)
            yield held
        except FacestagesError:
            raise
        except Exception:
            # Any library can fail on a file that another process has removed.
            _require_claim(held, path)
            raise
        finally:
            _release(held, keep=resume)


def _take(path: Path, resume: bool = False) -> _Claim:
    """Claim a file or folder, and end the claims of other processes."""
    path.parent.mkdir(parents=True, exist_ok=True)
    # The order of these steps matters. Of two processes at the same moment not both are ended, and
    # a job of an earlier run neither ends that of a later one nor stays beside it.
    others = _partials(path)
    partial = _new_partial(path)
    # This refuses a name that is there already, also a link.
    descriptor = os.open(partial, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o666)
    try:
        run_lock.require_newest()
        if resume:
            _copy_longest(others, partial)
        for other in others:
            remove(other)
    except BaseException:
        _release(_Claim(partial, descriptor, None))
        raise
    # From here on no other process can give its own file this name.
    return _Claim(partial, descriptor, _identity(path))


def _copy_longest(paths: Iterable[Path], target: Path) -> None:
    """Copy the longest file: the process that left it may still append to its own."""
    files = [path for path in paths if path.is_file() and not path.is_symlink()]
    # The other process may also remove it now.
    with contextlib.suppress(FileNotFoundError):
        if files:
            shutil.copyfile(max(files, key=os.path.getsize), target)


def remove(path: Path) -> None:
    """Remove a file, a link, or a folder with all that it holds, if it is there."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)


def _new_partial(path: Path) -> Path:
    """A new temporary name, ``.partial-<random>-<name>``."""
    return path.with_name(f".partial-{secrets.token_hex(4)}-{_partial_end(path.name)}")


def _partials(path: Path) -> list[Path]:
    """Temporary files and folders of a file or folder, left or still in use."""
    pattern = re.compile(rf"\.partial-[0-9a-z_]{{8}}-{re.escape(_partial_end(path.name))}")
    return [path.with_name(name) for name in os.listdir(path.parent) if pattern.fullmatch(name)]


def _partial_end(name: str) -> str:
    if len(os.fsencode(name)) <= 200:
        return name
    # Names may have 255 bytes. Libraries read the kind of a file from the end of its name.
    return hashlib.sha256(os.fsencode(name)).hexdigest()[:16] + name[-20:]


def _identity(path: Path) -> tuple[int, ...] | None:
    """What tells a file from another one of the same name; None without a file."""
    try:
        status = os.lstat(path)
    except FileNotFoundError:
        return None
    return status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns


def _require_claim(held: _Claim, path: Path) -> None:
    """Refuse to go on where another process has claimed the file, or written it, meanwhile."""
    if not _is_held(held, held.partial) or _identity(path) not in (None, held.before):
        raise FacestagesError(
            f"cannot write {path}: another run has written it meanwhile, or writes it now. Two "
            f"runs share this folder, or a job of an earlier run still works: let one end, then "
            f"run the same command again"
        )


def _is_held(held: _Claim, path: Path) -> bool:
    """Whether the claim's own file lies at `path`."""
    with contextlib.suppress(FileNotFoundError):
        return os.path.samestat(os.lstat(path), os.fstat(held.descriptor))
    return False


def _rename(held: _Claim, path: Path) -> None:
    if _identity(path) is None:
        # Unlike a rename, a hard link never replaces a file that another process puts there now.
        try:
            os.link(held.partial, path)
        except (FileExistsError, FileNotFoundError):
            # A network file system may say so of its own success.
            if not _is_held(held, path):
                raise
        except OSError:
            pass  # a file system without hard links
    if not _is_held(held, path):
        os.replace(held.partial, path)
    held.partial.unlink(missing_ok=True)


def _flush_to_disk(path: Path) -> None:
    with open(path, "rb") as stream:
        os.fsync(stream.fileno())


def _release(held: _Claim, keep: bool = False) -> None:
    """End a claim; `keep` what was written."""
    if not (keep and os.fstat(held.descriptor).st_size):
        held.partial.unlink(missing_ok=True)
    os.close(held.descriptor)


@contextlib.contextmanager
def _explained(path: Path) -> Iterator[None]:
    """Say in one line why a file could not be written."""
    try:
        yield
    except FacestagesError:
        raise
    except BaseException as error:
        reason = _write_failure(error)
        if reason is None:
            raise
        raise FacestagesError(f"cannot write {path}: {reason}") from error


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

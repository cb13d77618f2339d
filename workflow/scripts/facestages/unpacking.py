"""Members of archives: zip files, wheels, and packages of npm (``.tgz``)."""

from __future__ import annotations

import contextlib
import fnmatch
import functools
import lzma
import shutil
import stat
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path, PurePosixPath
from typing import IO, NamedTuple

from facestages.assets import is_inside
from facestages.errors import FacestagesError
from facestages.files import atomic_folder, require_space

_BLOCK = 1 << 20
# What `zipfile` and `tarfile` raise for what is damaged, no archive, or packed in an unknown way.
_BROKEN_ARCHIVE = (
    *(zipfile.BadZipFile, tarfile.TarError, zlib.error, lzma.LZMAError, EOFError),
    *(NotImplementedError, RuntimeError),
)


def unpack(archive: Path, entry: Mapping, folder: Path) -> None:
    """Put all listed members of a verified archive into `folder`, or the file itself.

    Raises
    ------
    FacestagesError
        If the archive is damaged, lacks a member, or holds one that points outside the folder.
    """
    with atomic_folder(folder) as new:
        if "members" in entry:
            _extract(archive, entry["members"], new)
        else:
            require_space(new, entry["bytes"])
            shutil.copyfile(archive, new / entry["file"])


def _extract(archive: Path, members: Sequence[str], folder: Path) -> None:
    try:
        with contextlib.ExitStack() as stack:
            entries = _list_entries(archive, stack)
            chosen = _choose(entries, members, archive.name)
            require_space(folder, sum(item.size for item in chosen))
            for item in chosen:
                target = folder / PurePosixPath(item.name)
                target.parent.mkdir(parents=True, exist_ok=True)
                with item.open() as source, open(target, "wb") as out:
                    shutil.copyfileobj(source, out, _BLOCK)
    except _BROKEN_ARCHIVE as error:
        reason = " ".join(str(error).split())
        raise FacestagesError(
            f"{archive} cannot be unpacked: {reason}. Only zip files, wheels and packages of npm "
            f"can have 'members' in the manifest"
        ) from error


class _Entry(NamedTuple):
    """A file in an archive."""

    name: str
    size: int
    is_plain: bool
    open: Callable[[], IO[bytes]]


def _list_entries(archive: Path, stack: contextlib.ExitStack) -> list[_Entry]:
    """The files in an archive, which can be opened until the stack is closed."""
    if archive.suffix == ".tgz":
        tar = stack.enter_context(tarfile.open(archive, "r:gz"))
        return [
            _Entry(info.name, info.size, info.isreg(), functools.partial(tar.extractfile, info))
            for info in tar
            if not info.isdir()
        ]
    packed = stack.enter_context(zipfile.ZipFile(archive))
    return [
        _Entry(
            info.filename,
            info.file_size,
            not stat.S_ISLNK(info.external_attr >> 16),
            functools.partial(packed.open, info),
        )
        for info in packed.infolist()
        if not info.is_dir()
    ]


def _choose(entries: Sequence[_Entry], members: Sequence[str], file: str) -> list[_Entry]:
    """The entries that the manifest lists; refuse one that would land outside the folder."""
    chosen: dict[str, _Entry] = {}
    for member in members:
        matching = [item for item in entries if _matches(item.name, member)]
        if not matching:
            raise FacestagesError(f"{file} holds no '{member}'. Correct 'members' in the manifest")
        chosen.update((item.name, item) for item in matching)
    for name, item in chosen.items():
        if not is_inside(name) or not item.is_plain:
            raise FacestagesError(
                f"{file} holds '{name}', which points outside the asset's folder; nothing was "
                f"unpacked. Do not use this file, or leave the member out of the manifest"
            )
    return list(chosen.values())


def _matches(name: str, pattern: str) -> bool:
    """Whether a member has this name or fits this glob, whose ``*`` matches within one folder."""
    if name == pattern:
        return True
    parts, wanted = name.split("/"), pattern.split("/")
    return len(parts) == len(wanted) and all(map(fnmatch.fnmatchcase, parts, wanted))

"""Digests of what a user hands in: tables, pictures, weights, code. Contents count, not times.

Digests of large files are kept in ``.snakemake/contents`` by name, size, times and inode of each,
so that nothing is read twice. Snakemake asks for them at the start of every run, so nothing heavy
is imported here.
"""

from __future__ import annotations

import contextlib
import functools
import hashlib
import importlib.machinery
import json
import os
import stat
import sys
import sysconfig
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from facestages import disfa_files, face_tables, provenance, subsets
from facestages.assets import shipped
from facestages.errors import FacestagesError
from facestages.files import is_clutter
from facestages.picture_paths import find_pictures
from facestages.provenance import digest

#: Where digests are kept, beside Snakemake's own notes.
KEPT = Path(".snakemake/contents")

# A smaller file is read as fast as its digest is looked up.
_SMALL = 1 << 20
# After so many bytes, the user is told what is read.
_LONG = 2 << 30
_n_read = 0
# A file that was changed so shortly before it was read may change again without another time.
_SETTLED_NS = 2 * 10**9


def digest_given(kind: str, *arguments: str) -> str:
    """Digest of something that a user hands in.

    Parameters
    ----------
    kind : str
        A key of `KINDS`.
    *arguments
        Those of its function.

    Raises
    ------
    FacestagesError
        If the videos of DISFA, or the table of its people, are not as they must be. Anything else
        has a digest whatever it is; the job that reads it says what is wrong.
    """
    return KINDS[kind](*arguments)


# --------------------------------------------------------------------------------- files, folders


def digest_content(path: str | os.PathLike) -> str:
    """SHA-256 of a file's bytes, or of the names and contents of all files below a folder.

    Hidden files, and those of `files.is_clutter`, do not count. Linked folders count once each, so
    that circles of links end. What is not there has a digest too.
    """
    path = os.fspath(path)
    if os.path.isdir(path):
        files = {os.path.relpath(file, path): file for file in sorted(_files_below(path))}
        return digest(_digest_files(path, files))
    return _digest_files(path, {"": path}).get("", "nothing")


def digest_shipped(name: str) -> str:
    """As `digest_content`, of a file or folder that comes with the project (`assets.shipped`)."""
    return digest_content(shipped(name))


def _files_below(folder: str) -> Iterator[str]:
    visited = set()
    for place, folders, names in os.walk(folder, followlinks=True):
        folders[:] = sorted(name for name in folders if not is_clutter(name))
        if os.path.realpath(place) in visited:
            folders.clear()
            continue
        visited.add(os.path.realpath(place))
        yield from (f"{place}/{name}" for name in names if not is_clutter(name))


def _digest_files(place: str, files: Mapping[str, str]) -> dict[str, str]:
    """SHA-256 of each file that is there, by its name in `files`; `place` names them all."""
    started = time.time_ns()
    stamps = {name: stamp for name, file in files.items() if (stamp := _stamp(file))}
    if sum(size for size, *_ in stamps.values()) < _SMALL:
        return _read_files({name: files[name] for name in stamps})
    settled = [name for name, stamp in stamps.items() if stamp[2] < started - _SETTLED_NS]
    kept = _load(place)
    known = {
        name: kept[name][1]
        for name in settled
        if name in kept and kept[name][0] == list(stamps[name])
    }
    unknown = {name: files[name] for name in stamps if name not in known}
    _tell_if_long(place, sum(stamps[name][0] for name in unknown))
    found = known | _read_files(unknown)
    if not unknown.keys().isdisjoint(settled):
        _save(place, {name: [stamps[name], found[name]] for name in settled if name in found})
    return {name: found[name] for name in stamps if name in found}


def _tell_if_long(place: str, n_bytes: int) -> None:
    """Say what is read once this process has read for long."""
    global _n_read
    _n_read += n_bytes
    if _n_read > _LONG and n_bytes:
        print(f"reading {place}, {n_bytes / 1e6:,.0f} MB: its content counts", file=sys.stderr)


def _stamp(file: str) -> tuple[int, ...] | None:
    """What changes whenever a file does; None where there is no file."""
    with contextlib.suppress(OSError, ValueError):
        status = os.stat(file)
        if stat.S_ISREG(status.st_mode):
            return status.st_size, status.st_mtime_ns, status.st_ctime_ns, status.st_ino
    return None


def _read_files(files: Mapping[str, str]) -> dict[str, str]:
    found = {}
    for name, file in files.items():
        with contextlib.suppress(OSError), open(file, "rb") as stream:
            found[name] = hashlib.file_digest(stream, "sha256").hexdigest()
    return found


def _record(place: str) -> Path:
    return KEPT / f"{digest(place)[:32]}.json"


def _load(place: str) -> dict[str, list]:
    """Stamp and digest of each file of a place, as an earlier start left them."""
    with contextlib.suppress(OSError, ValueError, TypeError):
        check, kept = json.loads(_record(place).read_text(encoding="utf-8"))
        if check == digest(kept):
            return kept
    return {}


def _save(place: str, kept: Mapping[str, list]) -> None:
    # Jobs that start at the same time each write a file of their own; the last one stays.
    partial = _record(place).with_suffix(f".{os.getpid()}")
    with contextlib.suppress(OSError):
        KEPT.mkdir(parents=True, exist_ok=True)
        partial.write_text(json.dumps([digest(kept), kept]), encoding="utf-8")
        os.replace(partial, _record(place))


# --------------------------------------------------------------------------------- tables, videos


def digest_listed(table: str, folder: str, reading: str = "") -> str:
    """Digest of the pictures that a CSV table names, in this order: their contents, and the columns
    ``path`` and ``stimulus_id``. Other columns do not count. `reading` is that of
    `face_tables.reading_of`, here and below."""
    rows = _read_table(table, _stamp(table), reading)
    if rows is None:
        return digest_content(table)
    listed = [[row["path"], row.get("stimulus_id")] for row in rows]
    files = find_pictures(folder, [path for path, _ in listed])
    return digest([listed, _digest_files(f"{table} {folder}", files)])


def count_people(table: str, reading: str = "") -> list[int]:
    """Rows of each person in a CSV table of pictures; none where it cannot be read."""
    rows = _read_table(table, _stamp(table), reading) or ()
    return list(Counter(row.get("identity", "") for row in rows).values())


@functools.lru_cache(maxsize=4)
def _read_table(table: str, stamp: tuple | None, reading: str) -> list[dict[str, str]] | None:
    """Rows of a CSV table of pictures; None where it is refused."""
    try:
        return face_tables.read_face_table(table, *(json.loads(reading) if reading else ()))[1]
    except FacestagesError:
        return None


def digest_people(table: str, reading: str = "") -> str:
    """Digest of who is on which picture by a CSV table."""
    rows = _read_table(table, _stamp(table), reading) or ()
    return digest([[row["path"], row.get("identity")] for row in rows])


def sampling_step(table: str, most: int, reading: str = "") -> str:
    """`subsets.sampling_step` for the people of a table."""
    return str(subsets.sampling_step(count_people(table, reading), most))


def choose_people(folder: str, camera: str, wanted: str, table: str | None) -> str:
    """People of a DISFA face set, of `wanted`: names or a word of `disfa_files.choose_subjects`."""
    subjects = wanted.split() if wanted.startswith("SN") else wanted
    return " ".join(disfa_files.choose_subjects(folder, camera, subjects, table))


def digest_person(folder: str, camera: str, subject: str) -> str:
    """Digest of a person's video and files of action units in DISFA."""
    files = disfa_files.subject_files(folder, subject, camera)
    inside = {os.path.relpath(file, folder): str(file) for file in files}
    return digest(_digest_files(f"{folder} {subject}", inside))


def digest_action_units(folder: str, people: str) -> str:
    """Digest of the files of action units of some people in DISFA, with blanks between them."""
    files = {
        f"{subject} {unit}": str(file)
        for subject in people.split()
        for unit, file in disfa_files.find_labels(Path(folder), subject).items()
    }
    return digest(_digest_files(f"{folder} action units", files))


# ------------------------------------------------------------------------------------------- code


def digest_module(address: str, *folders: str) -> str:
    """Digest of a user's module and of all the user's modules that it imports.

    Comments, docstrings and layout do not count. Imports are found wherever they stand in the
    code, but not those by a name that is computed.

    Parameters
    ----------
    address : str
        ``package.module`` or ``package.module:function``.
    *folders
        Where modules lie, as `import_folders` gives them.
    """
    return digest(sorted(_code_of(address, folders).values()))


def import_folders(address: str) -> list[str]:
    """Folders that hold a user's module or one that it imports.

    These are the folder where the run starts and those of Python's search path that belong to no
    installation, such as those of ``PYTHONPATH``.
    """
    paths = sysconfig.get_paths()
    installed = [paths[key] for key in ("stdlib", "platstdlib", "purelib", "platlib", "scripts")]
    installed.append(str(provenance.PACKAGE.parent))
    folders = [
        folder
        for folder in dict.fromkeys(filter(os.path.isdir, sys.path))
        if not os.path.samefile(folder, ".")
        and {"site-packages", "dist-packages"}.isdisjoint(Path(folder).parts)
        and not any(Path(folder).is_relative_to(place) for place in installed)
    ]
    used = {Path(file) for file in _code_of(address, [".", *folders])}
    return [".", *(f for f in folders if any(file.is_relative_to(f) for file in used))]


def _code_of(address: str, folders: Iterator[str]) -> dict[str, list[str]]:
    """Name and digest of each module that a user's module reaches, by its file."""
    found: dict[str, list[str]] = {}
    waiting = [address.partition(":")[0]]
    seen = set()
    while waiting:
        name = waiting.pop()
        if name in seen:
            continue
        seen.add(name)
        for file in _module_files(name, folders):
            code, imported = provenance.read_module(file)
            found[str(file)] = [name, code]
            package = name if file.name == "__init__.py" else name.rpartition(".")[0]
            waiting += [provenance.absolute_name(other, package) for other in imported]
        if "." in name:
            waiting.append(name.rpartition(".")[0])
    return found


def _module_files(name: str, folders: Iterator[str]) -> list[Path]:
    """Files of a module, in every folder that has one."""
    if name.partition(".")[0] == provenance.PACKAGE.name:
        return provenance.library_files(name)
    places = [Path(folder, *name.split(".")) for folder in folders]
    suffixes = [".py", *importlib.machinery.EXTENSION_SUFFIXES]
    files = [place.with_name(place.name + suffix) for place in places for suffix in suffixes]
    files += [place / "__init__.py" for place in places]
    return [file for file in files if file.is_file()]


#: By kind: the function that gives its digest.
KINDS: dict[str, Callable[..., Any]] = {
    "content": digest_content,
    "shipped": digest_shipped,
    "pictures of a table": digest_listed,
    "people of a table": digest_people,
    "step": sampling_step,
    "people": choose_people,
    "person": digest_person,
    "action units": digest_action_units,
    "module": digest_module,
}

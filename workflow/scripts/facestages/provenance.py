"""Digests that say what a result was made from."""

from __future__ import annotations

import ast
import contextlib
import csv
import hashlib
import importlib
import json
import os
import platform
import re
import stat
from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path

from facestages import __version__

PACKAGE = Path(__file__).parent

# No result depends on these modules and packages, so an edit there reruns nothing: config and plan
# reach a job through its params, value by value, and the others decide how a job reports.
_WITHOUT_RESULT = {
    PACKAGE / name
    for name in ("__init__.py", "config", "errors.py", "job.py", "paths.py", "plan", "progress.py")
}


def digest(value: object) -> str:
    """SHA-256 of a value made of lists, dicts, text and numbers."""
    text = json.dumps(value, sort_keys=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()


def digest_code(script: str | os.PathLike, store: str | os.PathLike | None = None) -> str:
    """Digest of a script and of all the library modules that it reaches.

    Only what the code does counts: comments, docstrings and layout do not. The files are parsed,
    not imported, so this is cheap and needs none of their dependencies.

    Parameters
    ----------
    script : path-like
        A Python file that imports from ``facestages``.
    store : path-like, optional
        JSON file that keeps what `_read_module` read of each file, as parsing all scripts of the
        workflow takes half a second. It is left alone where it cannot be written.
    """
    readings = _read_store(store)
    n_stored = len(readings)
    code: dict[Path, str] = {}
    waiting = [Path(script)]
    while waiting:
        path = waiting.pop()
        if path not in code:
            key = _digest_bytes(path, path.stat().st_mtime_ns)
            if key not in readings:
                readings[key] = _read_module(path)
            code[path], modules = readings[key]
            waiting.extend(file for name in modules for file in _module_files(name, PACKAGE))
    if store and len(readings) > n_stored:
        _write_store(store, readings)
    return digest(sorted(code.values()))


@cache
def _read_store(store: str | os.PathLike | None) -> dict[str, list]:
    """What was read of files before, by the digest of their bytes; empty if there is no store."""
    with contextlib.suppress(OSError, ValueError, TypeError):
        readings = json.loads(Path(store).read_text(encoding="utf-8"))
        # A large store is mostly about files as they were before many edits.
        if isinstance(readings, dict) and len(readings) < 1000:
            return readings
    return {}


def _write_store(store: str | os.PathLike, readings: dict[str, list]) -> None:
    # Jobs that start at the same time each write a file of their own; the last one stays.
    partial = Path(f"{store}.{os.getpid()}")
    with contextlib.suppress(OSError):
        partial.parent.mkdir(exist_ok=True)
        partial.write_text(json.dumps(readings), encoding="utf-8")
        os.replace(partial, store)


@cache
def _digest_bytes(path: Path, changed: int) -> str:
    """Digest of all that decides the result of `_read_module`."""
    parts = [Path(__file__).read_bytes(), path.name.encode(), path.read_bytes()]
    return hashlib.sha256(b"\0".join(parts)).hexdigest()


def _read_module(path: Path) -> list:
    """Digest of one file's code, and the modules of ``facestages`` that it imports."""
    tree = ast.parse(path.read_bytes(), str(path))
    modules = sorted(set(_imported_modules(tree)))
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            _drop_docstring(node)
            # Python 3.12 adds this field; moving between versions changes no result.
            vars(node).pop("type_params", None)
    return [digest([path.name, ast.dump(tree)]), modules]


def _drop_docstring(node) -> None:
    first = node.body[0] if node.body else None
    if isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant):
        if isinstance(first.value.value, str):
            node.body = node.body[1:]


def _imported_modules(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module:
            # `from package import name`: the name may be a module of its own.
            names = [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
        else:
            continue
        yield from (name for name in names if name.split(".")[0] == PACKAGE.name)


@cache
def _module_files(name: str, package: Path) -> list[Path]:
    """The file of a module of ``facestages``, and those of the packages it lies in."""
    parts = name.split(".")[1:]
    paths = [package.joinpath(*parts[:depth]) for depth in range(len(parts) + 1)]
    files = [file for path in paths for file in (path / "__init__.py", path.with_suffix(".py"))]
    return [
        file
        for file in files
        if file.is_file() and _WITHOUT_RESULT.isdisjoint((file, *file.parents))
    ]


def digest_own_code(module: str, folder: str | os.PathLike) -> str:
    """Digest of a user's module and of all that it imports from `folder`, where the run starts.

    Of ``package.module``, every file of the package counts.
    """
    waiting, texts_of = [module.partition(".")[0]], {}
    while waiting:
        name = waiting.pop()
        if name not in texts_of:
            package = Path(folder, name)
            files = package.rglob("*.py") if package.is_dir() else [package.with_suffix(".py")]
            texts = [
                path.read_text(encoding="utf-8", errors="replace")
                for path in sorted(files)
                if path.is_file()
            ]
            texts_of[name] = texts
            for text in texts:
                waiting += re.findall(r"^\s*(?:from|import)\s+(\w+)", text, re.MULTILINE)
    return digest(sorted(texts_of.items()))


def digest_files(path: str | os.PathLike) -> str:
    """Digest of a file or of all files below a folder: names, sizes and times of change.

    The content is not read, so this is cheap for large face sets. A missing path has a digest too.
    Hidden files do not count. Linked folders count once each, so that circles of links end.
    """
    path = Path(path)
    return digest_stats(path, sorted(_files_below(path)) if path.is_dir() else [path])


def _files_below(folder: Path) -> Iterator[Path]:
    visited = set()
    for place, folders, names in os.walk(folder, followlinks=True):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        if os.path.realpath(place) in visited:
            folders.clear()
            continue
        visited.add(os.path.realpath(place))
        yield from (Path(place, name) for name in names if not name.startswith("."))


def digest_contents(paths: Sequence[str | os.PathLike]) -> str:
    """Digest of the bytes of files; what cannot be read counts as nothing."""
    digests = []
    for path in paths:
        content = b""
        with contextlib.suppress(OSError):
            content = Path(path).read_bytes()
        digests.append(hashlib.sha256(content).hexdigest())
    return digest(digests)


def digest_column(table: str | os.PathLike, column: str) -> str:
    """Digest of a column of a CSV table, as text."""
    return digest(_read_columns(table, ("path", column)))


def digest_listed_files(table: str | os.PathLike, folder: str | os.PathLike) -> str:
    """Digest of the pictures that a CSV table lists: their names, and the files as `digest_files`.

    Only the columns ``path`` and ``stimulus_id`` count.
    """
    listed = _read_columns(table, ("path", "stimulus_id"))
    files = [Path(folder, path) for path, _ in listed]
    return digest([listed, digest_stats(Path(folder), files)])


def _read_columns(table: str | os.PathLike, columns: Sequence[str]) -> list[list[str]]:
    try:
        with open(table, newline="", encoding="utf-8-sig") as stream:
            rows = csv.DictReader(stream, skipinitialspace=True)
            rows.fieldnames = [name.strip() for name in rows.fieldnames or ()]
            return [[(row.get(name) or "").strip() for name in columns] for row in rows]
    except (OSError, UnicodeDecodeError, csv.Error):
        return []  # the job that reads the table will say what is wrong with it


def digest_stats(folder: str | os.PathLike, files: Sequence[str | os.PathLike]) -> str:
    """Digest of files: names within a folder, sizes, times of change. Other paths do not count."""
    stats, start = [], os.path.join(folder, "")
    for file in map(str, files):
        with contextlib.suppress(OSError, ValueError):
            status = os.stat(file)
            if stat.S_ISREG(status.st_mode):
                # `relpath` alone would take most of the time of a large face set.
                inside = file.startswith(start) and "/." not in file and "//" not in file
                name = file[len(start) :] if inside else os.path.relpath(file, folder)
                stats.append((name, status.st_size, status.st_mtime_ns))
    return digest(stats)


def describe_versions(*packages: str) -> str:
    """Versions of Python and of some importable packages, as one line of text."""
    versions = [f"python {platform.python_version()}", f"facestages {__version__}"]
    versions += [f"{name} {importlib.import_module(name).__version__}" for name in packages]
    return ", ".join(versions)

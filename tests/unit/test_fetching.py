"""Fetching: unverified files are never used, and a file is downloaded once."""

import hashlib
import io
import re
import socket
import stat
import tarfile
import threading
import time
import zipfile
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import numpy as np
import pytest

from facestages import fetching
from facestages.fetching import fetch_asset
from refusals import refusal

CONTENT = bytes(range(256)) * 4096


class Server:
    """A web server on the loopback address that keeps a list of what it was asked."""

    def __init__(self, content, *, ranges=True, cut=(), status=None, pause=0.0):
        self.content, self.ranges, self.cut, self.status = content, ranges, list(cut), status
        self.pause = pause
        self.asked = []
        self.http = ThreadingHTTPServer(("127.0.0.1", 0), partial(_Handler, self))
        self.url = f"http://127.0.0.1:{self.http.server_port}/weights.bin"
        threading.Thread(target=self.http.serve_forever, args=(0.01,), daemon=True).start()

    def close(self):
        self.http.shutdown()
        self.http.server_close()


class _Handler(BaseHTTPRequestHandler):
    def __init__(self, server, *args):
        self.web = server
        super().__init__(*args)

    def log_message(self, *args):
        pass

    def do_GET(self):
        wanted = self.headers.get("Range")
        self.web.asked.append(wanted)
        if self.web.status:
            self.send_error(self.web.status)
            return
        start = int(re.search(r"\d+", wanted)[0]) if wanted and self.web.ranges else 0
        if start >= len(self.web.content):
            self.send_error(416)
            return
        body = self.web.content[start:]
        self.send_response(206 if start else 200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        end = self.web.cut.pop(0) if self.web.cut else len(body)
        for first in range(0, end, 1 << 16):
            self.wfile.write(body[first : min(first + (1 << 16), end)])
            time.sleep(self.web.pause)


@pytest.fixture
def serve(monkeypatch):
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    monkeypatch.setattr(fetching, "_FIRST_WAIT_S", 0.001)
    servers = []

    def start(*args, **options):
        servers.append(Server(*args, **options))
        return servers[-1]

    yield start
    for server in servers:
        server.close()


def entry_of(content, source, file="weights.bin", **more):
    sha256 = hashlib.sha256(content).hexdigest()
    fixed = {"description": "x", "licence": "MIT", "citation": "y", "file": file}
    return {**fixed, "source": source, "bytes": len(content), "sha256": sha256, **more}


def fetch(entry, tmp_path, **options):
    fetch_asset("thing", entry, tmp_path / "thing", tmp_path / "downloads", **options)
    return tmp_path / "thing"


def make_zip(path, members, link=None):
    with zipfile.ZipFile(path, "w") as archive:
        for name in members:
            archive.writestr(name, f"content of {name}")
        if link:
            info = zipfile.ZipInfo(link)
            info.external_attr = (stat.S_IFLNK | 0o777) << 16
            archive.writestr(info, "/etc/passwd")
    return path


# ------------------------------------------------------------------------------- web address


def test_a_file_is_fetched_once_and_then_used_offline(serve, tmp_path):
    server = serve(CONTENT)
    entry = entry_of(CONTENT, {"url": server.url})
    folder = fetch(entry, tmp_path)
    assert [item.name for item in folder.iterdir()] == ["weights.bin"]
    assert (folder / "weights.bin").read_bytes() == CONTENT
    server.close()
    (folder / "weights.bin").write_bytes(b"an old one")
    (folder / "left over").touch()
    fetch(entry, tmp_path)
    assert (folder / "weights.bin").read_bytes() == CONTENT
    assert [item.name for item in folder.iterdir()] == ["weights.bin"]
    assert server.asked == [None]
    assert sorted(item.name for item in tmp_path.iterdir()) == ["downloads", "thing"]


def test_a_cut_connection_is_taken_up_where_it_stopped(serve, tmp_path):
    server = serve(CONTENT, cut=[1000, 500])
    folder = fetch(entry_of(CONTENT, {"url": server.url}), tmp_path)
    assert (folder / "weights.bin").read_bytes() == CONTENT
    assert server.asked == [None, "bytes=1000-", "bytes=1500-"]


def test_a_server_without_ranges_sends_everything_again(serve, tmp_path):
    server = serve(CONTENT, ranges=False, cut=[1000])
    folder = fetch(entry_of(CONTENT, {"url": server.url}), tmp_path)
    assert (folder / "weights.bin").read_bytes() == CONTENT
    assert server.asked == [None, "bytes=1000-"]


def test_attempts_are_bounded_and_the_next_run_goes_on(serve, tmp_path):
    server = serve(CONTENT, cut=[10] * fetching._ATTEMPTS)
    entry = entry_of(CONTENT, {"url": server.url})
    message = refusal(fetch, entry, tmp_path)
    assert len(server.asked) == fetching._ATTEMPTS
    assert "'thing'" in message and server.url in message and "goes on at byte 50" in message
    assert not (tmp_path / "thing").exists()
    fetch(entry, tmp_path)
    assert server.asked[-1] == "bytes=50-"


def test_a_stale_part_that_is_too_long_is_fetched_anew(serve, tmp_path):
    (tmp_path / "downloads").mkdir()
    (tmp_path / "downloads" / ".partial-00000000-weights.bin").write_bytes(CONTENT + b"more")
    server = serve(CONTENT)
    fetch(entry_of(CONTENT, {"url": server.url}), tmp_path)
    assert server.asked == [None]


def test_two_fetches_at_the_same_time_do_not_mix(serve, tmp_path):
    """The one that began last gets the file, and goes on where the other one is."""
    server = serve(CONTENT, pause=0.05)
    entry = entry_of(CONTENT, {"url": server.url})
    with ThreadPoolExecutor() as pool:
        first = pool.submit(refusal, fetch, entry, tmp_path)
        while not server.asked:
            time.sleep(0.01)
        folder = fetch(entry, tmp_path)
        assert "weights.bin: another run has written it" in first.result()
    assert (folder / "weights.bin").read_bytes() == CONTENT
    assert [item.name for item in (tmp_path / "downloads").iterdir()] == ["weights.bin"]


def test_what_a_killed_fetch_left_is_removed(serve, tmp_path):
    server = serve(CONTENT)
    for left in ("downloads/.partial-0123abcd-weights.bin", ".partial-01234567-thing/a/b"):
        (tmp_path / left).mkdir(parents=True)
    fetch(entry_of(CONTENT, {"url": server.url}), tmp_path)
    assert names_in(tmp_path) == ["downloads/weights.bin", "thing/weights.bin"]
    assert sorted(item.name for item in tmp_path.iterdir()) == ["downloads", "thing"]


def test_wrong_bytes_are_set_aside_and_never_unpacked(serve, tmp_path):
    server = serve(b"X" * len(CONTENT))
    entry = entry_of(CONTENT, {"url": server.url})
    message = refusal(fetch, entry, tmp_path)
    sha256 = hashlib.sha256(server.content).hexdigest()
    assert f"expected sha256 {entry['sha256']}, found {sha256}" in message
    assert "weights.bin.refused" in message and "again" in message
    assert [item.name for item in (tmp_path / "downloads").iterdir()] == ["weights.bin.refused"]
    assert not (tmp_path / "thing").exists()


def test_a_page_of_another_length_is_not_even_fetched(serve, tmp_path):
    server = serve(b"<html>log in</html>")
    message = refusal(fetch, entry_of(CONTENT, {"url": server.url}), tmp_path)
    assert f"expected {len(CONTENT)} bytes, found 19" in message and "'bytes'" in message
    assert len(server.asked) == 1


def test_404_is_said_at_once_and_503_is_tried_again(serve, tmp_path):
    gone = serve(CONTENT, status=404)
    message = refusal(fetch, entry_of(CONTENT, {"url": gone.url}), tmp_path)
    assert "HTTP 404" in message and gone.url in message and "by hand" in message
    assert len(message.splitlines()) == 1 and len(gone.asked) == 1
    busy = serve(CONTENT, status=503)
    assert "HTTP 503" in refusal(fetch, entry_of(CONTENT, {"url": busy.url}), tmp_path)
    assert len(busy.asked) == fetching._ATTEMPTS


def test_416_begins_anew(serve, tmp_path):
    (tmp_path / "downloads").mkdir()
    (tmp_path / "downloads" / ".partial-00000000-weights.bin").write_bytes(CONTENT[:100])
    server = serve(CONTENT[:50])
    entry = entry_of(CONTENT, {"url": server.url})
    assert "expected 1048576 bytes, found 50" in refusal(fetch, entry, tmp_path)
    assert server.asked == ["bytes=100-", None]


def test_a_server_that_is_away(serve, tmp_path):
    server = serve(CONTENT)
    server.close()
    message = refusal(fetch, entry_of(CONTENT, {"url": server.url}), tmp_path)
    assert "Connection refused" in message and "Check the connection" in message


def test_a_slow_server_is_waited_for_as_long_as_it_sends(serve, tmp_path, monkeypatch):
    monkeypatch.setattr(fetching, "_TIMEOUT_S", 0.5)
    server = serve(CONTENT, pause=0.05)
    begin = time.monotonic()
    folder = fetch(entry_of(CONTENT, {"url": server.url}), tmp_path)
    assert time.monotonic() - begin > 0.5, "longer than the time limit of one answer"
    assert (folder / "weights.bin").read_bytes() == CONTENT
    assert server.asked == [None]


def test_a_file_that_comes_with_the_project(tmp_path, monkeypatch):
    monkeypatch.setattr(fetching, "RESOURCES", tmp_path)
    (tmp_path / "weights").mkdir()
    shipped = tmp_path / "weights" / "weights.bin"
    entry = entry_of(CONTENT, {"file": "weights/weights.bin"})
    assert "it is not there" in refusal(fetch, entry, tmp_path)
    shipped.write_bytes(CONTENT[:-1])
    message = refusal(fetch, entry, tmp_path)
    assert f"found {len(CONTENT) - 1}" in message and f"git checkout -- {shipped}" in message
    assert shipped.exists() and not (tmp_path / "thing").exists()
    shipped.write_bytes(CONTENT)
    assert (fetch(entry, tmp_path) / "weights.bin").read_bytes() == CONTENT
    assert not (tmp_path / "downloads").exists()


def test_a_server_that_says_nothing(tmp_path, monkeypatch):
    monkeypatch.setattr(fetching, "_TIMEOUT_S", 0.02)
    monkeypatch.setattr(fetching, "_FIRST_WAIT_S", 0.001)
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}/weights.bin"
        message = refusal(fetch, entry_of(CONTENT, {"url": url}), tmp_path)
    assert "no answer within 0.02 s" in message


# ------------------------------------------------------------------------------- what is there


def test_a_kept_file_with_the_wrong_hash_is_set_aside(tmp_path):
    (tmp_path / "downloads").mkdir()
    (tmp_path / "downloads" / "weights.bin").write_bytes(CONTENT[:-1] + b"?")
    message = refusal(fetch, entry_of(CONTENT, {"pip": "a==1"}), tmp_path)
    assert "expected sha256" in message and "set aside" in message
    assert [item.name for item in (tmp_path / "downloads").iterdir()] == ["weights.bin.refused"]


def test_a_local_file_is_verified_and_left_where_it_is(tmp_path):
    copy = tmp_path / "own.bin"
    copy.write_bytes(CONTENT)
    entry = entry_of(CONTENT, {"url": "http://127.0.0.1:9/weights.bin"})
    folder = fetch(entry, tmp_path, local=copy)
    assert [item.name for item in folder.iterdir()] == ["weights.bin"]
    copy.write_bytes(b"short")
    message = refusal(fetch, entry, tmp_path, local=copy)
    assert str(copy) in message and f"expected {len(CONTENT)} bytes, found 5" in message
    assert copy.exists()
    missing = refusal(fetch, entry, tmp_path, local=tmp_path / "none")
    assert "does not exist" in missing and "config" in missing


# ------------------------------------------------------------------------------- unpacking


def zip_entry(path, members):
    return entry_of(path.read_bytes(), {"pip": "a==1"}, file="a.zip", members=members)


def names_in(folder):
    return sorted(f.relative_to(folder).as_posix() for f in folder.rglob("*") if f.is_file())


def test_only_the_listed_members_are_unpacked(tmp_path):
    path = make_zip(tmp_path / "a.zip", ["d/a.txt", "d/b.txt", "d/e/c.txt", "d/x[1].py", "top.txt"])
    folder = fetch(zip_entry(path, ["d/*.txt", "d/x[1].py"]), tmp_path, local=path)
    assert names_in(folder) == ["d/a.txt", "d/b.txt", "d/x[1].py"]
    assert (folder / "d/a.txt").read_text() == "content of d/a.txt"


def test_a_member_that_is_not_there_is_named(tmp_path):
    path = make_zip(tmp_path / "a.zip", ["d/a.txt"])
    message = refusal(fetch, zip_entry(path, ["d/a.txt", "d/*.obj"]), tmp_path, local=path)
    assert "a.zip holds no 'd/*.obj'" in message and "manifest" in message
    assert not (tmp_path / "thing").exists()


@pytest.mark.parametrize("name", ["../evil.txt", "d/../../evil.txt", "/evil.txt", "d\\..\\evil"])
def test_members_cannot_escape(tmp_path, name):
    path = make_zip(tmp_path / "a.zip", ["d/a.txt", name])
    globs = ["d/a.txt", "/".join("*" for _ in name.split("/"))]
    message = refusal(fetch, zip_entry(path, globs), tmp_path, local=path)
    assert name in message and "outside" in message
    assert names_in(tmp_path) == ["a.zip"]


def test_a_link_is_not_unpacked(tmp_path):
    path = make_zip(tmp_path / "a.zip", ["d/a.txt"], link="d/link.txt")
    message = refusal(fetch, zip_entry(path, ["d/*.txt"]), tmp_path, local=path)
    assert "d/link.txt" in message
    assert names_in(tmp_path) == ["a.zip"]


def test_what_is_no_zip_cannot_have_members(tmp_path):
    path = tmp_path / "a.zip"
    path.write_bytes(b"not a zip file")
    message = refusal(fetch, zip_entry(path, ["a"]), tmp_path, local=path)
    assert "cannot be unpacked" in message and str(path) in message


@pytest.mark.parametrize("method", [zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_broken_compressed_data_are_named(tmp_path, method):
    path = tmp_path / "a.zip"
    with zipfile.ZipFile(path, "w", method) as archive:
        archive.writestr("a.txt", np.random.default_rng(0).bytes(5000).hex())
    whole = path.read_bytes()
    for start in range(45, 200, 5):
        path.write_bytes(whole[:start] + bytes(5) + whole[start + 5 :])
        message = refusal(fetch, zip_entry(path, ["a.txt"]), tmp_path, local=path)
        assert "asset 'thing'" in message and len(message.splitlines()) == 1
    assert names_in(tmp_path) == ["a.zip"]


def test_a_failed_unpacking_leaves_the_old_folder(tmp_path):
    path = make_zip(tmp_path / "a.zip", ["a.txt"])
    folder = fetch(zip_entry(path, ["a.txt"]), tmp_path, local=path)
    refusal(fetch, zip_entry(path, ["b.txt"]), tmp_path, local=path)
    assert names_in(folder) == ["a.txt"]


# ------------------------------------------------------------------------------- package index


def make_wheel(folder, name="tiny"):
    folder.mkdir()
    path = folder / f"{name}-1.0-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(f"{name}/data.txt", "data")
        about = f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n"
        archive.writestr(f"{name}-1.0.dist-info/METADATA", about)
        archive.writestr(f"{name}-1.0.dist-info/WHEEL", "Wheel-Version: 1.0\nTag: py3-none-any\n")
        archive.writestr(f"{name}-1.0.dist-info/RECORD", "")
    return path


def test_pip_fetches_a_wheel_and_its_complaint_is_passed_on(tmp_path, monkeypatch):
    wheel = make_wheel(tmp_path / "wheels")
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(wheel.parent))
    entry = entry_of(wheel.read_bytes(), {"pip": "tiny==1.0"}, wheel.name, members=["tiny/*.txt"])
    folder = fetch(entry, tmp_path)
    assert names_in(folder) == ["tiny/data.txt"]
    assert [item.name for item in (tmp_path / "downloads").iterdir()] == [wheel.name]
    absent = entry | {"source": {"pip": "absent==1.0"}, "file": "absent-1.0-py3-none-any.whl"}
    message = refusal(fetch, absent, tmp_path)
    assert "absent==1.0" in message and "No matching distribution" in message
    assert "by hand" in message and str(tmp_path / "downloads") in message


def test_without_pip_the_way_out_is_named(tmp_path, monkeypatch):
    monkeypatch.setattr(fetching.importlib.util, "find_spec", lambda name: None)
    message = refusal(fetch, entry_of(b"x", {"pip": "tiny==1.0"}, "tiny.whl"), tmp_path)
    assert "no pip" in message and "tiny.whl by hand" in message


def make_tgz(path, members, link=None):
    with tarfile.open(path, "w:gz") as archive:
        for name in members:
            info = tarfile.TarInfo(name)
            content = f"content of {name}".encode()
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
        if link:
            info = tarfile.TarInfo(link)
            info.type, info.linkname = tarfile.SYMTYPE, "/etc/passwd"
            archive.addfile(info)
    return path


def npm_entry(path, members):
    source = {"npm": "@some/thing@1.0.0"}
    return entry_of(path.read_bytes(), source, file="some-thing-1.0.0.tgz", members=members)


def test_npm_packs_a_package_of_which_members_are_taken(tmp_path, monkeypatch):
    packed = make_tgz(tmp_path / "packed", ["package/a.bin", "package/b.js"])
    npm = tmp_path / "bin" / "npm"
    npm.parent.mkdir()
    npm.write_text(
        "#!/bin/sh\n"
        '[ "$1 $2 $3" = "pack @some/thing@1.0.0 --ignore-scripts" ] || exit 9\n'
        f'cp {packed} "$5/some-thing-1.0.0.tgz"\n'
    )
    npm.chmod(0o755)
    monkeypatch.setenv("PATH", str(npm.parent), prepend=":")
    folder = fetch(npm_entry(packed, ["package/*.bin"]), tmp_path)
    assert names_in(folder) == ["package/a.bin"]
    assert (folder / "package/a.bin").read_text() == "content of package/a.bin"

    npm.write_text("#!/bin/sh\necho npm error 404 Not Found >&2\nexit 1\n")
    (tmp_path / "downloads" / "some-thing-1.0.0.tgz").unlink()
    message = refusal(fetch, npm_entry(packed, ["package/*.bin"]), tmp_path)
    assert "@some/thing@1.0.0 with npm: npm error 404" in message and "by hand" in message


def test_without_npm_the_way_out_is_named(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    packed = make_tgz(tmp_path / "packed", ["package/a.bin"])
    message = refusal(fetch, npm_entry(packed, ["package/a.bin"]), tmp_path)
    assert "npm is not installed" in message and "some-thing-1.0.0.tgz by hand" in message


@pytest.mark.parametrize("name", ["../evil.txt", "package/link.txt"])
def test_a_package_s_members_cannot_escape(tmp_path, name):
    link = name if "link" in name else None
    path = make_tgz(tmp_path / "a.tgz", ["package/a.txt", *([] if link else [name])], link=link)
    entry = npm_entry(path, ["package/a.txt", "*/*.txt"])
    message = refusal(fetch, entry | {"file": "a.tgz"}, tmp_path, local=path)
    assert name in message and "outside" in message
    assert names_in(tmp_path) == ["a.tgz"]


def test_a_full_disk_is_said_before_the_download(tmp_path):
    entry = entry_of(b"x", {"url": "http://127.0.0.1:9/x"}) | {"bytes": 10**18}
    message = refusal(fetch, entry, tmp_path)
    assert "'thing'" in message and "Free some space" in message

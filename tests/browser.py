"""A page in a headless Chromium, spoken to through its DevTools pipe; needs no package."""

from __future__ import annotations

import base64
import contextlib
import fcntl
import json
import os
import select
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from workflow_runner import REPOSITORY

_NAMES = ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome")

#: The program, or None where there is none.
CHROMIUM = next(filter(None, map(shutil.which, _NAMES)), None)

# Root, as in a container, has no sandbox; the page is our own.
_OPTIONS = ("--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage")
_OPTIONS += ("--disable-background-networking", "--no-first-run", "--remote-debugging-pipe")

_SIZE = {"width": 1600, "height": 1000, "deviceScaleFactor": 1, "mobile": False}

_SECONDS = 60  # for one answer


class Page:
    """An open page: run JavaScript in it, and see what went wrong.

    Attributes
    ----------
    errors : list of str
        Errors of the console, exceptions that nothing caught, and what could not be loaded.
    requests : list of str
        Addresses outside the file that the page asked for.
    """

    def __init__(self, process: subprocess.Popen, commands: int, answers: int) -> None:
        self.errors: list[str] = []
        self.requests: list[str] = []
        self._process, self._commands, self._answers = process, commands, answers
        self._buffer, self._count = b"", 0
        self._session: str | None = None
        self._loaded = False

    def open(self, path: Path) -> None:
        """Open a file, and wait until it has loaded."""
        target = self._call("Target.createTarget", url="about:blank")["targetId"]
        found = self._call("Target.attachToTarget", targetId=target, flatten=True)
        self._session = found["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network"):
            self._call(f"{domain}.enable")
        self._call("Emulation.setDeviceMetricsOverride", **_SIZE)
        self._loaded = False
        self._call("Page.navigate", url=path.resolve().as_uri())
        self._listen(lambda _: self._loaded)

    def evaluate(self, script: str) -> Any:
        """Value of a JavaScript expression; of a promise, what it comes to."""
        found = self._call(
            "Runtime.evaluate", expression=script, awaitPromise=True, returnByValue=True
        )
        if "exceptionDetails" in found:
            raise RuntimeError(f"{script}: {_describe(found['exceptionDetails'])}")
        return found["result"].get("value")

    def wait(self, script: str, seconds: float = 10) -> Any:
        """First value of a JavaScript expression that counts as true."""
        end = time.monotonic() + seconds
        while not (value := self.evaluate(script)):
            if time.monotonic() > end:
                raise TimeoutError(f"not in {seconds} s: {script}; errors: {self.errors}")
            time.sleep(0.02)
        return value

    def frame_text(self) -> str:
        """Text of the page within the page; empty while it loads."""
        frames = self._call("Page.getFrameTree")["frameTree"].get("childFrames", [])
        if not frames:
            return ""
        world = self._call("Page.createIsolatedWorld", frameId=frames[0]["frame"]["id"])
        found = self._call(
            "Runtime.evaluate",
            expression="document.body ? document.body.innerText : ''",
            contextId=world["executionContextId"],
        )
        return found["result"].get("value", "")

    def resize(self, width: int, *, mobile: bool = False) -> None:
        """Give the window a width, or that of a phone."""
        size = {**_SIZE, "width": width, "mobile": mobile}
        self._call("Emulation.setDeviceMetricsOverride", **size)

    def press(self, key: str) -> None:
        """Press a key that writes nothing, such as ``Tab`` or ``Enter``."""
        code = {"Tab": 9, "Enter": 13}[key]
        for kind in ("rawKeyDown", "keyUp"):
            self._call(
                "Input.dispatchKeyEvent", type=kind, key=key, code=key, windowsVirtualKeyCode=code
            )

    def print_pdf(self) -> bytes:
        """The page as it is printed."""
        printed = self._call("Page.printToPDF", printBackground=True, preferCSSPageSize=True)
        return base64.b64decode(printed["data"])

    def screenshot(self, path: Path) -> None:
        """Write what is to be seen as PNG."""
        path.write_bytes(base64.b64decode(self._call("Page.captureScreenshot")["data"]))

    def _call(self, method: str, **params: Any) -> dict:
        self._count += 1
        message: dict[str, Any] = {"id": self._count, "method": method, "params": params}
        if self._session:
            message["sessionId"] = self._session
        os.write(self._commands, json.dumps(message).encode() + b"\0")
        answer = self._listen(lambda message: message.get("id") == self._count)
        if "error" in answer:
            raise RuntimeError(f"{method}: {answer['error']['message']}")
        return answer["result"]

    def _listen(self, is_last: Callable[[dict], bool]) -> dict:
        """Take messages, until one is the last."""
        while True:
            message = self._receive()
            if "method" in message:
                self._note(message["method"], message["params"])
            if is_last(message):
                return message

    def _receive(self) -> dict:
        while b"\0" not in self._buffer:
            if not select.select([self._answers], [], [], _SECONDS)[0]:
                raise TimeoutError(f"no answer from {CHROMIUM} in {_SECONDS} s")
            chunk = os.read(self._answers, 1 << 16)
            if not chunk:
                raise RuntimeError(f"{CHROMIUM} ended with status {self._process.wait()}")
            self._buffer += chunk
        text, _, self._buffer = self._buffer.partition(b"\0")
        return json.loads(text)

    def _note(self, event: str, params: dict) -> None:
        if event == "Page.loadEventFired":
            self._loaded = True
        elif event == "Runtime.exceptionThrown":
            self.errors.append(_describe(params["exceptionDetails"]))
        elif event == "Runtime.consoleAPICalled" and params["type"] in ("error", "assert"):
            words = [str(item.get("value", item.get("description"))) for item in params["args"]]
            self.errors.append(" ".join(words))
        elif event == "Log.entryAdded" and params["entry"]["level"] == "error":
            self.errors.append(params["entry"]["text"])
        elif event == "Network.loadingFailed" and not params.get("canceled"):
            self.errors.append(f"{params['type']}: {params['errorText']}")
        elif event == "Network.requestWillBeSent":
            address = params["request"]["url"]
            if not address.startswith(("data:", "blob:", "file:", "about:")):
                self.requests.append(address)


def _describe(details: dict) -> str:
    return details.get("exception", {}).get("description") or details["text"]


def find_violations(page: Page) -> list[tuple[str, list[str]]]:
    """What axe-core finds that keeps people from using a page: a rule, and the elements."""
    axe = REPOSITORY / "resources" / "assets" / "axe" / "package" / "axe.min.js"
    if not axe.exists() and "CI" not in os.environ:
        pytest.skip("no axe: snakemake --cores 1 resources/assets/axe")
    # A page may let no other script in.
    page._call("Page.setBypassCSP", enabled=True)
    page.evaluate(axe.read_text() + "; 1")
    found = page.evaluate("axe.run().then((all) => all.violations)")
    return [(one["id"], [node["html"] for node in one["nodes"]]) for one in found]


@contextlib.contextmanager
def open_page(path: Path, folder: Path) -> Iterator[Page]:
    """Open a file in Chromium, which keeps its own files in a folder; end it afterwards."""
    their_end, commands = os.pipe()
    answers, our_end = os.pipe()
    # Away from 3 and 4, which Chromium takes commands from and writes answers to.
    given = [fcntl.fcntl(end, fcntl.F_DUPFD, 10) for end in (their_end, our_end)]
    process = subprocess.Popen(
        ["bash", "-c", f'exec "$0" "$@" 3<&{given[0]} 4>&{given[1]}', CHROMIUM, *_OPTIONS]
        + [f"--user-data-dir={folder}"],
        pass_fds=given,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    for end in (their_end, our_end, *given):
        os.close(end)
    try:
        page = Page(process, commands, answers)
        page.open(path)
        yield page
    finally:
        os.close(commands)
        os.close(answers)
        process.terminate()
        process.wait()

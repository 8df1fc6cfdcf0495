"""A real server and a real browser: how tests, benchmarks and screenshots start both and watch what they do."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, Playwright, Request

ROOT = Path(__file__).parents[2]
APP = (sys.executable, "app.py")
CHROMIUM = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
"""What the browser may be called; the first of these that is on the path is used."""
FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",  # whatever would leave this machine gets nowhere
)
START_WITHIN = 120
"""Seconds in which a server must answer, with room for a machine that is busy."""


def chromium_path() -> str:
    """The path of a Chromium. Raises FileNotFoundError with what to do where there is none."""
    found = next(filter(None, map(shutil.which, CHROMIUM)), None)
    if found is None:
        raise FileNotFoundError(
            f"There is no Chromium on the path (looked for {', '.join(CHROMIUM)}), and the page cannot be checked "
            "without one: run `make browser`, or install Chromium."
        )
    return found


def start_browser(playwright: Playwright) -> Browser:
    """A headless Chromium. Raises FileNotFoundError where there is none."""
    return playwright.chromium.launch(executable_path=chromium_path(), args=list(FLAGS))


@dataclass(frozen=True)
class Server:
    """The app in a process of its own; address ends in a slash."""

    address: str
    process: subprocess.Popen[bytes]
    log: Path

    def cpu_seconds(self) -> float:
        """The processor time that the process has used so far (Linux only)."""
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")  # utime and stime, proc(5)


@contextmanager
def serve(command: Sequence[str] = APP, folder: Path = ROOT) -> Iterator[Server]:
    """A command that serves the page, run in a folder with a free --port, from when it answers to the block's end."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    environment = os.environ | {"GRADIO_IS_E2E_TEST": "1", "PYTHONUNBUFFERED": "1"}
    with tempfile.TemporaryDirectory() as kept:
        log = Path(kept) / "server.log"
        with log.open("wb") as output:
            asked = [*command, "--port", str(port)]
            process = subprocess.Popen(asked, cwd=folder, env=environment, stdout=output, stderr=subprocess.STDOUT)
        server = Server(f"http://127.0.0.1:{port}/", process, log)
        try:
            _await_answer(server)
            yield server
            if process.poll() is not None:
                wrote = log.read_text(errors="replace")
                raise RuntimeError(f"The server ended by itself, with status {process.returncode}. It wrote:\n{wrote}")
        finally:
            process.terminate()
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def _await_answer(server: Server) -> None:
    """Returns once the page is served. Raises RuntimeError with what the server wrote if that does not come."""
    until = time.monotonic() + START_WITHIN
    while time.monotonic() < until and server.process.poll() is None:
        try:
            with urllib.request.urlopen(server.address, timeout=10) as answer:
                answer.read()
            return
        except (urllib.error.URLError, OSError):
            time.sleep(0.02)
    raise RuntimeError(f"The server does not answer. It wrote:\n{server.log.read_text(errors='replace')}")


class Visitor:
    """Somebody with a browser profile of their own: one page, and what went wrong on it.

    faults: console errors, page errors, and requests that leave the origin of `address`, which nothing may do.
    requests: what the page and its workers have asked for so far, as "METHOD url".
    script: JavaScript that runs on the page before its own. options: of Playwright's context.
    """

    def __init__(self, browser: Browser, address: str, path: str = "", script: str = "", **options: Any) -> None:
        self._own = (address, address.replace("http://", "ws://"), "data:", "blob:")
        self.faults: list[str] = []
        self.requests: list[str] = []
        self.context: BrowserContext = browser.new_context(**{"viewport": {"width": 1280, "height": 900}} | options)
        self.page: Page = self.context.new_page()
        self.context.on("console", self._hear)
        self.context.on("weberror", lambda error: self.faults.append(f"page error: {error.error}"))
        self.context.on("request", self._note)
        self.page.on("websocket", lambda socket: self._check(socket.url))
        if script:
            self.page.add_init_script(script)
        self.page.goto(address + path)

    def close(self) -> None:
        """Closes the page as a person would, who leaves."""
        self.context.close()

    def _hear(self, message: ConsoleMessage) -> None:
        if message.type == "error":
            self.faults.append(f"console: {message.text}")

    def _note(self, request: Request) -> None:
        self.requests.append(f"{request.method} {request.url}")
        self._check(request.url)

    def _check(self, url: str) -> None:
        if not url.startswith(self._own):
            self.faults.append(f"a request left the server: {url}")

"""A real browser without a screen, spoken to over its DevTools protocol on loopback.

It is that of `tests/chromium.py`.
"""

import asyncio
import base64
import contextlib
import json
import os
import shutil
import signal
import subprocess
import tempfile
import urllib.request
from pathlib import Path

import pytest
from chromium import program
from tornado.websocket import websocket_connect
from two_processes import wait_until

_SECONDS = 60
_MOST_BYTES = 64_000_000
_OPTIONS = (
    *("--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"),
    *("--remote-debugging-port=0", "--no-first-run", "--disable-background-networking"),
)


class Seen:
    """A page as a browser has it: what it asked for, what it said, what a reader is told."""

    def __init__(self, requested, complaints, tree, measured, screenshot, printed):
        self.requested, self.complaints = requested, complaints
        self.measured, self.screenshot, self.printed = measured, screenshot, printed
        self._tree = tree

    def told(self, role):
        """Return the names of all nodes of a role in the accessibility tree."""
        return [
            node.get("name", {}).get("value", "")
            for node in self._tree
            if not node.get("ignored") and node.get("role", {}).get("value") == role
        ]


class Browser:
    """A running browser with a profile of its own."""

    def __init__(self, port):
        self._port = port

    def open(self, path, measure, *, width=1060, height=1400):
        """Open a file and return what there is to see; `measure` is evaluated in the page."""
        return asyncio.run(asyncio.wait_for(self._open(path, measure, width, height), _SECONDS))

    async def _open(self, path, measure, width, height):
        with urllib.request.urlopen(f"http://127.0.0.1:{self._port}/json/list") as answer:
            pages = [one for one in json.load(answer) if one["type"] == "page"]
        address = pages[0]["webSocketDebuggerUrl"]
        speaker = _Speaker(await websocket_connect(address, max_message_size=_MOST_BYTES))
        for domain in ("Page", "Network", "Log", "Runtime", "Accessibility"):
            await speaker.call(f"{domain}.enable")
        size = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": False}
        await speaker.call("Emulation.setDeviceMetricsOverride", **size)
        await speaker.call("Page.navigate", url=path.as_uri())
        await speaker.until("Page.loadEventFired")
        evaluated = await speaker.call(
            "Runtime.evaluate", expression=measure, returnByValue=True, awaitPromise=True
        )
        tree = await speaker.call("Accessibility.getFullAXTree")
        shot = await speaker.call("Page.captureScreenshot", captureBeyondViewport=True)
        printed = await speaker.call("Page.printToPDF")
        events = speaker.events
        return Seen(
            [
                one["params"]["request"]["url"]
                for one in events
                if one["method"] == "Network.requestWillBeSent"
            ],
            [
                one
                for one in events
                if one["method"] in ("Log.entryAdded", "Runtime.exceptionThrown")
            ],
            tree["nodes"],
            evaluated["result"]["value"],
            base64.b64decode(shot["data"]),
            base64.b64decode(printed["data"]),
        )


class _Speaker:
    """Calls, and the events that come between them."""

    def __init__(self, connection):
        self._connection, self._number, self.events = connection, 0, []

    async def call(self, method, **parameters):
        self._number += 1
        asked = {"id": self._number, "method": method, "params": parameters}
        await self._connection.write_message(json.dumps(asked))
        while True:
            said = await self._next()
            if said.get("id") == self._number:
                assert "error" not in said, said
                return said["result"]

    async def until(self, method):
        while all(one["method"] != method for one in self.events):
            await self._next()

    async def _next(self):
        said = json.loads(await self._connection.read_message())
        if "method" in said:
            self.events.append(said)
        return said


@pytest.fixture(scope="session")
def browser():
    """Yield a running `Browser`, or skip."""
    path = program()
    profile = Path(tempfile.mkdtemp(prefix="cg-browser-"))
    with (profile / "said").open("wb") as said:
        process = subprocess.Popen(
            [path, *_OPTIONS, f"--user-data-dir={profile}", "about:blank"],
            stdin=subprocess.DEVNULL,
            stdout=said,
            stderr=said,
            start_new_session=True,  # all of its processes end together
        )
    try:
        port = profile / "DevToolsActivePort"
        wait_until(lambda: port.exists() and port.read_text().count("\n"), _SECONDS, 0.05)
        yield Browser(int(port.read_text().splitlines()[0]))
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait(_SECONDS)
        shutil.rmtree(profile, ignore_errors=True)

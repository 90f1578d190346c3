"""What `entrepot serve` says once the hub answers."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import threading
import time
import urllib.request
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING

import pytest
import structlog.testing

from entrepot import serve
from entrepot.settings import Settings
from tests.running import free_port

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from pathlib import Path


class _Healthy(BaseHTTPRequestHandler):
    """Answers every question with 200."""

    def do_GET(self) -> None:
        self.send_response(200)
        self.end_headers()

    def log_message(self, *_said: object) -> None:
        """Keep quiet."""


@pytest.mark.parametrize(("host", "let_in"), [("127.0.0.1", True), ("0.0.0.0", False)])
def test_the_demo_password_is_told_only_where_it_counts(host: str, let_in: bool) -> None:
    """A hub that others can reach does not let the demonstration's account in, and does not name it."""
    with ThreadingHTTPServer(("127.0.0.1", 0), _Healthy) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        said: list[str] = []
        serve._greet(Settings(demo=True, host=host, port=server.server_port), said.append)
        server.shutdown()
    assert "loopback" in said[1] if not let_in else "entrepot-demo" in said[1]
    assert f":{server.server_port}" in said[0]


def test_ctrl_c_is_no_child_s_death(database_url: str, tmp_path: Path) -> None:
    """Ctrl-C reaches the children too: they end when they are told, and nobody calls it an error."""
    port, log = free_port(), tmp_path / "log"
    words = ("serve", "--data", str(tmp_path), "--port", str(port))
    with log.open("wb") as said:
        process = subprocess.Popen(
            [sys.executable, "-m", "entrepot", *words],
            env={**os.environ, "ENTREPOT_DATABASE_URL": database_url},
            stdout=said,
            stderr=said,
            start_new_session=True,
        )
    deadline = time.monotonic() + 60
    while b"is ready" not in log.read_bytes():
        assert process.poll() is None
        assert time.monotonic() < deadline, log.read_text()
        time.sleep(0.05)
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/readyz", timeout=10) as reply:
        assert reply.status == 200
    os.killpg(process.pid, signal.SIGINT)
    assert process.wait(60) == 0
    assert "child_died" not in log.read_text()


def _begun(work: Callable[[asyncio.Event], Awaitable[object]], sign: Path) -> serve.Child:
    """Start a child that does ``work``; it listens to signals from when ``sign`` is there."""

    async def done(_settings: Settings, stop: asyncio.Event) -> None:
        sign.touch()
        await work(stop)

    child = serve.Child("worker", Settings(), done)
    child.start()
    deadline = time.monotonic() + 30
    while not sign.exists():
        assert time.monotonic() < deadline
        time.sleep(0.01)
    return child


def test_a_child_that_ended_when_told_is_not_said_to_have_been_killed(tmp_path: Path) -> None:
    """Its watcher learns of its end, and the hub asks for it, at one moment."""
    with structlog.testing.capture_logs() as said:
        for turn in range(10):
            _begun(asyncio.Event.wait, tmp_path / f"{turn}").stop(30)
    assert said == []


def test_a_child_that_does_not_end_is_killed_and_named(tmp_path: Path) -> None:
    """A hub that is told to end ends."""
    child = _begun(lambda _stop: asyncio.sleep(60), tmp_path / "begun")
    with structlog.testing.capture_logs() as said:
        child.stop(0.2)
    assert [(one["event"], one["child"]) for one in said] == [("serve.child_killed", "worker")]


def test_a_hub_of_one_s_own_tells_how_a_lost_password_is_made_anew() -> None:
    """The one-time password of a first start scrolls away; the last line says what then."""
    with ThreadingHTTPServer(("127.0.0.1", 0), _Healthy) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        said: list[str] = []
        serve._greet(Settings(port=server.server_port), said.append)
        server.shutdown()
    assert said[-1].endswith("entrepot people password admin")

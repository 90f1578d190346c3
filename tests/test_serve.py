"""What `entrepot serve` says once the hub answers."""

from __future__ import annotations

import json
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

from entrepot import serve
from entrepot.settings import Settings
from tests.running import free_port

if TYPE_CHECKING:
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


def _said(*words: str) -> object:
    """Return what ending children logged, as (event, child)."""
    command = [sys.executable, "-m", "tests.children", *words]
    done = subprocess.run(command, capture_output=True, timeout=120, check=True)
    return json.loads(done.stdout)


def test_a_child_that_ended_when_told_is_not_said_to_have_been_killed(tmp_path: Path) -> None:
    """Its watcher learns of its end, and the hub asks for it, at one moment."""
    assert _said(str(tmp_path), "10", "30") == []


def test_a_child_that_does_not_end_is_killed_and_named(tmp_path: Path) -> None:
    """A hub that is told to end ends."""
    assert _said(str(tmp_path), "1", "0.2", "deaf") == [["serve.child_killed", "worker"]]


def test_a_hub_of_one_s_own_tells_how_a_lost_password_is_made_anew() -> None:
    """The one-time password of a first start scrolls away; the last line says what then."""
    with ThreadingHTTPServer(("127.0.0.1", 0), _Healthy) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        said: list[str] = []
        serve._greet(Settings(port=server.server_port), said.append)
        server.shutdown()
    assert said[-1].endswith("entrepot people password admin")

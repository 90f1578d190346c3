"""What `entrepot serve` says once the hub answers."""

from __future__ import annotations

import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from entrepot import serve
from entrepot.settings import Settings


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

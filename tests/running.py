"""The hub as partners meet it: server processes on a real port."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from typing import TYPE_CHECKING

import psycopg
from msgspec import Struct

from entrepot.hub import Hub
from entrepot.settings import Settings
from tests import conftest

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator
    from pathlib import Path
    from typing import TypeVar

    from entrepot.connections.rules import Connection

    T = TypeVar("T")

READY_WITHIN = 60.0


class Running(Struct, frozen=True, kw_only=True):
    """A serving hub. ``pid`` is that of its first process."""

    url: str
    settings: Settings
    pid: int

    async def do(self, work: Callable[[Hub], Awaitable[T]]) -> T:
        """Run ``work(hub)`` beside the server, as a command would."""
        async with await Hub.open(self.settings, size=4) as hub:
            return await work(hub)

    async def connections(self) -> list[Connection]:
        """Return every connection of every tenant."""
        async with await Hub.open(self.settings, size=4) as hub:
            return list(hub.registry)

    def wait_until_known(self, base_url: str) -> None:
        """Wait until every process has heard of a connection made just now; it takes milliseconds."""
        deadline, row = time.monotonic() + READY_WITHIN, 0
        while row < 20:  # as many new sockets as make it likely that each process took one
            assert time.monotonic() < deadline, f"{base_url} stays unknown"
            try:
                urllib.request.urlopen(f"{base_url}/nowhere", timeout=5).close()
            except urllib.error.HTTPError as error:
                with error:
                    row = row + 1 if error.read() else 0

    def base_url(self, connection: Connection) -> str:
        """Return what the partner of a connection calls."""
        return f"{self.url}/c/{connection.generations[0].key}"


@contextlib.contextmanager
def hub(
    data: Path,
    database_url: str,
    *options: str,
    **environment: str,
) -> Iterator[Running]:
    """Serve on a free port until the end of the block; SIGTERM must then end it well."""
    port = free_port()
    environment = {**os.environ, "ENTREPOT_DATABASE_URL": database_url, **environment}
    command = [sys.executable, "-m", "entrepot", "serve", "--data", str(data), "--port", str(port)]
    with (data / "serve.log").open("ab") as log:
        process = subprocess.Popen([*command, *options], env=environment, stderr=log, stdout=log)
    settings = Settings(data=data, database_url=database_url, port=port)
    url = f"http://127.0.0.1:{port}"
    try:
        until_ready(f"{url}/healthz", process, data / "serve.log")
        yield Running(url=url, settings=settings, pid=process.pid)
    finally:
        process.send_signal(signal.SIGTERM)
        code = process.wait(60)
    assert code == 0, (data / "serve.log").read_text()[-5000:]


@contextlib.contextmanager
def demo(server_url: str, template: str, *options: str, **environment: str) -> Iterator[Running]:
    """Serve the demonstration from two web processes on a database of its own."""
    database = contextlib.contextmanager(conftest._database)
    how = f"TEMPLATE {template} STRATEGY FILE_COPY"
    with conftest.short_directory() as data, database(server_url, how) as url:
        options = ("--demo", "--role", "web", "--workers", "2", *options)
        with hub(data, url, *options, **environment) as serving:
            yield serving


def aim(url: str) -> bytes | None:
    """Return by what the courier knows the address that the demonstration's mini-program is called at.

    Until it becomes another after a change, the courier calls the old address.
    """
    with psycopg.connect(url) as one:
        found = one.execute(
            "SELECT reach FROM courier_state s"
            " JOIN connection c ON c.tenant_id = s.tenant_id AND c.id = s.connection_id"
            " JOIN tenant t ON t.tenant_id = c.tenant_id WHERE t.name = 'demo' AND c.name = 'goldshop'"
        ).fetchone()
    return found[0] if found else None


def free_port() -> int:
    """Return a port that nobody listens on at this moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def until_ready(
    url: str, process: subprocess.Popen[bytes], log: Path, within: float = READY_WITHIN
) -> None:
    """Wait until ``url`` answers 200; fails with the end of the log when the process ends or time does."""
    deadline = time.monotonic() + within
    while time.monotonic() < deadline:
        assert process.poll() is None, log.read_text()[-5000:]
        with contextlib.suppress(OSError), urllib.request.urlopen(url, timeout=5) as reply:
            if reply.status == 200:
                return
        time.sleep(0.05)
    raise AssertionError(f"{url} is not ready: {log.read_text()[-5000:]}")

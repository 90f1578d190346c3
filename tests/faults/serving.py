"""A hub with its own embedded database that can be killed and started again."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import msgspec

from tests.running import free_port, until_ready

READY_WITHIN = 90.0


class Hub:
    """``entrepot serve --demo`` on a directory; use ``stop`` or ``kill`` and ``start`` at will."""

    def __init__(self, data: Path, *options: str) -> None:
        self.data = data
        self.options = options
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start the processes and wait until they answer."""
        command = [sys.executable, "-m", "entrepot", "serve", "--demo", "--port", str(self.port)]
        environment = {k: v for k, v in os.environ.items() if k != "ENTREPOT_DATABASE_URL"}
        with (self.data / "serve.log").open("ab") as log:
            self.process = subprocess.Popen(
                [*command, "--data", str(self.data), *self.options],
                env=environment,
                stdout=log,
                stderr=log,
            )
        until_ready(f"{self.url}/healthz", self.process, self.data / "serve.log", READY_WITHIN)

    def kill(self) -> list[int]:
        """Kill the first process; return the ids of its own ones (the database may live on)."""
        assert self.process is not None
        family = [self.process.pid, *_children(self.process.pid)]
        self.process.send_signal(signal.SIGKILL)
        self.process.wait(30)
        return family

    def stop(self) -> int:
        """Ask it to end; return its exit code."""
        assert self.process is not None
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(60)

    def postmaster(self) -> int:
        """Return the process id of the embedded server."""
        return int((self.data / "pg" / "postmaster.pid").read_text().split()[0])

    def command(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run ``entrepot …`` beside it."""
        return subprocess.run(
            [sys.executable, "-m", "entrepot", *arguments, "--data", str(self.data)],
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )

    def json(self, *arguments: str) -> Any:
        """Return what ``entrepot … --json`` printed."""
        done = self.command(*arguments, "--json")
        assert done.returncode == 0, done.stderr
        return msgspec.json.decode(done.stdout)

    def base_url(self, connection: str) -> str:
        """Return the address partners call for a connection of the demonstration."""
        rows = self.json("connections", "list", "--show-secrets")
        found: str = next(row["base_url"] for row in rows if row["name"] == connection)
        return found

    def log(self) -> str:
        """Return the end of what the processes wrote."""
        return (self.data / "serve.log").read_text()[-5000:]


def order(number: str, *lines: tuple[str, int]) -> dict[str, Any]:
    """Return an order as document 000 has it."""
    return {
        "pickGoods": {"custName": "安港珠宝", "oriOrderNo": number, "username": "明天L"},
        "pickGoodsDtls": [{"styleNo": style, "qty": qty} for style, qty in lines],
    }


async def until(condition: Any, seconds: float = 30.0) -> None:
    """Wait until ``condition()`` holds."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it never came true"
        await asyncio.sleep(0.02)


def lives(process: int) -> bool:
    """Tell whether a process runs; one that only waits to be reaped does not."""
    try:
        state = (
            Path(f"/proc/{process}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()[0]
        )
    except FileNotFoundError:
        return False
    return state != "Z"


def _children(process: int) -> list[int]:
    listed = Path(f"/proc/{process}/task/{process}/children").read_text(encoding="ascii")
    pids = [int(child) for child in listed.split()]
    return [pid for pid in pids if Path(f"/proc/{pid}/comm").read_text().strip() != "postgres"]

"""What every benchmark shares: a database server, hubs on it, load from outside, and results."""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path
from typing import TYPE_CHECKING, Any

from msgspec import Struct

from entrepot import embedded, migrate
from entrepot.db import alone
from entrepot.errors import Unusable

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

HERE = Path(__file__).parent
WORKER_MB = 150
ENTREPOT = (sys.executable, "-m", "entrepot")


class Result(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One figure. ``floor`` or ``ceiling`` bounds ``ratio``, or ``value`` where nothing is compared."""

    name: str
    value: float
    unit: str
    against: str | None = None
    ratio: float | None = None
    floor: float | None = None
    ceiling: float | None = None

    @property
    def met(self) -> bool:
        """Tell whether the demanded bound holds."""
        measured = self.value if self.ratio is None else self.ratio
        low = self.floor is None or measured >= self.floor
        return low and (self.ceiling is None or measured <= self.ceiling)


class Context:
    """One run: an embedded server of its own, thrown away at the end.

    ``seconds`` is how long each load lasts, ``scale`` multiplies the sizes (1.0: what is demanded).
    """

    def __init__(self, *, seconds: float, scale: float) -> None:
        self.seconds = seconds
        self.scale = scale
        self.folder = Path(tempfile.mkdtemp(prefix="entrepot-bench-"))
        self.server = embedded.start(self.folder)

    def close(self) -> None:
        """Stop the server and remove its data."""
        self.server.stop()
        shutil.rmtree(self.folder, ignore_errors=True)

    def size(self, full: int) -> int:
        """Return a size under this run's scale, at least 1."""
        return max(1, int(full * self.scale))

    async def database(self, name: str) -> str:
        """Make an empty, migrated database; return its URL."""
        async with alone(self.server.dsn) as one:
            await one.execute(f'CREATE DATABASE "{name}"')
        url = self.server.dsn.replace("/postgres?", f"/{name}?", 1)
        await migrate.migrate(url)
        return url

    @contextlib.contextmanager
    def hub(self, url: str, *arguments: str) -> Iterator[tuple[str, int]]:
        """Run ``entrepot serve`` on a database; give its address and its process id."""
        command = [*ENTREPOT, "serve", "--data", str(self.folder / "hub")]
        with self.serving(
            [*command, *arguments], {"ENTREPOT_DATABASE_URL": url, "ENTREPOT_LOG_LEVEL": "error"}
        ) as served:
            yield served

    @contextlib.contextmanager
    def bare(self) -> Iterator[str]:
        """Run the bare handler on the same server software; give its address."""
        with self.serving([sys.executable, "-m", "bench.bare"], {}) as (address, _):
            yield address

    @contextlib.contextmanager
    def serving(
        self, command: list[str], environment: Mapping[str, str]
    ) -> Iterator[tuple[str, int]]:
        """Run a server process on a free port until it answers; end it afterwards."""
        port = free_port()
        process = subprocess.Popen(
            [*command, "--port", str(port)], env={**os.environ, **environment}
        )
        address = f"http://127.0.0.1:{port}"
        try:
            wait_for(f"{address}/healthz", process)
            yield address, process.pid
        finally:
            process.terminate()
            process.wait(60)

    def pgbench(self, url: str, script: Path, clients: int, **variables: int) -> float:
        """Return transactions a second of a pgbench script with so many clients."""
        defines = [f"-D{name}={value}" for name, value in variables.items()]
        command = [str(embedded.binary("pgbench")), "-n", "-M", "prepared", "-c", str(clients)]
        command += ["-j", str(min(clients, 2)), "-T", str(max(1, round(self.seconds)))]
        done = subprocess.run(
            [*command, *defines, "-f", str(script), url],
            capture_output=True,
            text=True,
            check=False,
        )
        hit = re.search(r"tps = ([\d.]+)", done.stdout)
        if hit is None or "aborted" in done.stderr:
            raise Unusable(f"pgbench failed: {done.stderr.strip()[-500:]}")
        return float(hit[1])

    def wrk(
        self, url: str, connections: int, script: Path, *arguments: str, warm_up: float = 1.0
    ) -> float:
        """Return answers a second under wrk; raises when one was not 2xx or a socket failed."""
        program = shutil.which("wrk")
        if program is None:
            raise Unusable("The benchmarks need wrk: apt-get install wrk")
        base = [program, "-t1", f"-c{connections}", "--timeout", "10s", "-s", str(script)]
        rest = [url, "--", *arguments]
        if warm_up:
            subprocess.run([*base, f"-d{warm_up:g}s", *rest], capture_output=True, check=True)
        done = subprocess.run(
            [*base, f"-d{self.seconds:g}s", *rest], capture_output=True, text=True, check=True
        )
        if "Non-2xx" in done.stdout or "Socket errors" in done.stdout or "refused" in done.stdout:
            raise Unusable(f"wrk saw failures: {done.stdout}")
        hit = re.search(r"Requests/sec:\s+([\d.]+)", done.stdout)
        if hit is None:
            raise Unusable(f"wrk said: {done.stdout}")
        return float(hit[1])


def free_port() -> int:
    """Return a port nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def wait_for(url: str, process: Any, patience: float = 120.0) -> float:
    """Wait until ``url`` answers 200; return how many seconds that took."""
    started = time.perf_counter()
    while time.perf_counter() - started < patience:
        if process.poll() is not None:
            raise Unusable(f"The server ended with {process.returncode} before it answered.")
        try:
            with urllib.request.urlopen(url, timeout=1) as reply:
                if reply.status == 200:
                    return time.perf_counter() - started
        except OSError:
            time.sleep(0.01)
    raise Unusable(f"{url} did not answer within {patience:g} s.")


def peak_memory(process: int) -> float:
    """Return the peak memory of the largest process below ``process`` (a web worker), in MB."""
    return max((_high_water(child) for child in _below(process)), default=0.0)


def worker_memory(process: int) -> Result:
    """Return the peak memory of a hub's web worker beside what it may be."""
    peak = peak_memory(process)
    return Result(name="peak memory of a worker", value=peak, unit="MB", ceiling=WORKER_MB)


def _below(process: int) -> Iterator[int]:
    children = Path(f"/proc/{process}/task/{process}/children").read_text(encoding="ascii")
    for child in map(int, children.split()):
        yield child
        yield from _below(child)


def _high_water(process: int) -> float:
    status = Path(f"/proc/{process}/status").read_text(encoding="ascii")
    hit = re.search(r"VmHWM:\s+(\d+)", status)
    return int(hit[1]) / 1024 if hit else 0.0

"""The processes of one machine: web workers, the courier and the clock, and their orderly end.

The first process brings the database up, then forks the others; each dies with it (PDEATHSIG), so that a
``kill -9`` of the first leaves no half-alive hub behind. SIGTERM drains: requests under way are answered,
leases are given back, then it exits 0.
"""

from __future__ import annotations

import asyncio
import contextlib
import ctypes
import errno
import gc
import multiprocessing
import signal
import socket
import sys
import threading
import time
import urllib.request
from typing import TYPE_CHECKING, Any

import structlog
import uvloop
from granian import Granian
from granian.constants import HTTPModes, Interfaces, Loops, RuntimeModes
from granian.http import HTTP1Settings
from granian.log import LogLevels

from entrepot import demo, ids, log, metrics, tracing
from entrepot.app import Web
from entrepot.connections import flows as connections
from entrepot.console.access.first import first_accounts
from entrepot.courier import jobs, retention
from entrepot.courier.schedules import Clock
from entrepot.courier.worker import Courier
from entrepot.demo import traffic
from entrepot.discrepancies import jobs as discrepancies
from entrepot.dispatch import jobs as dispatch
from entrepot.dispatch.answers import CONSEQUENCES
from entrepot.errors import Unusable
from entrepot.exports import jobs as exports
from entrepot.hub import Hub
from entrepot.imports import jobs as imports
from entrepot.orders import turned_away
from entrepot.reconciliation import jobs as reconciliation

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

    from entrepot.courier.schedules import Job, Schedule
    from entrepot.settings import Settings

_PR_SET_PDEATHSIG = 1
_FORK = multiprocessing.get_context("fork")
_log = structlog.get_logger()


def serve(settings: Settings, say: Callable[[str], None] = lambda _: None) -> None:
    """Run the hub on a database that stands (``standing``), until SIGTERM or SIGINT."""
    log.configure(settings.log_level)
    _free(settings)
    metrics.begin(settings.data / "metrics")
    asyncio.run(_prepare(settings, say))
    children = [Child(name, settings, work) for name, work in _tasks(settings)]
    for child in children:
        child.start()
    if settings.role in ("all", "web"):
        threading.Thread(target=_greet, args=(settings, say), name="greet", daemon=True).start()
        _serve_web(settings)
    else:
        _wait_for_the_end()
    for child in children:
        child.stop(settings.drain_timeout)


async def _prepare(settings: Settings, say: Callable[[str], None]) -> None:
    """Make the first tenant, or the demonstration, and what every start looks after."""
    async with await Hub.open(settings, size=2) as hub:
        await retention.tend(hub.db)
        if settings.role in ("all", "web"):
            await connections.settle(hub.db, settings.url)
            await hub.registry.load()
        if settings.demo and not await demo.load(hub.db, hub.vault, hub.dialects, hub.registry):
            _log.info("serve.demo_there_or_not_empty", tenants=len(hub.registry.tenants))
        if not hub.registry.tenants:
            async with hub.db.transaction(ids.new()) as tx:
                await connections.add_tenant(tx, "main", {})
            await hub.registry.load()
        if settings.role in ("all", "web"):
            await first_accounts(hub, say, demo=settings.demo)


def _tasks(settings: Settings) -> list[tuple[str, Work]]:
    """Return the background processes this role runs beside (or instead of) the web workers."""
    works: dict[str, tuple[str, Work]] = {
        "all": ("courier", _courier_and_clock),
        "courier": ("courier", _courier),
        "clock": ("clock", _clock),
    }
    tasks = [works[settings.role]] if settings.role in works else []
    return [*tasks, ("traffic", _traffic)] if settings.traffic else tasks


async def _traffic(settings: Settings, stop: asyncio.Event) -> None:
    """Let the demonstration's partners do business until told to stop."""
    async with await Hub.open(settings) as hub:
        await traffic.run(hub, stop)


async def _courier(settings: Settings, stop: asyncio.Event) -> None:
    """Deliver what was announced until told to stop."""
    async with await Hub.open(settings) as hub:
        await _deliver(hub, stop)


async def _clock(settings: Settings, stop: asyncio.Event) -> None:
    """Run what is due by the clock until told to stop."""
    async with await Hub.open(settings, size=4) as hub:
        await _tick(hub, stop)


async def _courier_and_clock(settings: Settings, stop: asyncio.Event) -> None:
    """Do both in one process; neither needs one of its own on a small machine."""
    await _until_listening(settings, stop)
    async with await Hub.open(settings) as hub:
        await asyncio.gather(_deliver(hub, stop), _tick(hub, stop))


async def _until_listening(settings: Settings, stop: asyncio.Event) -> None:
    """Wait a little for the web process beside us: a partner may be a tenant of this very hub."""
    for _ in range(100):
        try:
            _, writer = await asyncio.open_connection(settings.local_host, settings.port)
        except OSError:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(0.1):
                    await stop.wait()
                return
        else:
            writer.close()
            return


async def _deliver(hub: Hub, stop: asyncio.Event) -> None:
    courier = Courier(
        hub.db, hub.registry, hub.recorder, hub.vault.unseal, consequences=CONSEQUENCES
    )
    await courier.serve(stop)


async def _tick(hub: Hub, stop: asyncio.Event) -> None:
    def due() -> dict[Schedule, Job]:
        return {
            **jobs.jobs(hub.db, hub.registry),
            **dispatch.jobs(hub.db, hub.registry),
            **imports.jobs(hub.db, hub.vault, hub.dialects),
            **discrepancies.jobs(hub.db),
            **turned_away.jobs(hub.db, hub.registry),
            **exports.jobs(hub.db),
            **reconciliation.jobs(hub.db, hub.registry, hub.recorder),
        }

    await Clock(hub.db, due).serve(stop)


Work = Any
"""``async def (settings, stop)``: runs until ``stop`` is set."""


class Child:
    """A background process, started again when it dies."""

    def __init__(self, name: str, settings: Settings, work: Work) -> None:
        self._name = name
        self._settings = settings
        self._work = work
        self._process: Any = None
        self._ending = threading.Event()
        self._watcher = threading.Thread(target=self._watch, name=f"watch-{name}", daemon=True)

    def start(self) -> None:
        """Start it and watch over it from a thread."""
        self._fork()
        self._watcher.start()

    def stop(self, patience: float) -> None:
        """Ask it to end, and end it when it does not within ``patience`` seconds.

        Its watcher alone asks the kernel for its end: of two who ask, one is told that there is no such
        child.
        """
        self._ending.set()
        self._process.terminate()
        self._watcher.join(patience)
        if self._watcher.is_alive():
            _log.warning("serve.child_killed", child=self._name)
            self._process.kill()
            self._watcher.join()

    def _fork(self) -> None:
        arguments = (self._name, self._settings, self._work)
        self._process = _FORK.Process(target=_child, args=arguments, name=f"entrepot-{self._name}")
        self._process.start()

    def _watch(self) -> None:
        pause = 0.5
        while not self._ending.is_set():
            self._process.join()
            if self._ending.is_set():
                return
            if self._process.exitcode != 0:  # 0: a signal to all of us told it, as it will tell us
                _log.error("serve.child_died", child=self._name, code=self._process.exitcode)
            self._ending.wait(pause)
            pause = min(pause * 2, 30)
            if not self._ending.is_set():
                self._fork()


def _child(name: str, settings: Settings, work: Work) -> None:
    die_with_parent()
    log.configure(settings.log_level)
    structlog.contextvars.bind_contextvars(process=name)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the first process, which tells us
    with contextlib.suppress(KeyboardInterrupt):
        uvloop.run(_until_told(settings, work))


async def _until_told(settings: Settings, work: Work) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    loop.add_signal_handler(signal.SIGTERM, stop.set)
    tracing.begin("background")
    running: Coroutine[Any, Any, None] = work(settings, stop)
    await running
    await asyncio.to_thread(tracing.end)


def die_with_parent() -> None:
    """Have the kernel kill this process when its parent ends, however that ends."""
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


def _greet(settings: Settings, say: Callable[[str], None]) -> None:
    """Say where the hub is, once it answers."""
    while True:
        try:
            with urllib.request.urlopen(f"{settings.local_url}/healthz", timeout=5):  # noqa: S310
                break
        except OSError:
            time.sleep(0.1)
    say(f"Entrepot is ready on {settings.url}. Ctrl-C ends it.")
    if settings.demo and settings.only_local:
        say("The demonstration: sign in as admin with the password entrepot-demo.")
    elif settings.demo:
        say("The demonstration's account admin is let in only where the hub listens on loopback.")
    else:
        say("A password that is lost is made anew by: entrepot people password admin")


def _spare_the_collector() -> None:
    """Take what is loaded out of the garbage collector's rounds and let it go round less often.

    A request leaves next to nothing that only the collector can free; at the default threshold its
    rounds took an eighth of a worker's time.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 50)


def _serve_web(settings: Settings) -> None:
    """Run the web workers in granian until a signal ends them."""

    def application() -> Web:
        die_with_parent()
        log.configure(settings.log_level)
        _spare_the_collector()
        return Web(settings)

    server = Granian(
        "entrepot.app:Web",
        address=settings.host,
        port=settings.port,
        interface=Interfaces.ASGI,
        workers=settings.workers,
        loop=Loops.uvloop,
        http=HTTPModes.http1,
        http1_settings=HTTP1Settings(
            header_read_timeout=int(settings.read_timeout * 1000), pipeline_flush=True
        ),
        websockets=False,
        runtime_mode=RuntimeModes.st,
        backlog=2048,
        backpressure=2048,
        respawn_failed_workers=True,
        respawn_interval=0.5,
        workers_kill_timeout=int(settings.drain_timeout),
        log_level=LogLevels.warning,
    )
    server.serve(target_loader=application, wrap_loader=False)


def _free(settings: Settings) -> None:
    """Refuse early and clearly where the port is taken."""
    if settings.role not in ("all", "web"):
        return
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((settings.host, settings.port))
        except OSError as error:
            where = f"Port {settings.port} of {settings.host}"
            text = (
                f"{where} cannot be listened on ({error.strerror}); say another --port or --host."
            )
            if error.errno == errno.EADDRINUSE:
                text = f"{where} is taken ({error.strerror}); say --port."
            raise Unusable(text) from error


def _wait_for_the_end() -> None:
    ended = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: ended.set())
    while not ended.is_set():
        time.sleep(0.1)

"""A database of its own for every test, and no way out of this machine.

The server is the embedded one, or the one ENTREPOT_TEST_DATABASE_URL names (`make test-pg15`).
"""

from __future__ import annotations

import asyncio
import ipaddress
import itertools
import os
import shutil
import sys
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit, urlunsplit

import psycopg
import pytest
from hypothesis import HealthCheck
from hypothesis import settings as hypothesis

from entrepot import demo, embedded
from entrepot.connections import flows as connections
from entrepot.db import Database
from entrepot.hub import Hub
from entrepot.migrate import migrate
from entrepot.settings import Settings

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

# How long an example takes is the machine's affair; what a property says is ours.
hypothesis.register_profile(
    "entrepot", hypothesis(), deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
hypothesis.load_profile("entrepot")

_TEMPLATE = "entrepot_template"
_number = itertools.count(1)


@contextmanager
def short_directory() -> Iterator[Path]:
    """Yield an empty directory whose path is short enough for a socket, gone afterwards."""
    path = Path(tempfile.mkdtemp(prefix="entrepot-"))
    try:
        yield path
    finally:
        shutil.rmtree(path)


@pytest.fixture
def data_dir() -> Iterator[Path]:
    """Give an empty ``--data`` directory."""
    with short_directory() as path:
        yield path


@pytest.fixture(scope="session")
def server_url() -> Iterator[str]:
    """Give the URL of the server that all databases of this run are on."""
    if url := os.environ.get("ENTREPOT_TEST_DATABASE_URL"):
        yield url
        return
    with short_directory() as path, embedded.start(path) as server:
        with psycopg.connect(server.dsn, autocommit=True) as admin:
            # Databases by the hundred; killed processes lose nothing by it, only power cuts would.
            admin.execute("ALTER SYSTEM SET fsync = off")
            admin.execute("SELECT pg_reload_conf()")
        yield server.dsn


@pytest.fixture(scope="session")
def template(server_url: str) -> str:
    """Give the name of a database that all migrations have been applied to."""
    with psycopg.connect(server_url, autocommit=True) as admin:
        admin.execute(f"DROP DATABASE IF EXISTS {_TEMPLATE} WITH (FORCE)")
        admin.execute(
            f"CREATE DATABASE {_TEMPLATE} TEMPLATE template0 ENCODING 'UTF8' LC_COLLATE 'C' LC_CTYPE 'C'"
        )
    asyncio.run(migrate(_named(server_url, _TEMPLATE)))
    return _TEMPLATE


@pytest.fixture
def database_url(server_url: str, template: str) -> Iterator[str]:
    """Give the URL of a fresh, migrated database."""
    yield from _database(server_url, f"TEMPLATE {template} STRATEGY FILE_COPY")


@pytest.fixture
def empty_database_url(server_url: str) -> Iterator[str]:
    """Give the URL of a database that no migration has touched."""
    yield from _database(server_url, "TEMPLATE template0")


@pytest.fixture(scope="session")
def demo_template(
    server_url: str, template: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Settings]:
    """Give a hub with the demonstration in it, to be copied and not used."""
    how = f"TEMPLATE {template} STRATEGY FILE_COPY"
    with contextmanager(_database)(server_url, how) as url:
        settings = Settings(data=tmp_path_factory.mktemp("demo"), database_url=url)
        asyncio.run(_load_demo(settings))
        yield settings


@pytest.fixture
def demo_settings(server_url: str, demo_template: Settings, tmp_path: Path) -> Iterator[Settings]:
    """Give a hub that `serve --demo` has just been started on for the first time, at port 8000."""
    name = urlsplit(demo_template.database_url or "").path[1:]
    with contextmanager(_database)(server_url, f"TEMPLATE {name} STRATEGY FILE_COPY") as url:
        yield Settings(data=tmp_path / "var", key_file=demo_template.keys, database_url=url)


async def _load_demo(settings: Settings) -> None:
    async with await Hub.open(settings) as hub:
        await connections.settle(hub.db, settings.url)
        await hub.registry.load()
        await demo.load(hub.db, hub.vault, hub.dialects, hub.registry)


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    """Give an open pool on a fresh, migrated database."""
    database = await Database.open(database_url)
    try:
        yield database
    finally:
        await database.close()


def _database(server_url: str, how: str) -> Iterator[str]:
    name = f"test_{os.getpid()}_{next(_number)}"
    with psycopg.connect(server_url, autocommit=True) as admin:
        admin.execute(f"CREATE DATABASE {name} {how}".encode())
        try:
            yield _named(server_url, name)
        finally:
            admin.execute(f"DROP DATABASE {name} WITH (FORCE)".encode())


def _named(url: str, database: str) -> str:
    return urlunsplit(urlsplit(url)._replace(path=f"/{database}"))


def _stay_on_this_machine(event: str, args: tuple[Any, ...]) -> None:
    """Refuse to look up or connect to anything but this machine, whichever library tries."""
    if event == "socket.connect" and isinstance(args[1], tuple):
        host = args[1][0]
    elif event == "socket.getaddrinfo":
        host = args[0]
    else:
        return
    host = host.decode() if isinstance(host, bytes) else host
    if host in (None, "", "localhost"):
        return
    try:
        at_home = ipaddress.ip_address(host).is_loopback or host in ("0.0.0.0", "::")
    except ValueError:
        at_home = False
    if not at_home:
        raise ConnectionRefusedError(f"Tests stay on this machine; {host} is outside.")


sys.addaudithook(_stay_on_this_machine)

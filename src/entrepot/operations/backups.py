"""A copy of a hub in one file, and a hub made of such a file, by PostgreSQL's own tools.

The tools are those that come with the embedded server, else those on PATH; they must not be older than the
server they speak to.
"""

from __future__ import annotations

import asyncio
import os
import re
import shutil
import subprocess
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit, urlunsplit

from msgspec import Struct

from entrepot import __version__, clock, embedded, migrate
from entrepot.db import Database, alone, queries
from entrepot.errors import Conflict, EntrepotError, Unusable
from entrepot.operations import archive
from entrepot.orders import accounts
from entrepot.stock import views
from entrepot.vault import Vault

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from entrepot.settings import Settings

_BLOCK = 1024 * 1024
_HEAD = 64 * 1024
# What newer tools set for themselves and older servers do not know; it only bounds idle sessions.
_UNKNOWN = re.compile(rb"^SET transaction_timeout = 0;\n", re.MULTILINE)
_q = queries(__package__)


class Restored(Struct, frozen=True, kw_only=True):
    """What a restored hub holds, and what could not be proven of it."""

    tenants: int
    connections: int
    articles: int
    orders: int
    movements: int
    unproven: int
    unreadable: int


async def back_up(settings: Settings, path: Path, passphrase: str) -> int:
    """Write a consistent copy of a hub, running or not, to ``path``; return its size in bytes."""
    if not settings.keys.exists():
        raise Unusable(
            f"There is no key file {settings.keys}; a backup without it is worth nothing."
        )
    salt, ring = archive.sealed(settings.keys.read_bytes(), passphrase)
    with _database(settings, create=False) as url:
        async with alone(url) as one:
            _suits(int(await one.fetchval("SHOW server_version_num")) // 10000)
            if not await one.fetchval("SELECT to_regclass('_yoyo_migration') IS NOT NULL"):
                raise Unusable("The database is empty; there is nothing to back up.")
            applied = tuple(row["migration_id"] for row in await one.fetch(_q.applied))
        head = archive.Head(
            entrepot=__version__, at=clock.now(), migrations=applied, salt=salt, ring=ring
        )
        return await asyncio.to_thread(_dump, url, path, head)


async def restore(settings: Settings, path: Path, passphrase: str) -> Restored:
    """Make an empty database, and a key file beside it, the hub of an archive; prove its balances.

    Raises Conflict where there is a database or another key file already. What fails leaves nothing behind
    in the database.
    """
    head, begin, end = archive.read_head(path)
    if newer := sorted(set(head.migrations) - set(migrate.files())):
        raise Unusable(f"A newer version made this archive ({', '.join(newer)}); install that one.")
    ring = archive.opened(head, passphrase)
    keys = settings.keys
    if keys.exists() and keys.read_bytes() != ring:
        raise Conflict(
            "other_keys", f"{keys} is another hub's key file; move it away, or name another."
        )
    with _database(settings, create=True) as url:
        async with alone(url) as one:
            _suits(int(await one.fetchval("SHOW server_version_num")) // 10000)
            if not await one.fetchval(_q.empty):
                raise Conflict("not_empty", "The database is not empty; restore into an empty one.")
        await asyncio.to_thread(_load, archive.dump_of(path, begin, end), url)
        _put(keys, ring)
        await migrate.migrate(url)
        return await _proven(settings, url)


def _dump(url: str, path: Path, head: archive.Head) -> int:
    command = [_tool("pg_dump"), "--format=custom", "--no-owner", "--no-privileges"]
    with archive.written(path, head) as file, _running(command, url) as dump:
        shutil.copyfileobj(dump.stdout, file, _BLOCK)  # a pipe: pg_dump seeks in files
        _ended(dump, "pg_dump")
    return path.stat().st_size


def _load(dump: Iterable[bytes], url: str) -> None:
    """Feed a dump through pg_restore into psql, in one transaction."""
    script = [_tool("pg_restore"), "--no-owner", "--no-privileges", "--file=-"]
    load = [_tool("psql"), "--no-psqlrc", "--quiet", "--output=/dev/null", "--single-transaction"]
    load += ["--set=ON_ERROR_STOP=1", "--file=-"]
    with _running(script, None, feed=True) as read, _running(load, url, feed=True) as write:
        feeder = threading.Thread(target=_feed, args=(dump, read.stdin))
        feeder.start()
        try:
            # A broken pipe: psql gave up, and says why.
            _pour(read.stdout, write.stdin)
        except BrokenPipeError:
            read.kill()
        feeder.join()
        _ended(write, "psql")
        _ended(read, "pg_restore")


def _feed(dump: Iterable[bytes], into: Any) -> None:
    try:
        for block in dump:
            into.write(block)
        into.close()
    except BrokenPipeError:
        pass  # pg_restore gave up, and says why


def _pour(script: Any, into: Any) -> None:
    """Copy a script; settings that an older server does not know stand in its first lines."""
    head = script.read(_HEAD)
    into.write(_UNKNOWN.sub(b"", head))
    shutil.copyfileobj(script, into, _BLOCK)
    into.close()


def _put(path: Path, ring: bytes) -> None:
    """Write the key file for its owner alone; one that is there is the same."""
    if path.exists():
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(ring)
        file.flush()
        os.fsync(file.fileno())


async def _proven(settings: Settings, url: str) -> Restored:
    """Count what is there; prove every balance and read every credential with the restored keys."""
    vault = Vault.open(settings.keys)
    async with alone(url) as one:
        holdings = dict((await one.fetchrow(_q.holdings)).items())
        tenants = [row["tenant_id"] for row in await one.fetch(_q.tenants)]
        sealed = [row["sealed"] for row in await one.fetch(_q.credentials)]
    unreadable = sum(not _readable(vault, value) for value in sealed)
    unproven = 0
    db = await Database.open(url, size=1)
    try:
        for tenant_id in tenants:
            async with db.transaction(tenant_id, isolation="repeatable_read", readonly=True) as tx:
                unproven += len(await views.discrepancies(tx))
                unproven += len(await accounts.discrepancies(tx))
    finally:
        await db.close()
    return Restored(**holdings, unproven=unproven, unreadable=unreadable)


def _readable(vault: Vault, sealed: bytes) -> bool:
    try:
        vault.unseal(sealed)
    except EntrepotError:
        return False
    return True


@contextmanager
def _database(settings: Settings, *, create: bool) -> Iterator[str]:
    """Give the URL of the hub's database, holding the embedded server where that is it."""
    if settings.database_url:
        yield settings.database_url
        return
    if create:
        settings.data.mkdir(parents=True, exist_ok=True)
    with embedded.start(settings.data) if create else embedded.attach(settings.data) as server:
        yield server.dsn


def _tool(name: str) -> str:
    """Return the path of one of PostgreSQL's tools; raises Unusable where there is none."""
    try:
        return str(embedded.binary(name))
    except Unusable:
        found = shutil.which(name)
    if found is None:
        raise Unusable(f"There is no {name} on this machine; install PostgreSQL's client tools.")
    return found


def _suits(server: int) -> None:
    """Raise Unusable where the server's major version is newer than the tools'."""
    command = [_tool("pg_dump"), "--version"]
    said = subprocess.run(command, capture_output=True, check=True, text=True).stdout
    ours = int(re.findall(r"(\d+)", said)[0])
    if ours < server:
        raise Unusable(
            f"The server is PostgreSQL {server}, pg_dump {ours}: install that version's."
        )


@contextmanager
def _running(command: list[str], url: str | None, *, feed: bool = False) -> Iterator[Any]:
    """Run a tool with its output in a pipe; the password goes by environment, where nobody lists it."""
    environment = dict(os.environ)
    if url is not None:
        parts = urlsplit(url)
        user, _, host = parts.netloc.rpartition("@")
        name, _, password = user.partition(":")
        if password:
            environment["PGPASSWORD"] = unquote(password)
            url = urlunsplit(parts._replace(netloc=f"{name}@{host}"))
        command = [*command, f"--dbname={url}"]
    with subprocess.Popen(
        command,
        stdin=subprocess.PIPE if feed else subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=environment,
    ) as process:
        try:
            yield process
        finally:
            if process.poll() is None:
                process.kill()


def _ended(process: Any, name: str) -> None:
    """Wait for a tool; raises Unusable with its last words where it failed."""
    said = process.stderr.read().decode("utf-8", "replace").strip()
    if process.wait() != 0:
        raise Unusable(f"{name} failed: {said[-500:] or process.returncode}")

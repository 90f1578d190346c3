"""Every HTTP exchange, both ways: recorded in batches, found by any document number.

Recording happens after the answer's commit and costs the caller nothing; what waits is written at
least every ``FLUSH`` seconds, and before a process ends. A full buffer makes the recorder's callers wait
(``room``), never lose.
"""

from __future__ import annotations

import asyncio
from datetime import datetime
from typing import TYPE_CHECKING, Any

import structlog
from msgspec import Struct

from entrepot import clock, ids
from entrepot.connections import rules
from entrepot.db import queries

if TYPE_CHECKING:
    from collections.abc import Sequence

    from entrepot.db import Database, Tx
    from entrepot.vault import Vault

FLUSH = 0.1
_ROOM = 20_000
_BODY = 64 * 1024
_NUMBER = 200
_COLUMNS = (
    "tenant_id", "at", "id", "connection_id", "direction", "document", "also", "method", "path",
    "status", "refused", "duration_us", "request", "reply",
)  # fmt: skip
_q = queries(__package__)
_log = structlog.get_logger()


class Exchange(Struct, frozen=True, kw_only=True):
    """One exchange as shown to people; bodies are text, masked unless revealed.

    ``refused``: what was sent was not taken, by the words of the answer, whatever HTTP says.
    """

    at: datetime
    id: int
    direction: str
    connection: str
    document: str | None
    method: str
    path: str
    status: int | None
    refused: bool
    duration_ms: float
    request: str
    reply: str


class Filter(Struct, frozen=True, kw_only=True):
    """Which exchanges; ``before`` is the last page's oldest (at, id)."""

    document: str | None = None
    connection: str | None = None
    direction: str | None = None
    before: tuple[datetime, int] | None = None
    limit: int = 100


class Recorder:
    """The writing end; one per process."""

    def __init__(self, db: Database, vault: Vault) -> None:
        self._db = db
        self._vault = vault
        self._waiting: list[tuple[Any, ...]] = []
        self._wake = asyncio.Event()
        self._written = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self._stopping = False

    def start(self) -> None:
        """Begin to write what is recorded."""
        self._task = asyncio.create_task(self._write())

    async def stop(self) -> None:
        """Write what waits and end."""
        self._stopping = True
        self._wake.set()
        if self._task is not None:
            await self._task

    async def room(self) -> None:
        """Wait until the buffer has room again."""
        while len(self._waiting) > _ROOM:
            self._written.clear()
            await self._written.wait()

    def record(
        self,
        tenant_id: int,
        connection_id: int,
        direction: str,
        *,
        method: str,
        path: str,
        status: int | None,
        refused: bool = False,
        seconds: float,
        request: bytes,
        reply: bytes,
        document: str = "",
        also: Sequence[str] = (),
        id: int | None = None,  # noqa: A002 - it is the exchange's
    ) -> None:
        """Note one exchange; bodies past 64 KiB are cut, and numbers longer than any document may have."""
        seal = self._vault.seal_body
        self._waiting.append(
            (
                tenant_id, clock.now(), id or ids.new(), connection_id, direction, document[:_NUMBER] or None,
                [number[:_NUMBER] for number in also] or None, method, path, status, refused,
                int(seconds * 1_000_000), seal(request[:_BODY]), seal(reply[:_BODY]),
            )
        )  # fmt: skip
        self._wake.set()

    async def _write(self) -> None:
        while not (self._stopping and not self._waiting):
            await self._wake.wait()
            if not self._stopping:
                await asyncio.sleep(FLUSH)
            self._wake.clear()
            batch, self._waiting = self._waiting, []
            try:
                await self._copy(batch)
            except Exception as error:  # noqa: BLE001 - the database may be away; keep and go on
                _log.warning("exchanges.write_failed", error=str(error), waiting=len(batch))
                self._waiting[:0] = await self._one_by_one(batch)
                if self._stopping:
                    return
                if self._waiting:
                    self._wake.set()
                    await asyncio.sleep(1)
            self._written.set()

    async def _one_by_one(self, batch: list[tuple[Any, ...]]) -> list[tuple[Any, ...]]:
        """Find the row the database will not have, so that it holds up no other; return what to try again.

        While the database is away that is everything.
        """
        try:
            await self._db.rows("SELECT 1")
            for at, row in enumerate(batch):
                try:
                    await self._copy([row])
                except OSError:
                    return batch[at:]
                except Exception as error:  # noqa: BLE001 - this row alone is at fault
                    _log.error("exchanges.unwritable", id=row[2], error=str(error))
        except Exception:  # noqa: BLE001 - away
            return batch
        return []

    async def _copy(self, batch: list[tuple[Any, ...]]) -> None:
        by_tenant: dict[int, list[tuple[Any, ...]]] = {}
        for row in batch:
            by_tenant.setdefault(row[0], []).append(row)
        for tenant_id, rows in by_tenant.items():
            async with self._db.reading(tenant_id) as tx:
                await tx.copy("exchange", _COLUMNS, rows)


async def find(tx: Tx, vault: Vault, wanted: Filter, *, reveal: bool = False) -> list[Exchange]:
    """Return exchanges, newest first; phones and addresses are masked unless ``reveal``."""
    at, before = wanted.before or (None, None)
    rows = await tx.rows(
        _q.find_exchanges,
        *(
            wanted.document,
            wanted.connection,
            wanted.direction,
            at,
            before,
            wanted.limit,
        ),
    )
    return [
        Exchange(
            at=row["at"],
            id=row["id"],
            direction=row["direction"],
            connection=row["connection"],
            document=row["document"],
            method=row["method"],
            path=row["path"],
            status=row["status"],
            refused=row["refused"],
            duration_ms=row["duration_us"] / 1000,
            request=_text(vault, row["request"], reveal=reveal),
            reply=_text(vault, row["reply"], reveal=reveal),
        )
        for row in rows
    ]


def _text(vault: Vault, sealed: bytes, *, reveal: bool) -> str:
    text = vault.unseal_body(sealed).decode("utf-8", "replace")
    return text if reveal else rules.masked(text)

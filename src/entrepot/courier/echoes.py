"""What became of a delivery is told to the noun it came from: a refusal is sourced elsewhere, a void decided.

In a transaction of its own after the settling commits, together with the mark that it was told: once,
however many couriers look, and never lost. ``app`` says who is told what.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Sequence
from typing import TYPE_CHECKING

import structlog
from msgspec import Struct

from entrepot import clock
from entrepot.db import queries

if TYPE_CHECKING:
    from collections.abc import Mapping

    from entrepot.courier.watch import Watch
    from entrepot.db import Database, Row, Tx

_LOOK = 0.5
_BATCH = 200
_REST = 30.0  # seconds until what failed is tried again
_q = queries(__package__)
_log = structlog.get_logger()


class Echo(Struct, frozen=True, kw_only=True):
    """A settled delivery: delivered, rejected (``message`` is the partner's), handled or cancelled.

    ``key`` is the id of the document it was about.
    """

    id: int
    connection_id: int
    kind: str
    key: int
    document: str
    state: str
    message: str


Consequence = Callable[["Tx", Sequence[Echo]], Awaitable[None]]


class Echoes:
    """Draws the consequences of settled deliveries; one per courier process."""

    def __init__(self, db: Database, watch: Watch, consequences: Mapping[str, Consequence]) -> None:
        self._db = db
        self._watch = watch
        self._consequences = consequences
        self._settled = asyncio.Event()
        self._resting: dict[int, float] = {}

    def wake(self) -> None:
        """Look at once: something was settled."""
        self._settled.set()

    async def serve(self) -> None:
        """Look after every settling, and twice a second for what people settled."""
        while True:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(_LOOK):  # wait_for may swallow being ended
                    await self._settled.wait()
            self._settled.clear()
            try:
                await self.draw()
            except Exception as error:  # noqa: BLE001 - the database may be away; look again
                _log.warning("echoes.look_failed", error=str(error))
                await asyncio.sleep(1)

    async def draw(self) -> None:
        """Draw all consequences that wait."""
        now = clock.ticks()
        self._resting = {key: until for key, until in self._resting.items() if until > now}
        tenants = list(self._watch.tenants)
        for row in await self._db.rows(_q.echoes_waiting, tenants) if tenants else []:
            while await self._of(row["tenant_id"]):
                pass

    async def _of(self, tenant_id: int) -> bool:
        """Draw a batch of one tenant's; tell whether there may be more."""
        async with self._db.reading(tenant_id) as tx:
            rows = await tx.rows(_q.echoes, list(self._resting), _BATCH)
        echoes = [_echo(row) for row in rows]
        try:
            await self._tell(tenant_id, echoes)
        except Exception:  # noqa: BLE001 - one that fails must not keep the others waiting
            for one in echoes:
                await self._tell_alone(tenant_id, one)
        return len(rows) == _BATCH

    async def _tell_alone(self, tenant_id: int, one: Echo) -> None:
        try:
            await self._tell(tenant_id, [one])
        except Exception:  # noqa: BLE001 - see above; it is told again later
            _log.exception("echoes.failed", delivery=one.id, kind=one.kind)
            self._resting[one.id] = clock.ticks() + _REST

    async def _tell(self, tenant_id: int, echoes: Sequence[Echo]) -> None:
        if not echoes:
            return

        async def work(tx: Tx) -> None:
            rows = await tx.rows(_q.echoed, [one.id for one in echoes])
            ours = {row["id"] for row in rows}  # the others another courier has told
            told: dict[Consequence, list[Echo]] = {}
            for one in echoes:
                consequence = self._consequences.get(one.kind)
                if consequence is not None and one.id in ours:
                    told.setdefault(consequence, []).append(one)
            for consequence, batch in told.items():
                await consequence(tx, batch)

        await self._db.run(tenant_id, work)


def _echo(row: Row) -> Echo:
    return Echo(
        id=row["id"],
        connection_id=row["connection_id"],
        kind=row["kind"],
        key=row["key"],
        document=row["document"],
        state=row["state"],
        message=row["last_error"] or row["reason"] or "",
    )

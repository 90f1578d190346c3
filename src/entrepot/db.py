"""PostgreSQL: the pool, transactions of one tenant, and SQL by name. The only user of the driver.

Every named query takes the tenant's id as ``$1``; ``Tx`` puts it there, so that no query can forget it.
"""

from __future__ import annotations

import asyncio
import random
import re
from contextlib import AsyncExitStack, asynccontextmanager
from importlib import resources
from io import BytesIO
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

import asyncpg

from entrepot import ids
from entrepot.errors import Broken, Conflict, EntrepotError, Unusable

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping, Sequence


class Row(Protocol):
    """One row of a result, by column name or position."""

    def __getitem__(self, column: str | int) -> Any:
        """Return a column's value."""

    def get(self, column: str, default: object = None) -> Any:
        """Return a column's value, or ``default`` where there is no such column."""

    def items(self) -> Any:
        """Return (column, value) pairs."""


class Again(EntrepotError):
    """What a flow read before it locked is no longer so: its transaction is run again."""


T = TypeVar("T")

_NAME = re.compile(r"^-- name: (\w+)\s*$", re.MULTILINE)
_LOST = (asyncpg.DeadlockDetectedError, asyncpg.SerializationError, Again)
_TRIES = 6


def queries(package: str) -> Any:
    """Load ``queries.sql`` of a package: ``-- name: lock_rows`` becomes attribute ``lock_rows``."""
    text = resources.files(package).joinpath("queries.sql").read_text(encoding="utf-8")
    parts = _NAME.split(text)
    return SimpleNamespace(**dict(zip(parts[1::2], (p.strip() for p in parts[2::2]), strict=True)))


def ints(values: Iterable[int]) -> str:
    """Return integers as one array literal, for a parameter written ``$2::text::bigint[]``.

    The driver encodes arrays element by element, at about a microsecond each; the server parses this
    text twenty times faster, and a list writes itself as one. Only hot statements need it.
    """
    return "{" + str(list(values))[1:-1] + "}"


class Tx:
    """One transaction (or one read) of one tenant.

    ``opening`` begins the transaction: the first statement that may write or lock calls it. Until then
    ``look`` reads and ``alone`` writes without the two round trips of BEGIN and COMMIT.
    """

    __slots__ = ("_connection", "_database", "_done", "_opening", "events", "tenant_id")

    def __init__(
        self,
        database: Database,
        connection: Any,
        tenant_id: int,
        opening: Callable[[], Awaitable[object]] | None = None,
    ) -> None:
        self._database = database
        self._connection = connection
        self._opening = opening
        self._done = False
        self.tenant_id = tenant_id
        self.events: dict[str, int] = {}
        """What happens here, by name and number; ``Database.committed`` learns of it after the commit."""

    def seal(self, plain: bytes) -> bytes:
        """Encrypt personal data for storage (the process's key ring)."""
        return self._database.seal(plain)

    def unseal(self, sealed: bytes) -> bytes:
        """Decrypt what ``seal`` made."""
        return self._database.unseal(sealed)

    def fingerprint(self, text: str) -> bytes:
        """Return a keyed hash by which personal data, a phone number, is found again."""
        return self._database.fingerprint(text)

    def partner(self, connection_id: int | None) -> Any:
        """Return a connection's ``dialect.Partner``; None where there is none (any more)."""
        if connection_id is None:
            return None
        return self._database.partner(self.tenant_id, connection_id)

    def listens(self, connection_id: int, kind: str) -> bool:
        """Tell whether that connection's partner is told facts of this kind."""
        return self._database.listens(self.tenant_id, connection_id, kind)

    def listeners(self, kind: str) -> Sequence[int]:
        """Return the connections whose partners are told facts of this kind, whatever they are about."""
        return self._database.listeners(self.tenant_id, kind)

    def overhearers(self, kind: str) -> Sequence[int]:
        """Return the connections that are told facts of this kind whoever they are for (``""``: of any)."""
        return self._database.overhearers(self.tenant_id, kind)

    async def look(self, query: str, *args: object) -> list[Row]:
        """Run a query that neither writes nor locks; it begins no transaction.

        At READ COMMITTED every statement sees what is committed when it starts, so it sees the same inside.
        """
        found: list[Row] = await self._connection.fetch(query, self.tenant_id, *args)
        return found

    async def alone(self, query: str, *args: object) -> list[Row]:
        """Run the one statement by which this work writes; after it only ``look`` is allowed.

        Where nothing was written before, it commits by itself: its locks last no longer than it does, and
        nobody waits for a process that has to come round to its COMMIT.
        """
        if self._opening is None:
            return await self.rows(query, *args)
        found = await self.look(query, *args)
        self._done = True
        return found

    async def rows(self, query: str, *args: object) -> list[Row]:
        """Run a query; ``args`` follow the tenant's id."""
        await self.begin()
        found: list[Row] = await self._connection.fetch(query, self.tenant_id, *args)
        return found

    async def row(self, query: str, *args: object) -> Row | None:
        """Run a query for at most one row."""
        await self.begin()
        found: Row | None = await self._connection.fetchrow(query, self.tenant_id, *args)
        return found

    async def value(self, query: str, *args: object) -> Any:
        """Run a query for the first column of its first row."""
        await self.begin()
        return await self._connection.fetchval(query, self.tenant_id, *args)

    async def do(self, query: str, *args: object) -> int:
        """Run a statement; return how many rows it touched."""
        await self.begin()
        tag: str = await self._connection.execute(query, self.tenant_id, *args)
        return int(tag.rpartition(" ")[2])

    @asynccontextmanager
    async def savepoint(self) -> AsyncIterator[None]:
        """Undo what happens inside when it raises, and let the transaction go on."""
        await self.begin()
        try:
            async with self._connection.transaction():
                yield
        except asyncpg.IntegrityConstraintViolationError as error:
            raise _refusal(error) from error

    async def copy(self, table: str, columns: Sequence[str], records: Any) -> None:
        """COPY records (tenant's id included) into a table; records may be an async iterable."""
        await self.begin()
        await self._connection.copy_records_to_table(table, columns=columns, records=records)

    async def stage(self, shape: Mapping[str, str], csv: bytes) -> None:
        """COPY CSV text into a fresh temporary table ``staged``; an unquoted empty cell is null.

        ``shape`` maps column to type. The table ends with the transaction, or with the next staging.
        """
        await self.begin()
        columns = ", ".join(f"{name} {kind}" for name, kind in shape.items())
        await self._connection.execute(
            f"DROP TABLE IF EXISTS pg_temp.staged; CREATE TEMP TABLE staged ({columns}) ON COMMIT DROP"
        )
        await self._connection.copy_to_table("staged", source=BytesIO(csv), format="csv")

    async def stream(self, query: str, *args: object, prefetch: int = 1000) -> AsyncIterator[Row]:
        """Iterate over a large result in bounded memory; needs a transaction."""
        await self.begin()
        async for row in self._connection.cursor(query, self.tenant_id, *args, prefetch=prefetch):
            yield row

    async def begin(self) -> None:
        """Begin the transaction, where it has not begun."""
        if self._done:
            raise EntrepotError("work that wrote alone writes nothing more")
        if self._opening is not None:
            opening, self._opening = self._opening, None
            await opening()


@asynccontextmanager
async def alone(url: str) -> AsyncIterator[Any]:
    """Open one connection outside any pool, for work before a pool can be (migrations)."""
    connection = await asyncpg.connect(url)
    try:
        yield connection
    finally:
        await connection.close()


def _refusal(error: Any) -> EntrepotError:
    """Return what a constraint's violation means: one named ``…_taken`` is a name that exists already."""
    name = error.constraint_name or "?"
    if name.endswith("_taken"):
        what = name.removesuffix("_taken").replace("_", " ")
        return Conflict(name, f"That {what} is taken already.")
    return Broken(name, str(error))


async def _as_it_is(_connection: Any) -> None:
    """Give a connection back without the driver's four resetting statements: nothing here sets any state."""


def _unset(*_: object) -> Any:
    message = "the composition root has not handed the database its key ring and registry"
    raise EntrepotError(message)


def _nobody(*_: object) -> Sequence[int]:
    return ()


def _nothing(_what: str, _number: int) -> None:
    """Take no notice."""


class Database:
    """The pool of one process.

    ``app`` hands it ``seal``, ``unseal`` and ``fingerprint`` (the key ring), ``listens``, ``listeners`` and
    ``partner`` (the registry), so that every flow finds them on its transaction.
    """

    def __init__(self, pool: Any, url: str) -> None:
        self._pool = pool
        self.url = url
        self.seal: Callable[[bytes], bytes] = _unset
        self.unseal: Callable[[bytes], bytes] = _unset
        self.fingerprint: Callable[[str], bytes] = _unset
        self.partner: Callable[[int, int], Any] = _unset
        self.listens: Callable[[int, int, str], bool] = _unset
        self.listeners: Callable[[int, str], Sequence[int]] = _nobody
        self.overhearers: Callable[[int, str], Sequence[int]] = _nobody
        self.committed: Callable[[str, int], None] = _nothing

    @classmethod
    async def open(cls, url: str, *, size: int = 10) -> Database:
        """Connect and lease this process's number for ids; raises Unusable where that cannot be."""
        try:
            pool = await asyncpg.create_pool(
                url,
                min_size=1,
                max_size=size,
                command_timeout=60,
                reset=_as_it_is,
                server_settings={"application_name": "entrepot", "timezone": "UTC"},
            )
        except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
            raise Unusable(f"The database cannot be reached: {error}") from error
        try:
            ids.configure(await pool.fetchval("SELECT nextval('process_number')"))
        except asyncpg.UndefinedTableError as error:
            await pool.close()
            raise Unusable(
                "The database is empty; start the hub on it once: entrepot serve"
            ) from error
        return cls(pool, url)

    async def close(self) -> None:
        """Close every connection, waiting for those in use."""
        await self._pool.close()

    @asynccontextmanager
    async def transaction(
        self,
        tenant_id: int,
        *,
        isolation: str = "read_committed",
        readonly: bool = False,
    ) -> AsyncIterator[Tx]:
        """Open one transaction of one tenant: committed at the end, rolled back on any error."""
        async with self._work(tenant_id, isolation=isolation, readonly=readonly) as tx:
            await tx.begin()
            yield tx

    def connections(self) -> tuple[int, int]:
        """Return how many connections the pool has, and how many of them rest."""
        return self._pool.get_size(), self._pool.get_idle_size()

    @asynccontextmanager
    async def reading(self, tenant_id: int) -> AsyncIterator[Tx]:
        """One or more separate reading statements, without a transaction around them."""
        async with self._pool.acquire() as connection:
            yield Tx(self, connection, tenant_id)

    async def run(self, tenant_id: int, work: Callable[[Tx], Awaitable[T]]) -> T:
        """Run ``work`` in a transaction; again after a deadlock it lost, or when it asks for it."""
        for attempt in range(_TRIES):
            try:
                async with self._work(tenant_id) as tx:
                    return await work(tx)
            except _LOST:
                if attempt == _TRIES - 1:
                    raise
                await asyncio.sleep(random.uniform(0.005, 0.02) * 2**attempt)  # noqa: S311
        raise EntrepotError("unreachable")

    @asynccontextmanager
    async def _work(self, tenant_id: int, **how: object) -> AsyncIterator[Tx]:
        """Give a connection for one tenant's work; what it begins is committed at the end, or rolled back."""
        async with self._pool.acquire() as connection:
            try:
                async with AsyncExitStack() as begun:
                    transaction = connection.transaction(**how)
                    tx = Tx(
                        *(self, connection, tenant_id),
                        opening=lambda: begun.enter_async_context(transaction),
                    )
                    yield tx
                for what, number in tx.events.items():
                    self.committed(what, number)
            except asyncpg.IntegrityConstraintViolationError as error:
                raise _refusal(error) from error

    async def rows(self, query: str, *args: object) -> list[Row]:
        """Read across tenants (registries, schedules); nothing is added to ``args``."""
        found: list[Row] = await self._pool.fetch(query, *args)
        return found

    async def hold(self, key: int) -> Any:
        """Hold a shared advisory lock for as long as the returned connection lives."""
        connection = await asyncpg.connect(self.url)
        await connection.execute("SELECT pg_advisory_lock_shared($1)", key)
        return connection

    async def listen(self, channel: str, heard: Callable[[str], None]) -> Any:
        """Hold one connection that calls ``heard(payload)`` for each NOTIFY on ``channel``."""
        connection = await asyncpg.connect(self.url)
        await connection.add_listener(channel, lambda *event: heard(event[-1]))
        return connection

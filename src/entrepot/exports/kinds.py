"""What can be brought out: for each kind the columns that an import of it reads, and its rows."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import msgspec

from entrepot import clock
from entrepot.db import queries
from entrepot.errors import Unusable
from entrepot.facts import Receiver
from entrepot.imports import articles, orders, suites

if TYPE_CHECKING:
    from entrepot.db import Row, Tx

_q = queries(__package__)
_MOST_DETAILS = 200


@dataclass(frozen=True, slots=True)
class Table:
    """A header, and rows of texts, numbers, booleans and None, read as they are written."""

    header: Sequence[str]
    rows: AsyncIterator[Sequence[object]]


async def _articles(tx: Tx, *, personal: bool) -> Table:  # noqa: ARG001 - every kind is asked alike
    """Single articles; each of their details is a column."""
    keys = [row["key"] for row in await tx.rows(_q.detail_keys, _MOST_DETAILS + 1)]
    if len(keys) > _MOST_DETAILS:
        raise Unusable(f"The articles have more than {_MOST_DETAILS} different details.")

    def cells(row: Row) -> Sequence[object]:
        *head, packed = _values(row)
        details: Mapping[str, Any] = msgspec.json.decode(packed)
        return [*head, *(_detail(details.get(key)) for key in keys)]

    names = [column.name for column in articles.kind.columns]
    return Table([*names, *(articles.PREFIX + key for key in keys)], _each(tx, _q.articles, cells))


def _detail(value: object) -> object:
    """Return a detail as a cell: what is neither text nor number as its JSON."""
    if value is None or isinstance(value, str):
        return value
    return msgspec.json.encode(value).decode()


async def _suites(tx: Tx, *, personal: bool) -> Table:  # noqa: ARG001
    """One row a part, with the suite's head on each."""

    def cells(row: Row) -> Sequence[object]:
        values = _values(row)
        head, props, part = values[:17], msgspec.json.decode(values[17]), values[18:]
        return [*head, *(*props, *[""] * 6)[:6], *part]

    return Table([column.name for column in suites.kind.columns], _each(tx, _q.suites, cells))


async def _orders(tx: Tx, *, personal: bool) -> Table:
    """One row a line; what is said of the whole order, and its receiver, on its first line."""
    names = [column.name for column in orders.kind.columns]
    kept = [name for name in names if personal or name not in orders.RECEIVER]
    last = 0

    def cells(row: Row) -> Sequence[object]:
        nonlocal last
        found = dict(row.items())
        found["created_at"] = clock.shanghai(found["created_at"]).strftime("%Y-%m-%d %H:%M:%S")
        if found["id"] == last:
            found |= dict.fromkeys(orders.OF_ORDER)
        elif personal and found["receiver"] is not None:
            whom = msgspec.json.decode(tx.unseal(found["receiver"]), type=Receiver)
            found |= {**msgspec.structs.asdict(whom), "receiver": whom.name}
        last = found["id"]
        return [found.get(name) for name in kept]

    return Table(kept, _each(tx, _q.orders, cells))


def _plain(query: str, *columns: str) -> Ask:
    """Return a kind whose rows are a query's."""

    async def ask(tx: Tx, *, personal: bool) -> Table:  # noqa: ARG001
        return Table(columns, _each(tx, query, _values))

    return ask


def _values(row: Row) -> list[Any]:
    return [value for _, value in row.items()]


async def _each(
    tx: Tx, query: str, cells: Callable[[Row], Sequence[object]]
) -> AsyncIterator[Sequence[object]]:
    async for row in tx.stream(query):
        yield cells(row)


Ask = Callable[..., Awaitable[Table]]
KINDS: Mapping[str, Ask] = {
    "articles": _articles,
    "suites": _suites,
    "outlets": _plain(
        _q.outlets,
        *("code", "name", "province", "city", "connection", "ships", "paused", "priority"),
        *("daily_capacity", "groups"),
    ),
    "listings": _plain(_q.listings, "connection", "type", "key", "sku"),
    "pieces": _plain(_q.pieces, "code", "sku", "location"),
    "stock": _plain(_q.stock, "sku", "location", "qty", "weight", "safety"),
    "orders": _orders,
}

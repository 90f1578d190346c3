"""What happened, as small frozen structs: the words between nouns, courier and dialects.

A fact is written to the outbox in the transaction that made it true, and carries what was true then.
``kind`` is its stable name in the database and in ``deliveries list``.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any, ClassVar

import msgspec

from entrepot.errors import Unusable

if TYPE_CHECKING:
    from collections.abc import Iterator


class Fact(msgspec.Struct, frozen=True, kw_only=True):
    """Something that happened to one document.

    ``personal`` facts carry names, phones or addresses and are stored sealed. A delivered fact whose
    kind is in ``superseded_by``, on the same document, makes a waiting one pointless: it is settled
    without a call.
    """

    kind: ClassVar[str] = ""
    personal: ClassVar[bool] = False
    superseded_by: ClassVar[frozenset[str]] = frozenset()

    number: str
    """The number under which the document first came in."""

    def numbers(self) -> tuple[str, ...]:
        """Every number this fact may be searched by; the document's own first."""
        return (self.number,)


class GoodsLine(msgspec.Struct, frozen=True, kw_only=True):
    """One article and how many pieces of it."""

    sku: str
    qty: int


class OrderPlaced(Fact, frozen=True, kw_only=True):
    """An order of ours is to be pushed to a partner that fulfils it."""

    kind = "order_placed"
    personal = True

    customer: str
    lines: tuple[GoodsLine, ...]
    details: dict[str, Any] = {}


class OrderProcessed(Fact, frozen=True, kw_only=True):
    """An operator or the connection's own rule marked the order as processed."""

    kind = "order_processed"
    superseded_by = frozenset({"order_shipped"})


class OrderShipped(Fact, frozen=True, kw_only=True):
    """All goods of the order left."""

    kind = "order_shipped"


class OrderCancelled(Fact, frozen=True, kw_only=True):
    """The order was cancelled on our side and the partner who fulfils it must know."""

    kind = "order_cancelled"

    remark: str = ""


class Level(msgspec.Struct, frozen=True, kw_only=True):
    """What one listing may sell now, read at sending time.

    ``total`` is over the connection's locations; ``by_location`` (location code to pieces) only where
    the connection publishes per store.
    """

    listing_id: int
    type: str
    key: str
    total: int
    by_location: dict[str, int] = {}


class Levels(msgspec.Struct, frozen=True, kw_only=True):
    """A batch of levels for one call. Never queued: see ``courier.levels``."""

    kind: ClassVar[str] = "stock"

    levels: tuple[Level, ...]


def _kinds(root: type[Fact]) -> Iterator[type[Fact]]:
    for child in root.__subclasses__():
        yield child
        yield from _kinds(child)


@lru_cache(maxsize=256)
def _named(kind: str) -> type[Fact]:
    for candidate in _kinds(Fact):
        if candidate.kind == kind:
            return candidate
    message = f"The outbox holds a fact of kind {kind!r} that this version does not know; upgrade."
    raise Unusable(message)


def encode(fact: Fact) -> bytes:
    """Return the fact as stored in the outbox."""
    return msgspec.json.encode(fact)


def decode(kind: str, payload: bytes) -> Fact:
    """Return the fact of ``kind``; raises Unusable for a kind this version does not know."""
    return msgspec.json.decode(payload, type=_named(kind))


def superseded_by(kind: str) -> frozenset[str]:
    """Return the kinds that make a waiting fact of ``kind`` pointless; none for an unknown kind."""
    try:
        return _named(kind).superseded_by
    except Unusable:
        return frozenset()

"""What a fact is, and its way into the outbox and out of it. Pure."""

from __future__ import annotations

from decimal import Decimal
from functools import lru_cache
from operator import index
from typing import TYPE_CHECKING, Any, ClassVar

import msgspec

from entrepot.errors import Unusable

if TYPE_CHECKING:
    from collections.abc import Iterator

_LONG_NOUNS = ("sales_return",)
PERSONAL = frozenset({"receiver", "customer", "member", "details"})
"""Fields of facts that may hold names, phones and addresses."""


class Fact(msgspec.Struct, frozen=True, kw_only=True):
    """Something that happened to one document.

    ``personal`` facts carry names, phones or addresses and are stored sealed. A delivered fact whose
    kind is in ``superseded_by``, on the same document, makes a waiting one pointless: it is settled
    without a call. What becomes of the delivery of one that ``echoes`` is told to the noun it came from.
    """

    kind: ClassVar[str] = ""
    personal: ClassVar[bool] = False
    superseded_by: ClassVar[frozenset[str]] = frozenset()
    echoes: ClassVar[bool] = False

    number: str
    """The number under which the document first came in."""

    def numbers(self) -> tuple[str, ...]:
        """Every number this fact may be searched by; the document's own first."""
        return (self.number,)


def _kinds(root: type[Fact]) -> Iterator[type[Fact]]:
    for child in root.__subclasses__():
        yield child
        yield from _kinds(child)


def every() -> list[type[Fact]]:
    """Return the facts of the hub itself, by kind; a dialect's own errands are nobody else's."""
    ours = (fact for fact in _kinds(Fact) if fact.__module__.rpartition(".")[0] == __package__)
    return sorted((fact for fact in ours if fact.kind), key=lambda fact: fact.kind)


def kinds() -> list[str]:
    """Return the kinds of the hub's own facts, in order."""
    return [fact.kind for fact in every()]


def event(kind: str) -> str:
    """Return the type of event under which outsiders know a kind.

    ``order_shipped`` → ``order.shipped``, ``sales_return_filed`` → ``sales_return.filed``.
    """
    noun = next((noun for noun in _LONG_NOUNS if kind.startswith(f"{noun}_")), None)
    return kind.replace("_", ".", 1) if noun is None else f"{noun}.{kind.removeprefix(f'{noun}_')}"


@lru_cache(maxsize=256)
def _named(kind: str) -> type[Fact]:
    for candidate in _kinds(Fact):
        if candidate.kind == kind:
            return candidate
    message = f"The outbox holds a fact of kind {kind!r} that this version does not know; upgrade."
    raise Unusable(message)


def encode(fact: Fact) -> bytes:
    """Return the fact as stored in the outbox; its numbers may be of a decoder's own types."""
    return msgspec.json.encode(fact, enc_hook=_number)


def _number(value: Any) -> Decimal | int:
    return Decimal(value) if isinstance(value, Decimal) else index(value)


def decode(kind: str, payload: bytes) -> Fact:
    """Return the fact of ``kind``; raises Unusable for a kind this version does not know."""
    return msgspec.json.decode(payload, type=_named(kind))


def superseded_by(kind: str) -> frozenset[str]:
    """Return the kinds that make a waiting fact of ``kind`` pointless; none for an unknown kind."""
    try:
        return _named(kind).superseded_by
    except Unusable:
        return frozenset()


def echoes(kind: str) -> bool:
    """Tell whether the noun is told what becomes of deliveries of ``kind``."""
    try:
        return _named(kind).echoes
    except Unusable:
        return False

"""What happened, as small frozen structs: the words between nouns, courier and dialects.

A fact is written to the outbox in the transaction that made it true, and carries what was true then.
``kind`` is its stable name in the database and in ``deliveries list``.
"""

from __future__ import annotations

from decimal import Decimal
from functools import lru_cache
from operator import index
from typing import TYPE_CHECKING, Any, ClassVar

import msgspec

from entrepot.errors import Unusable
from entrepot.money import ZERO

if TYPE_CHECKING:
    from collections.abc import Iterator


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
    echoes = True

    remark: str = ""


class SuitePart(msgspec.Struct, frozen=True, kw_only=True):
    """One line of a suite (组合装明细): how much of which single article, and its share of the price.

    A fixed price is per ``num`` 1, −1 the article's own retail price; ``ratio`` a fraction of what fixed
    prices leave, −1 by amount (num × retail price).
    """

    sku: str
    num: Decimal
    is_fixed_price: bool = False
    fixed_price: Decimal = Decimal(-1)
    ratio: Decimal = Decimal(-1)


class Suite(msgspec.Struct, frozen=True, kw_only=True):
    """A suite (组合装) as a whole: an article that is sold as one and reserved and shipped as its parts.

    ``print_mode``: 0 parts, 1 suite and parts, 2 suite; ``large_type``: 0 not bulky, 1 bulky, 2 bulky
    and sent alone.
    """

    sku: str
    name: str
    parts: tuple[SuitePart, ...]
    unit: str = ""
    class_name: str = ""
    brand_name: str = ""
    aux_unit: str = ""
    short_name: str = ""
    barcode: str = ""
    props: tuple[str, ...] = ("",) * 6
    remark: str = ""
    label: str = ""
    print_mode: int = 0
    large_type: int = 0
    weight: Decimal = ZERO
    retail_price: Decimal = ZERO
    wholesale_price: Decimal = ZERO
    member_price: Decimal = ZERO
    market_price: Decimal = ZERO


class Spec(msgspec.Struct, frozen=True, kw_only=True):
    """A single article (单品) as a variant of goods; ``details`` is what a partner says besides."""

    sku: str
    name: str = ""
    code: str = ""
    barcode: str = ""
    unit: str = ""
    pic_url: str = ""
    weight: Decimal = ZERO
    retail_price: Decimal = ZERO
    details: dict[str, Any] = {}


class Goods(msgspec.Struct, frozen=True, kw_only=True):
    """Goods (货品) with some or all of their specs."""

    goods_no: str
    name: str
    specs: tuple[Spec, ...]
    class_name: str = ""
    brand_name: str = ""
    unit: str = ""
    details: dict[str, Any] = {}


class GoodsSaved(Fact, frozen=True, kw_only=True):
    """Goods were made or changed, or became part of a suite that a partner is told."""

    kind = "goods_saved"

    goods: Goods

    def numbers(self) -> tuple[str, ...]:
        """Goods are also found by their specs."""
        return (self.number, *(spec.sku for spec in self.goods.specs))


class SuiteSaved(Fact, frozen=True, kw_only=True):
    """A suite or one of its parts was made or changed; always the whole suite."""

    kind = "suite_saved"

    suite: Suite


class Receiver(msgspec.Struct, frozen=True, kw_only=True):
    """Whom a parcel goes to."""

    name: str
    phone: str
    province: str
    city: str
    address: str
    county: str = ""


class Piece(msgspec.Struct, frozen=True, kw_only=True):
    """One physical piece of an article; ``code`` is its 件码."""

    sku: str
    code: str


class Parcel(msgspec.Struct, frozen=True, kw_only=True):
    """A package under way; ``express`` is the carrier's code."""

    express: str
    waybill: str
    pieces: tuple[Piece, ...]


class Transfer(msgspec.Struct, frozen=True, kw_only=True):
    """What one outlet shipped of an order, under its note's number."""

    note: str
    outlet: str
    outlet_name: str
    parcels: tuple[Parcel, ...]

    def numbers(self) -> tuple[str, ...]:
        """Return the note's number, the waybills and the pieces' codes."""
        codes = (piece.code for parcel in self.parcels for piece in parcel.pieces)
        return (self.note, *(parcel.waybill for parcel in self.parcels), *codes)


class DispatchRequested(Fact, frozen=True, kw_only=True):
    """An order of ours is to be shipped by the partner, from wherever the goods are."""

    kind = "dispatch_requested"
    personal = True

    shop: str
    purchase: str
    member: str
    receiver: Receiver
    lines: tuple[GoodsLine, ...]


class DispatchOffered(Fact, frozen=True, kw_only=True):
    """An outlet that the partner serves is to ship these goods; ``note`` is our number for that."""

    kind = "dispatch_offered"
    echoes = True
    personal = True
    superseded_by = frozenset({"dispatch_withdrawn"})

    note: str
    outlet: str
    purchase: str
    receiver: Receiver
    lines: tuple[GoodsLine, ...]

    def numbers(self) -> tuple[str, ...]:
        """Return the order's number and the note's."""
        return (self.number, self.note)


class DispatchWithdrawn(Fact, frozen=True, kw_only=True):
    """The outlet is asked to give up what it has not shipped of a note."""

    kind = "dispatch_withdrawn"
    echoes = True

    note: str
    outlet: str

    def numbers(self) -> tuple[str, ...]:
        """Return the order's number and the note's."""
        return (self.number, self.note)


class DispatchRefused(Fact, frozen=True, kw_only=True):
    """We cannot ship what is still open of the order."""

    kind = "dispatch_refused"

    reason: str


class PackagesShipped(Fact, frozen=True, kw_only=True):
    """Goods of the order left an outlet; ``late_reason`` is why not within 24 hours."""

    kind = "packages_shipped"
    echoes = True

    transfer: Transfer
    late_reason: str = ""

    def numbers(self) -> tuple[str, ...]:
        """Return every number of it, down to the pieces' codes."""
        return (self.number, *self.transfer.numbers())


class DispatchCompleted(Fact, frozen=True, kw_only=True):
    """Nothing more of the order will be shipped; no transfers: it was oversold."""

    kind = "dispatch_completed"
    echoes = True

    transfers: tuple[Transfer, ...]

    def numbers(self) -> tuple[str, ...]:
        """Return every number of it, down to the pieces' codes."""
        return (self.number, *(n for transfer in self.transfers for n in transfer.numbers()))


class ReturnReceived(Fact, frozen=True, kw_only=True):
    """A shipped piece came back to an outlet; the waybill is the return's."""

    kind = "return_received"

    note: str
    outlet: str
    outlet_name: str
    express: str
    waybill: str
    piece: Piece

    def numbers(self) -> tuple[str, ...]:
        """Return the order's number, the note's, the waybill and the piece's code."""
        return (self.number, self.note, self.waybill, self.piece.code)


class WaybillChanged(Fact, frozen=True, kw_only=True):
    """A package goes under another waybill than the partner was told (``target``)."""

    kind = "waybill_changed"

    note: str
    target: str
    express: str
    waybill: str

    def numbers(self) -> tuple[str, ...]:
        """Return the order's number, the note's, and both waybills."""
        return (self.number, self.note, self.target, self.waybill)


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


def kinds() -> list[str]:
    """Return the kinds of facts that this program knows, in the order of their writing."""
    return [fact.kind for fact in _kinds(Fact) if fact.__module__ == __name__]


def event(kind: str) -> str:
    """Return the type of event under which outsiders know a kind: ``order_shipped`` → ``order.shipped``."""
    return kind.replace("_", ".", 1)


@lru_cache(maxsize=256)
def _named(kind: str) -> type[Fact]:
    for candidate in _kinds(Fact):
        if candidate.kind == kind:
            return candidate
    message = f"The outbox holds a fact of kind {kind!r} that this version does not know; upgrade."
    raise Unusable(message)


def encode(fact: Fact) -> bytes:
    """Return the fact as stored in the outbox; its whole numbers may be of a decoder's own types."""
    return msgspec.json.encode(fact, enc_hook=index)


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

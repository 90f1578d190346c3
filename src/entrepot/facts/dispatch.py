"""Dispatch notes: offered, refused, shipped in parcels, come back. Pure."""

from __future__ import annotations

import msgspec

from entrepot.facts.fact import Fact
from entrepot.facts.orders import GoodsLine


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


class NoteRefused(Fact, frozen=True, kw_only=True):
    """An outlet will not ship the rest of a note; it is offered elsewhere where that may be."""

    kind = "note_refused"

    note: str
    outlet: str
    reason: str

    def numbers(self) -> tuple[str, ...]:
        """Return the order's number and the note's."""
        return (self.number, self.note)


class NoteParked(Fact, frozen=True, kw_only=True):
    """Goods of a note were offered as often as they may be; a person says where they come from."""

    kind = "note_parked"

    note: str
    outlet: str

    def numbers(self) -> tuple[str, ...]:
        """Return the order's number and the note's."""
        return (self.number, self.note)


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

"""A note's life and an order's, as tables and decisions. Pure."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Literal

from msgspec import Struct, field

from entrepot.errors import Conflict, Missing, Refused

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence

NoteState = Literal["open", "done", "refused", "withdrawn", "void"]
"""open: to be shipped · done: all of it left · refused: by the outlet · withdrawn: from a silent outlet,
or by a person · void: given up because the order was to be voided."""
NoteStep = Literal["finish", "refuse", "withdraw", "void"]
NOTE_STEPS: Mapping[NoteStep, Mapping[str, NoteState]] = {
    "finish": {"open": "done"},
    "refuse": {"open": "refused"},
    "withdraw": {"open": "withdrawn"},
    "void": {"open": "void"},
}

Onward = Literal["none", "waiting", "parked", "sourced", "lacking"]
"""What became of goods that a note's outlet did not ship. none: it shipped them all, or is to ·
waiting: to be offered elsewhere, once a void that is being asked about is decided · parked: a person's ·
sourced: offered elsewhere · lacking: nobody has them, which is final."""

OrderState = Literal[
    "accepted", "partly_shipped", "parked", "shipped", "short", "oversold", "cancelled"
]
FINAL = frozenset({"shipped", "short", "oversold", "cancelled"})
UNDECIDED = frozenset({"accepted", "parked"})
"""Nothing has left yet, and nothing is final: it may still be voided."""

DAY = 24 * 3600.0


class Line(Struct, kw_only=True):
    """Pieces of one article on a note."""

    qty: int
    shipped: int = 0

    @property
    def rest(self) -> int:
        """Pieces that have not left."""
        return self.qty - self.shipped


class Package(Struct, kw_only=True):
    """A parcel that left; ``earlier`` are the waybills it had before; ``codes`` to article ids."""

    id: int
    express: str
    waybill: str
    earlier: list[str] = field(default_factory=list)
    codes: dict[str, int] = field(default_factory=dict)

    def goes_under(self, waybill: str) -> bool:
        """Tell whether this is, or once was, the package's waybill."""
        return waybill == self.waybill or waybill in self.earlier


class Note(Struct, kw_only=True):
    """What one outlet is to ship of one order; ``lines`` by article id."""

    id: int
    number: str
    location_id: int
    connection_id: int | None = None
    state: NoteState = "open"
    round: int = 1
    onward: Onward = "none"
    keeps: bool = False
    offer_id: int | None = None
    recall_id: int | None = None
    reason: str = ""
    late_reason: str = ""
    why: str = ""
    created_at: datetime | None = None
    told: bool = False
    answered: bool = False
    silent: bool = False
    outlet: str = ""
    outlet_name: str = ""
    lines: dict[int, Line] = field(default_factory=dict)
    packages: list[Package] = field(default_factory=list)

    @property
    def rest(self) -> dict[int, int]:
        """Pieces that have not left, by article."""
        return {article: line.rest for article, line in self.lines.items() if line.rest}

    @property
    def shipped(self) -> int:
        """Pieces that have left."""
        return sum(line.shipped for line in self.lines.values())


class Order(Struct, kw_only=True):
    """An order that outlets ship, while its row is locked; ``lines`` are ordered pieces by article."""

    id: int
    number: str
    connection_id: int | None
    state: OrderState
    shop_id: int | None = None
    outlet_id: int | None = None
    purchase: str = ""
    province: str = ""
    city: str = ""
    receiver: bytes | None = None
    voiding: bool = False
    ended: bool = False
    lines: dict[int, int] = field(default_factory=dict)
    notes: list[Note] = field(default_factory=list)

    @property
    def shipped(self) -> int:
        """Pieces that have left."""
        return sum(note.shipped for note in self.notes)

    @property
    def open_notes(self) -> list[Note]:
        """The notes that outlets have still to answer."""
        return [note for note in self.notes if note.state == "open"]


class Box(Struct, frozen=True, kw_only=True):
    """A parcel as an outlet reports it."""

    express: str
    waybill: str
    codes: tuple[str, ...]


class Piece(Struct, kw_only=True):
    """A registered piece while its row is locked."""

    code: str
    article_id: int
    location_id: int
    state: Literal["in_stock", "shipped"]
    package_id: int | None = None


def advance(note: Note, step: NoteStep) -> bool:
    """Take a step on a note; False (and no change) where it does not lead on from its state."""
    state = NOTE_STEPS[step].get(note.state)
    if state is None:
        return False
    note.state = state
    return True


def after(order: Order) -> OrderState:
    """Return the state an order's notes amount to."""
    if order.state == "cancelled":
        return "cancelled"
    onward = {note.onward for note in order.notes}
    if "parked" in onward:
        return "parked"
    shipped = order.shipped
    if order.voiding or order.open_notes or "waiting" in onward:
        return "partly_shipped" if shipped else "accepted"
    if shipped == sum(order.lines.values()):
        return "shipped"
    return "short" if shipped else "oversold"


def void_decided(order: Order) -> bool | None:
    """Decide on a void that is being asked about: True it is void, False goods have left, None wait."""
    if order.shipped or any(note.keeps for note in order.open_notes):
        return False
    return None if order.open_notes else True


def refused_by(order: Order) -> set[int]:
    """Return the outlets that are not asked again: they refused, or kept silent too long."""
    return {n.location_id for n in order.notes if n.state in ("refused", "withdrawn")}


def new_codes(
    note: Note, boxes: Sequence[Box], pieces: Mapping[str, Piece]
) -> dict[str, list[str]] | Refused:
    """Return the codes that a checkout newly ships, by waybill, or why it cannot be done.

    What a package holds already is passed over, so that the same checkout again is a success whatever
    became of the note since. A refused checkout applies nothing.
    """
    if not boxes or not all(box.codes for box in boxes):
        return Conflict("nothing_packed", "A checkout needs packages, and packages need codes.")
    every = [code for box in boxes for code in box.codes]
    twice = _repeated(every)
    if twice:
        return Conflict("pieces_refused", "Codes stand twice in the request.", codes=twice)
    fresh: dict[str, list[str]] = {}
    for box in boxes:
        held = {code for p in note.packages if p.goes_under(box.waybill) for code in p.codes}
        new = [code for code in box.codes if code not in held]
        if new:
            fresh.setdefault(box.waybill, []).extend(new)
    codes = [code for new in fresh.values() for code in new]
    if not codes:
        return fresh
    if note.state not in ("open", "done"):
        return Conflict("note_void", f"Note {note.number} is {note.state}.")
    wrong = _wrong(note, codes, pieces)
    if wrong:
        return Conflict("pieces_refused", "These codes cannot be shipped.", codes=wrong)
    return fresh


def refusable(note: Note) -> bool | Conflict:
    """Tell whether a refusal changes anything: not twice, not on a void note; all shipped: Conflict."""
    if note.state == "done":
        return Conflict("note_shipped", f"All of note {note.number} has left.")
    return note.state == "open"


def recallable(order: Order, note: Note) -> bool | Conflict:
    """Tell whether asking for a note back changes anything: Conflict where it left or is being voided."""
    if note.state == "done":
        return Conflict("note_shipped", f"All of note {note.number} has left.")
    if note.state != "open" or note.recall_id is not None:
        return False
    if order.voiding:
        text = f"Order {order.number} is being voided; its outlets are asked already."
        return Conflict("order_voiding", text, number=order.number)
    return True


def box_for(note: Note, waybill: str) -> Package | None:
    """Return the package that a waybill's pieces join: the one under it now, else once under it."""
    now = [package for package in note.packages if package.waybill == waybill]
    then = [package for package in note.packages if waybill in package.earlier]
    return next(iter((*now, *then)), None)


def changing(note: Note, target: str, express: str, waybill: str) -> list[Package] | Missing:
    """Return the packages whose waybill changes; none where that has happened before."""
    hits = [package for package in note.packages if package.waybill == target]
    if hits:
        return [p for p in hits if (p.express, p.waybill) != (express, waybill)]
    done = any(
        target in p.earlier and (p.express, p.waybill) == (express, waybill) for p in note.packages
    )
    if done:
        return []
    return Missing("unknown_waybill", f"Note {note.number} has no waybill {target}.")


def too_late(note: Note, reason: str, now: datetime, *, demanded: bool) -> bool:
    """Tell whether a checkout lacks the reason that is demanded after 24 hours."""
    if not demanded or reason.strip() or note.created_at is None:
        return False
    return (now - note.created_at).total_seconds() > DAY


def _wrong(note: Note, codes: Iterable[str], pieces: Mapping[str, Piece]) -> list[str]:
    """Return the codes that are unknown, shipped, not of the note's goods, or more than was asked."""
    left = {article: line.rest for article, line in note.lines.items()}
    wrong = []
    for code in codes:
        piece = pieces.get(code)
        if piece is None or piece.state != "in_stock" or not left.get(piece.article_id):
            wrong.append(code)
        else:
            left[piece.article_id] -= 1
    return wrong


def _repeated(values: Collection[str]) -> list[str]:
    seen: set[str] = set()
    twice = [value for value in values if value in seen or seen.add(value)]  # type: ignore[func-returns-value]
    return list(dict.fromkeys(twice))

"""Orders that outlets ship, as a plain model in memory: what the database must come to, step by step.

Written from the documents alone: nothing of ``entrepot.dispatch`` is used here.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import combinations
from typing import Any

CITY, PROVINCE = "杭州", "浙江"


@dataclass(eq=False)
class Place:
    """An outlet."""

    code: str
    city: str
    province: str
    priority: int = 100


@dataclass(eq=False)
class Piece:
    """A piece by its code."""

    sku: str
    place: str
    out: bool = False


@dataclass(eq=False)
class Parcel:
    """A parcel and what it has been called."""

    express: str
    waybill: str
    earlier: list[str] = field(default_factory=list)
    codes: list[str] = field(default_factory=list)


@dataclass(eq=False)
class Note:
    """What an outlet is to ship."""

    place: str
    goods: dict[str, int]
    round: int
    state: str = "open"
    onward: str = "none"
    sent: bool = False
    settled: bool = False
    recalled: bool = False
    keeps: bool = False
    shipped: dict[str, int] = field(default_factory=dict)
    parcels: list[Parcel] = field(default_factory=list)

    @property
    def rest(self) -> dict[str, int]:
        """What has not left."""
        left = {sku: qty - self.shipped.get(sku, 0) for sku, qty in self.goods.items()}
        return {sku: qty for sku, qty in left.items() if qty}


@dataclass(eq=False)
class Order:
    """A store's order."""

    goods: dict[str, int]
    shop: str
    notes: list[Note] = field(default_factory=list)
    voiding: bool = False
    void: bool = False

    @property
    def shipped(self) -> int:
        """Pieces that have left."""
        return sum(sum(note.shipped.values()) for note in self.notes)

    @property
    def open(self) -> list[Note]:
        """The notes under way."""
        return [note for note in self.notes if note.state == "open"]

    @property
    def state(self) -> str:
        """What people are shown."""
        onward = [note.onward for note in self.notes]
        if self.void:
            return "cancelled"
        if "parked" in onward:
            return "parked"
        if self.voiding or self.open or "waiting" in onward:
            return "partly_shipped" if self.shipped else "accepted"
        if not self.shipped:
            return "oversold"
        return "shipped" if self.shipped == sum(self.goods.values()) else "short"


class Model:
    """One tenant. Every verb returns ``""`` or the code of its refusal."""

    def __init__(self, places: list[Place], max_offers: int) -> None:
        self.places = {place.code: place for place in places}
        self.max_offers = max_offers
        self.pieces: dict[str, Piece] = {}
        self.reserved: dict[tuple[str, str], int] = {}
        self.orders: dict[str, Order | None] = {}
        self.returned: set[tuple[str, str, str]] = set()

    def lies(self, sku: str, place: str) -> int:
        """Pieces in stock."""
        return sum(p.sku == sku and p.place == place and not p.out for p in self.pieces.values())

    def free(self, sku: str, place: str) -> int:
        """Pieces that may be promised."""
        return max(0, self.lies(sku, place) - self.reserved.get((sku, place), 0))

    # Orders.

    def make(self, number: str, goods: dict[str, int], shop: str) -> str:
        """A store orders."""
        if number in self.orders:
            known = self.orders[number]
            same = known is None or (known.goods, known.shop) == (goods, shop)
            return "" if same else "order_exists"
        order = self.orders[number] = Order(goods, shop)
        self._source(order, [(goods, 1, None)])
        return ""

    def void(self, number: str) -> str:
        """A store gives an order back; ``asking`` where outlets have to answer first."""
        order = self.orders.setdefault(number, None)
        if order is None or order.state in ("cancelled", "oversold"):
            return ""
        if order.shipped or any(note.keeps for note in order.open):
            return "order_left"
        if not order.voiding:
            order.voiding = True
            for note in order.open:
                if note.sent or note.settled:
                    note.recalled = True
                else:
                    self._close(note, "void")
            self._conclude(order)
        return "asking" if order.voiding else ""

    def again(self, number: str) -> str:
        """A person has parked goods offered again."""
        order = self.orders.get(number)
        if order is None:
            return "unknown_order" if number not in self.orders else "nothing_parked"
        parked = [note for note in order.notes if note.onward == "parked"]
        if not parked or order.voiding:
            return "nothing_parked"
        for note in parked:
            note.onward, note.round = "waiting", 0
        self._conclude(order)
        return ""

    # Notes.

    def refuse(self, order: Order, note: Note) -> str:
        """An outlet will not ship."""
        if note.state == "done":
            return "note_shipped"
        if note.state == "open":
            self._close(note, "refused")
            self._conclude(order)
        return ""

    def offer_answered(self, order: Order, note: Note, state: str) -> None:
        """An outlet answered our offer, or a person took it back."""
        if note.settled or note.state != "open":
            return
        note.settled = True
        if state != "delivered":
            self._close(note, "refused" if state == "rejected" else "withdrawn")
            self._conclude(order)

    def recall_answered(self, order: Order, note: Note, state: str) -> None:
        """An outlet answered whether it gives a note up."""
        if not note.recalled or note.state != "open":
            return
        note.recalled = False
        if state == "delivered":
            self._close(note, "void")
        else:
            note.keeps = True
        self._conclude(order)

    def check_out(self, order: Order, note: Note, boxes: dict[str, list[str]]) -> str:
        """An outlet ships boxes (waybill to codes)."""
        codes = [code for packed in boxes.values() for code in packed]
        if not boxes or not all(boxes.values()):
            return "nothing_packed"
        if len(codes) != len(set(codes)):
            return "pieces_refused"
        new = {w: [c for c in packed if c not in _held(note, w)] for w, packed in boxes.items()}
        new = {waybill: packed for waybill, packed in new.items() if packed}
        if not new:
            return ""
        if note.state not in ("open", "done"):
            return "note_void"
        rest = dict(note.rest)
        for code in (code for packed in new.values() for code in packed):
            piece = self.pieces.get(code)
            if piece is None or piece.out or not rest.get(piece.sku):
                return "pieces_refused"
            rest[piece.sku] -= 1
        for waybill, packed in new.items():
            self._pack(note, waybill, packed)
        if not note.rest:
            note.state = "done"
        self._conclude(order)
        return ""

    def relabel(self, note: Note, target: str, express: str, waybill: str) -> str:
        """An outlet changes a waybill."""
        hits = [parcel for parcel in note.parcels if parcel.waybill == target]
        for parcel in hits:
            if parcel.waybill != waybill:
                parcel.earlier.append(parcel.waybill)
            parcel.express, parcel.waybill = express, waybill
        done = any(
            target in p.earlier and (p.express, p.waybill) == (express, waybill)
            for p in note.parcels
        )
        return "" if hits or done else "unknown_waybill"

    def refund(self, place: str, code: str, waybill: str) -> str:
        """An outlet receives a piece."""
        if code not in self.pieces:
            return "unknown_piece"
        if (place, code, waybill) in self.returned:
            return ""
        piece = self.pieces[code]
        if not piece.out:
            return "piece_not_out"
        piece.out, piece.place = False, place
        self.returned.add((place, code, waybill))
        return ""

    # What follows.

    def _pack(self, note: Note, waybill: str, codes: list[str]) -> None:
        now = [parcel for parcel in note.parcels if parcel.waybill == waybill]
        once = [parcel for parcel in note.parcels if waybill in parcel.earlier]
        parcel = next(iter(now + once), None)
        if parcel is None:
            parcel = Parcel("SF", waybill)
            note.parcels.append(parcel)
        parcel.codes += codes
        for code in codes:
            piece = self.pieces[code]
            piece.place, piece.out = note.place, True
            note.shipped[piece.sku] = note.shipped.get(piece.sku, 0) + 1
            self.reserved[piece.sku, note.place] -= 1

    def _close(self, note: Note, state: str) -> None:
        note.state, note.onward, note.recalled, note.keeps = state, "waiting", False, False
        for sku, qty in note.rest.items():
            self.reserved[sku, note.place] -= qty

    def _conclude(self, order: Order) -> None:
        if order.voiding and (order.shipped or any(note.keeps for note in order.open)):
            order.voiding = False
        elif order.voiding and not order.open:
            order.voiding, order.void = False, True
            for note in order.notes:
                note.onward = "none" if note.onward in ("waiting", "parked") else note.onward
        if not order.voiding and not order.void:
            waiting = [note for note in order.notes if note.onward == "waiting"]
            self._source(order, [(note.rest, note.round + 1, note) for note in waiting])

    def _source(self, order: Order, asks: list[tuple[dict[str, int], int, Note | None]]) -> None:
        """Choose for every request before any is written, those that one outlet nearby has whole first."""
        taken: dict[tuple[str, str], int] = {}
        choices: dict[int, list[tuple[str, dict[str, int]]]] = {}
        for near in (True, False):
            for at, (goods, _, _) in enumerate(asks):
                if at in choices:
                    continue
                parts = self._choose(order, goods, taken, near=near)
                if parts is not None:
                    choices[at] = parts
                    for place, share in parts:
                        for sku, qty in share.items():
                            taken[sku, place] = taken.get((sku, place), 0) + qty
        for at, (_, round_, rest_of) in enumerate(asks):
            self._follow(order, choices[at], round_, rest_of)

    def _follow(
        self,
        order: Order,
        parts: list[tuple[str, dict[str, int]]],
        round_: int,
        rest_of: Note | None,
    ) -> None:
        parked = round_ > self.max_offers and bool(parts)
        if rest_of is not None:
            rest_of.onward = "parked" if parked else "sourced" if parts else "lacking"
        if parked:
            return
        for place, share in parts:
            order.notes.append(Note(place, share, round_))
            for sku, qty in share.items():
                self.reserved[sku, place] = self.reserved.get((sku, place), 0) + qty

    def _choose(
        self,
        order: Order,
        goods: dict[str, int],
        taken: dict[tuple[str, str], int],
        *,
        near: bool,
    ) -> list[tuple[str, dict[str, int]]] | None:
        out = {n.place for n in order.notes if n.state in ("refused", "withdrawn")} | {order.shop}
        have: dict[str, dict[str, int]] = {}
        seen: dict[str, int] = {}
        for code in self.places:
            free = {sku: self.free(sku, code) for sku in goods}
            seen[code] = sum(free.values())
            have[code] = {sku: max(0, n - taken.get((sku, code), 0)) for sku, n in free.items()}
        able = [c for c in self.places if c not in out and any(have[c].values())]
        ranked = sorted(able, key=lambda code: self._rank(code, seen[code]))
        if near:
            ranked = [code for code in ranked if self.places[code].province == PROVINCE]
        target = {sku: min(q, sum(have[c][sku] for c in ranked)) for sku, q in goods.items()}
        for size in range(len(ranked) + 1):
            for chosen in combinations(ranked, size):
                if all(sum(have[c][s] for c in chosen) >= q for s, q in target.items()):
                    if near and (size != 1 or target != goods):
                        return None
                    return _share(chosen, have, dict(goods))
        return None

    def _rank(self, code: str, stock: int) -> tuple[Any, ...]:
        place = self.places[code]
        return (
            place.city != CITY,
            place.province != PROVINCE,
            place.priority,
            -stock,
            code,
        )


def _held(note: Note, waybill: str) -> set[str]:
    parcels = [p for p in note.parcels if waybill in (p.waybill, *p.earlier)]
    return {code for parcel in parcels for code in parcel.codes}


def _share(
    chosen: tuple[str, ...], have: dict[str, dict[str, int]], left: dict[str, int]
) -> list[tuple[str, dict[str, int]]]:
    parts = []
    for code in chosen:
        share = {sku: min(qty, have[code][sku]) for sku, qty in left.items()}
        share = {sku: qty for sku, qty in share.items() if qty}
        left = {sku: qty - share.get(sku, 0) for sku, qty in left.items()}
        if share:
            parts.append((code, share))
    return parts

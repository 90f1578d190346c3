"""Orders of ours that a partner ships: what we ask of it, and what it tells us of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec
from msgspec import Struct, field

from entrepot import facts, ids
from entrepot.courier.outbox import Announcement, announce
from entrepot.db import ints
from entrepot.dispatch.books import _q
from entrepot.errors import Conflict, Missing, Refused
from entrepot.facts import Transfer

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from entrepot.courier.echoes import Echo
    from entrepot.db import Row, Tx


class Told(Struct, frozen=True, kw_only=True):
    """Parcels of an order that left; ``complete``: nothing more will come."""

    number: str
    connection_id: int
    transfers: tuple[Transfer, ...]
    who: str
    complete: bool = False


class ReceiptTold(Struct, frozen=True, kw_only=True):
    """A piece of an order that an outlet got back."""

    number: str
    connection_id: int
    outlet: str
    waybill: str
    code: str
    who: str


class WaybillTold(Struct, frozen=True, kw_only=True):
    """Parcels of any order that go under another waybill."""

    connection_id: int
    target: str
    express: str
    waybill: str
    who: str


class Heard(Struct, frozen=True, kw_only=True):
    """What was told is written down; ``orders`` are the numbers it is about."""

    orders: tuple[str, ...]


class Cancellation(Struct, frozen=True, kw_only=True):
    """An order of ours that its partner is to void."""

    number: str
    connection_id: int
    who: str


class _Parcel(Struct, kw_only=True):
    """A parcel as far as we were told; ``pieces`` are ``{"sku", "code"}``, some with ``"returned"``."""

    id: int
    order_id: int
    note: str
    outlet: str
    outlet_name: str
    express: str
    waybill: str
    earlier: list[str] = field(default_factory=list)
    pieces: list[dict[str, Any]] = field(default_factory=list)


class _Order(Struct, kw_only=True):
    id: int
    number: str
    state: str
    pieces: int
    parcels: list[_Parcel] = field(default_factory=list)


async def parcels(tx: Tx, batch: Sequence[Told]) -> list[Heard | Refused]:
    """Write down parcels; the same again changes nothing, a void order is ``order_void``."""
    orders = await _opened(tx, [(told.connection_id, told.number) for told in batch])
    outcomes: list[Heard | Refused] = []
    logs: list[tuple[int, str, str]] = []
    changed: dict[int, _Parcel] = {}
    for told in batch:
        order = orders.get((told.connection_id, told.number))
        if order is None:
            outcomes.append(_unknown(told.number))
        elif order.state == "cancelled":
            outcomes.append(Conflict("order_void", f"Order {told.number} is void."))
        else:
            outcomes.append(Heard(orders=(told.number,)))
            new = _pack(order, told.transfers)
            changed |= {parcel.id: parcel for parcel in new}
            logs += [
                (order.id, told.who, f"{p.outlet} shipped {p.waybill} for {p.note}") for p in new
            ]
            logs += _move_on(order, told)
    await _write(tx, changed.values(), orders.values(), logs)
    return outcomes


async def receipts(tx: Tx, batch: Sequence[ReceiptTold]) -> list[Heard | Refused]:
    """Write down pieces that came back."""
    orders = await _opened(tx, [(told.connection_id, told.number) for told in batch])
    outcomes: list[Heard | Refused] = []
    logs: list[tuple[int, str, str]] = []
    changed: dict[int, _Parcel] = {}
    for told in batch:
        order = orders.get((told.connection_id, told.number))
        if order is None:
            outcomes.append(_unknown(told.number))
            continue
        hits = [
            (p, piece) for p in order.parcels for piece in p.pieces if piece["code"] == told.code
        ]
        if not hits:
            outcomes.append(
                Missing("unknown_piece", f"No {told.code} was shipped.", codes=[told.code])
            )
            continue
        outcomes.append(Heard(orders=(told.number,)))
        parcel, piece = hits[-1]
        back = [told.outlet, told.waybill]
        if piece.get("returned") != back:
            piece["returned"] = back
            changed[parcel.id] = parcel
            text = f"{told.code} came back to {told.outlet}, waybill {told.waybill}"
            logs.append((order.id, told.who, text))
    await _write(tx, changed.values(), orders.values(), logs)
    return outcomes


async def waybills(tx: Tx, batch: Sequence[WaybillTold]) -> list[Heard | Refused]:
    """Write down that parcels go under another waybill."""
    rows = await tx.rows(
        _q.told_under,
        [told.connection_id for told in batch],
        [told.target for told in batch],
    )
    orders = await _opened(tx, [(row["connection_id"], row["number"]) for row in rows])
    outcomes: list[Heard | Refused] = []
    logs: list[tuple[int, str, str]] = []
    changed: dict[int, _Parcel] = {}
    for told in batch:
        hits = [
            (order, parcel)
            for (connection_id, _), order in orders.items()
            if connection_id == told.connection_id
            for parcel in order.parcels
            if told.target in (parcel.waybill, *parcel.earlier)
        ]
        if not hits:
            text = f"No parcel goes under {told.target}."
            outcomes.append(Missing("unknown_waybill", text))
            continue
        outcomes.append(Heard(orders=tuple({order.number: None for order, _ in hits})))
        for order, parcel in hits:
            if parcel.waybill == told.target and _relabel(parcel, told):
                changed[parcel.id] = parcel
                text = f"waybill {told.target} became {told.waybill} ({told.express})"
                logs.append((order.id, told.who, text))
    await _write(tx, changed.values(), orders.values(), logs)
    return outcomes


async def cancel(tx: Tx, batch: Sequence[Cancellation]) -> list[Heard | Refused]:
    """Ask the partner to void orders of ours; its answer decides."""
    orders = await _opened(tx, [(one.connection_id, one.number) for one in batch])
    outcomes: list[Heard | Refused] = []
    logs: list[tuple[int, str, str]] = []
    news: list[Announcement] = []
    for one in batch:
        order = orders.get((one.connection_id, one.number))
        if order is None:
            outcomes.append(_unknown(one.number))
            continue
        outcomes.append(Heard(orders=(one.number,)))
        if order.state != "cancelled":
            logs.append((order.id, one.who, "asked to be voided"))
            fact = facts.OrderCancelled(number=one.number)
            news.append(Announcement(connection_id=one.connection_id, key=order.id, fact=fact))
    await announce(tx, news)
    await _write(tx, (), orders.values(), logs)
    return outcomes


async def of_cancellations(tx: Tx, batch: Sequence[Echo]) -> None:
    """Draw the consequences of what partners answered to our cancellations."""
    named = [(echo.connection_id, echo.document) for echo in batch]
    orders = await _opened(tx, named)
    logs: list[tuple[int, str, str]] = []
    for echo in batch:
        order = orders.get((echo.connection_id, echo.document))
        partner = tx.partner(echo.connection_id)
        who = partner.name if partner else ""
        if order is None or order.state == "cancelled":
            continue
        if echo.state in ("delivered", "handled"):
            order.state = "cancelled"
            logs.append((order.id, who, "cancelled"))
        elif echo.state == "rejected":
            logs.append((order.id, who, f"not voided: {echo.message}"))
    await _write(tx, (), orders.values(), logs)


def _pack(order: _Order, transfers: Iterable[Transfer]) -> list[_Parcel]:
    """Add what is new to an order's parcels; return those that changed."""
    changed: dict[int, _Parcel] = {}
    for transfer in transfers:
        known = {
            piece["code"] for p in order.parcels if p.note == transfer.note for piece in p.pieces
        }
        for told in transfer.parcels:
            new = [piece for piece in told.pieces if piece.code not in known]
            parcel = next(
                (
                    p
                    for p in order.parcels
                    if p.note == transfer.note and told.waybill in (p.waybill, *p.earlier)
                ),
                None,
            )
            if parcel is None:
                parcel = _Parcel(
                    id=ids.new(),
                    order_id=order.id,
                    note=transfer.note,
                    outlet=transfer.outlet,
                    outlet_name=transfer.outlet_name,
                    express=told.express,
                    waybill=told.waybill,
                )
            if new:
                parcel.pieces += [{"sku": piece.sku, "code": piece.code} for piece in new]
                if parcel not in order.parcels:
                    order.parcels.append(parcel)
                changed[parcel.id] = parcel
    return list(changed.values())


def _move_on(order: _Order, told: Told) -> list[tuple[int, str, str]]:
    shipped = sum(len(parcel.pieces) for parcel in order.parcels)
    if told.complete:
        state = "oversold" if not shipped else "shipped" if shipped >= order.pieces else "short"
    elif order.state == "accepted":
        state = "partly_shipped"
    else:
        return []
    if state == order.state:
        return []
    order.state = state
    return [(order.id, told.who, state)]


def _relabel(parcel: _Parcel, told: WaybillTold) -> bool:
    if (parcel.express, parcel.waybill) == (told.express, told.waybill):
        return False
    if parcel.waybill != told.waybill:
        parcel.earlier.append(parcel.waybill)
    parcel.express, parcel.waybill = told.express, told.waybill
    return True


def _unknown(number: str) -> Missing:
    return Missing("unknown_order", f"There is no order {number}.", number=number)


async def _opened(tx: Tx, named: Iterable[tuple[int, str]]) -> dict[tuple[int, str], _Order]:
    """Lock the orders of ours that these partners fulfil, with what we were told of them."""
    wanted = sorted(set(named))
    if not wanted:
        return {}
    rows = await tx.rows(_q.lock_told, [c for c, _ in wanted], [number for _, number in wanted])
    orders = {
        row["id"]: _Order(
            id=row["id"], number=row["number"], state=row["state"], pieces=row["pieces"] or 0
        )
        for row in rows
    }
    for row in await tx.rows(_q.told_packages, ints(orders)):
        orders[row["order_id"]].parcels.append(_parcel(row))
    return {(row["connection_id"], row["number"]): orders[row["id"]] for row in rows}


def _parcel(row: Row) -> _Parcel:
    return _Parcel(
        id=row["id"],
        order_id=row["order_id"],
        note=row["note"],
        outlet=row["outlet"],
        outlet_name=row["outlet_name"],
        express=row["express"],
        waybill=row["waybill"],
        earlier=list(row["earlier"]),
        pieces=msgspec.json.decode(row["pieces"]),
    )


async def _write(
    tx: Tx,
    changed: Iterable[_Parcel],
    orders: Iterable[_Order],
    logs: Sequence[tuple[int, str, str]],
) -> None:
    rows = list(changed)
    if rows:
        await tx.do(
            _q.save_told,
            ints(p.id for p in rows),
            ints(p.order_id for p in rows),
            [p.note for p in rows],
            [p.outlet for p in rows],
            [p.outlet_name for p in rows],
            [p.express for p in rows],
            [p.waybill for p in rows],
            ["\x1f".join(p.earlier) for p in rows],
            [msgspec.json.encode(p.pieces).decode() for p in rows],
        )
    if logs:
        moved = {log[0] for log in logs}
        states = [order for order in orders if order.id in moved]
        await tx.do(
            _q.save_told_orders,
            ints(order.id for order in states),
            [order.state for order in states],
            ints(log[0] for log in logs),
            ints(ids.some(len(logs))),
            [log[1] for log in logs],
            [log[2] for log in logs],
        )

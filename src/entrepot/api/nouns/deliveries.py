"""Deliveries: what is on its way to partners, every attempt at it, and what a person does about it."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta, Struct

from entrepot.api import naming, paging, words
from entrepot.api.batch import MOST, Batch, batch
from entrepot.api.desk import Desk
from entrepot.api.operation import Created, reads, writes
from entrepot.api.paging import Number, Page, Paged
from entrepot.api.words import SAID, Body, Code, Id, Words
from entrepot.courier import desk as courier
from entrepot.courier.desk import Act, Filter, Line
from entrepot.db import Row, Tx, queries
from entrepot.errors import BadInput, Conflict, Missing, Refused

State = Literal[
    "waiting", "sending", "delivered", "rejected", "needs_attention", "handled", "cancelled"
]
OpenState = Literal["waiting", "needs_attention", "rejected"]
Name = Annotated[
    str,
    Meta(
        pattern=r"^([1-9][0-9]{0,18}|stock-[0-9]{1,19}-[0-9]{1,19})$",
        max_length=50,
        description="A delivery's id, or a level's as `/deliveries/levels` lists it.",
    ),
]
Reason = Annotated[str, Meta(min_length=1, max_length=500, pattern=SAID)]
Age = Annotated[int, Meta(ge=0, le=10**9, description="Made at least so many seconds ago.")]
Part = Annotated[str, Meta(min_length=1, max_length=200, description="Part of the last error.")]
_NEWEST = 2**63 - 1
_q = queries(__package__)


class Delivery(Struct, frozen=True, kw_only=True):
    """Something that happened, on its way to one partner.

    ``behind`` is the delivery that must go first; ``due`` when it is tried next, ``deadline`` when it is
    given up, both null where that does not apply.
    """

    id: str
    connection: str
    kind: str
    document: str | None
    state: State
    attempts: int
    due: datetime | None
    deadline: datetime | None
    behind: str | None
    last_error: str | None
    reason: str | None
    created_at: datetime | None
    settled_at: datetime | None


class Attempt(Struct, frozen=True, kw_only=True):
    """One call; ``status`` null: no answer came. ``note`` is the partner's words, or what went wrong."""

    at: datetime
    outcome: str
    status: int | None
    duration_ms: float
    note: str


class ActLogged(Struct, frozen=True, kw_only=True):
    """What a person did to a delivery."""

    at: datetime
    who: str
    what: str
    reason: str


class DeliveryShown(Delivery, frozen=True, kw_only=True):
    """A delivery with its newest 100 attempts and what people did to it.

    ``fact`` is what the partner is to be told; null where it holds names, phones or addresses.
    """

    fact: dict[str, Any] | None
    history: list[Attempt]
    log: list[ActLogged]


class DeliveriesWanted(Paged, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which deliveries, newest first; ``document`` finds by any number in the call."""

    state: State | None = None
    connection: Code | None = None
    document: Code | None = None
    kind: Code | None = None
    error: Part | None = None
    age: Age | None = None


class LevelsWanted(Paged, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Whose levels."""

    connection: Code | None = None


class LevelWaiting(Struct, frozen=True, kw_only=True):
    """A stock level that a partner has not accepted; ``item`` is a listing's key, a style number or a SKU.

    ``dirty_since`` null: the partner refused it, and it waits for a change or a person.
    """

    id: str
    connection: str
    item: str | None
    dirty_since: datetime | None
    due: datetime | None
    tries: int
    last_error: str | None


class DeliveriesNamed(Body, frozen=True, kw_only=True):
    """Deliveries that are tried again."""

    deliveries: Annotated[list[Name], Meta(min_length=1, max_length=MOST)]
    reason: Words = ""


class DeliveriesAside(Body, frozen=True, kw_only=True):
    """Deliveries that are put aside, and why."""

    deliveries: Annotated[list[Name], Meta(min_length=1, max_length=MOST)]
    reason: Reason


class DeliveryNamed(Struct, frozen=True, kw_only=True):
    """A delivery that was acted on."""

    id: str


class ActWanted(Body, frozen=True, kw_only=True):
    """What is done to every delivery in a state, narrowed by what is given besides."""

    act: Act
    state: OpenState
    connection: Code | None = None
    document: Code | None = None
    kind: Code | None = None
    error: Part | None = None
    age: Age | None = None
    reason: Annotated[str, Meta(max_length=500)] = ""


class ActShown(Struct, frozen=True, kw_only=True):
    """How far an act on many has come; ``finished_at`` null: it goes on."""

    id: str
    act: Act
    who: str
    reason: str
    done: int
    created_at: datetime
    finished_at: datetime | None


@reads("/deliveries", "deliveries")
async def list_deliveries(tx: Tx, desk: Desk, query: DeliveriesWanted) -> Page[Delivery]:
    """List deliveries, newest first; stock levels have a list of their own."""
    (before,) = paging.start(query, tuple[Number]) or (_NEWEST,)
    wanted = Filter(
        state=query.state,
        connections=_connections(desk, query.connection),
        document=query.document,
        kind=query.kind,
        age=query.age,
        error=query.error,
        before=before,
        limit=query.limit + 1,
    )
    found = await courier.find(tx, wanted, _deadlines(desk))
    return paging.page(found, query, lambda line: (int(line.id),), _delivery)


@reads("/deliveries/levels", "deliveries")
async def list_waiting_levels(tx: Tx, desk: Desk, query: LevelsWanted) -> Page[LevelWaiting]:
    """List stock levels that partners have not accepted, by connection."""
    after = paging.start(query, tuple[Number, Number]) or (0, 0)
    chosen = _connections(desk, query.connection)
    found = await tx.rows(
        _q.levels_waiting, *after, query.limit + 1, None if chosen is None else chosen[0]
    )
    return paging.page(found, query, lambda row: (row["connection_id"], row["item"]), _level)


@reads("/deliveries/{id}", "deliveries", tagged=True)
async def show_delivery(tx: Tx, desk: Desk, id: Id) -> DeliveryShown:  # noqa: A002 - the path's word
    """Show one delivery with every attempt and what people did to it."""
    number = words.number(id, "delivery")
    line = await courier.one(tx, number, _deadlines(desk))
    row = await tx.row(_q.fact, number)
    if line is None or row is None:
        raise words.missing("delivery", id)
    attempts, log = await courier.history(tx, number)
    return DeliveryShown(
        **msgspec.structs.asdict(_delivery(line)),
        fact=None if row["sealed"] else msgspec.json.decode(row["payload"]),
        history=[_attempt(attempt) for attempt in attempts],
        log=[
            ActLogged(at=act["at"], who=act["who"], what=act["what"], reason=act["reason"])
            for act in log
        ],
    )


@writes("POST", "/deliveries/retry", "deliveries", several=True)
async def retry_deliveries(tx: Tx, desk: Desk, body: DeliveriesNamed) -> Batch[DeliveryNamed]:
    """Try deliveries again at once, with a new deadline; settled ones are sent anew."""
    return await _act(tx, desk, "retry", body)


@writes("POST", "/deliveries/handle", "deliveries", several=True)
async def handle_deliveries(tx: Tx, desk: Desk, body: DeliveriesAside) -> Batch[DeliveryNamed]:
    """Mark deliveries as handled: the partner learned of it in another way."""
    return await _act(tx, desk, "handle", body)


@writes("POST", "/deliveries/cancel", "deliveries", several=True)
async def cancel_deliveries(tx: Tx, desk: Desk, body: DeliveriesAside) -> Batch[DeliveryNamed]:
    """Cancel deliveries: the partner is not to learn of it."""
    return await _act(tx, desk, "cancel", body)


@writes("POST", "/deliveries/acts", "deliveries", status=202)
async def begin_act(tx: Tx, desk: Desk, body: ActWanted) -> Created[ActShown]:
    """Retry, handle or cancel everything that is found at this moment; it goes on by itself.

    To handle or cancel takes a ``reason``.
    """
    if body.act != "retry" and not body.reason.strip():
        raise BadInput("reason_needed", "Say why.", path="reason")
    wanted = Filter(
        state=body.state,
        connections=_connections(desk, body.connection),
        document=body.document,
        kind=body.kind,
        age=body.age,
        error=body.error,
    )
    act_id = await courier.begin_on(tx, body.act, wanted, who=desk.who, reason=body.reason)
    shown = await show_act.handler(tx, desk, str(act_id))
    return Created(shown, f"/deliveries/acts/{act_id}")


@reads("/deliveries/acts/{id}", "deliveries")
async def show_act(tx: Tx, desk: Desk, id: Id) -> ActShown:  # noqa: A002 - the path's word
    """Show how far an act on many has come."""
    del desk
    row = await tx.row(_q.act, words.number(id, "act"))
    if row is None:
        raise words.missing("act", id)
    return ActShown(
        id=str(row["id"]),
        act=row["act"],
        who=row["who"],
        reason=row["reason"],
        done=row["done"],
        created_at=row["created_at"],
        finished_at=row["finished_at"],
    )


async def _act(
    tx: Tx, desk: Desk, what: Act, body: DeliveriesNamed | DeliveriesAside
) -> Batch[DeliveryNamed]:
    done = await courier.act_on(what, body.deliveries, desk.who, body.reason, tx)
    return batch((_outcome(one) for one in done), lambda name: DeliveryNamed(id=name))


def _outcome(one: courier.Done) -> str | Refused:
    if not one.refused:
        return one.id
    if one.refused == courier.UNKNOWN:
        return Missing("unknown_delivery", f"There is no delivery {one.id}.")
    return Conflict("delivery_stands", f"{one.id}: {one.refused}.")


def _connections(desk: Desk, name: str | None) -> tuple[int, ...] | None:
    return None if name is None else (naming.connections(desk, [name])[name],)


def _deadlines(desk: Desk) -> dict[int, float]:
    return courier.deadlines(desk.hub.registry, desk.caller.tenant_id)


def _delivery(line: Line) -> Delivery:
    return Delivery(**{name: getattr(line, name) for name in Delivery.__struct_fields__})


def _attempt(row: Row) -> Attempt:
    return Attempt(
        at=row["at"],
        outcome=row["outcome"],
        status=row["status"],
        duration_ms=row["duration_us"] / 1000,
        note=row["note"],
    )


def _level(row: Row) -> LevelWaiting:
    waits = row["dirty_since"] is not None
    return LevelWaiting(
        id=f"stock-{row['connection_id']}-{row['item']}",
        connection=row["connection"],
        item=row["name"],
        dirty_since=row["dirty_since"],
        due=row["due"] if waits else None,
        tries=row["tries"] if waits else 0,
        last_error=row["last_error"] if waits else row["trouble"],
    )

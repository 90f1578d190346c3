"""What a person sees and does: find deliveries and levels; retry, handle, cancel, one or 100,000."""

from __future__ import annotations

from datetime import datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING, Literal

import msgspec
from msgspec import Struct

from entrepot import clock, ids
from entrepot.db import queries
from entrepot.dialect import seconds
from entrepot.errors import BadInput, Missing

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from entrepot.courier.worker import Links
    from entrepot.db import Database, Row, Tx

_q = queries(__package__)

Act = Literal["retry", "handle", "cancel"]
STATES = (
    "waiting", "sending", "delivered", "rejected", "needs_attention", "handled", "cancelled",
)  # fmt: skip
_OPEN = ("waiting", "needs_attention", "rejected")
_ASIDE = {"handle": "handled", "cancel": "cancelled"}
_BATCH = 1000
_LAST = (1 << 63) - 1
_LEVEL = "stock"
UNKNOWN = "there is no such delivery"
_SEEN = 10.0  # seconds since a courier that is alive was last seen, at most


class Line(Struct, frozen=True, kw_only=True):
    """One delivery, or one level not yet accepted, as it is listed (DEMO: deliveries list).

    ``behind`` is the delivery this one waits for; ``due`` and ``deadline`` are None where none applies.
    """

    id: str
    connection: str
    kind: str
    document: str | None
    state: str
    attempts: int
    due: datetime | None
    deadline: datetime | None
    last_error: str | None
    reason: str | None
    behind: str | None = None
    created_at: datetime | None = None
    settled_at: datetime | None = None


class Filter(Struct, frozen=True, kw_only=True):
    """Which deliveries. ``age`` in seconds at least; ``error`` part of the last one; ``before`` a Line's id.

    ``connections`` are ids; None means all.
    """

    state: str | None = None
    connections: tuple[int, ...] | None = None
    document: str | None = None
    kind: str | None = None
    age: float | None = None
    error: str | None = None
    before: int | None = None
    limit: int = 100


class Done(Struct, frozen=True):
    """What became of an act on one id: ``refused`` says why it could not be done, or is empty."""

    id: str
    refused: str = ""


class Progress(Struct, frozen=True):
    """How far an act on everything a filter finds has come."""

    done: int
    finished: bool


def deadlines(links: Links, tenant_id: int) -> dict[int, float]:
    """Return the deadline of each connection of a tenant, in seconds, by connection id."""
    return {
        link.partner.id: seconds(link.partner.settings.deadline)
        for link in links
        if link.partner.tenant_id == tenant_id
    }


async def find(tx: Tx, wanted: Filter, deadlines: Mapping[int, float]) -> list[Line]:
    """Return deliveries, newest first; levels not yet accepted come before the first page."""
    if wanted.state is not None and wanted.state not in STATES:
        message = f"There is no state {wanted.state!r}. Known: {', '.join(STATES)}."
        raise BadInput("unknown_state", message)
    lines: list[Line] = []
    if wanted.before is None and wanted.document is None and wanted.kind in (None, _LEVEL):
        lines = await _levels(tx, wanted, deadlines)
    if wanted.kind != _LEVEL and len(lines) < wanted.limit:
        found = await _ids(tx, wanted, wanted.limit - len(lines))
        rows = await tx.rows(_q.lines, found) if found else []
        # What is being sent is asked for by number, too: its row still says that it waits.
        sending = wanted.state == "sending"
        lines += [
            _line(row, deadlines.get(row["connection_id"], 0.0))
            for row in rows
            if not sending or row["state"] == "sending"
        ]
    return lines


async def one(tx: Tx, delivery: int, deadlines: Mapping[int, float]) -> Line | None:
    """Return one delivery; None where there is none of that id."""
    row = await tx.row(_q.lines, [delivery])
    return None if row is None else _line(row, deadlines.get(row["connection_id"], 0.0))


async def history(tx: Tx, delivery: int, limit: int = 100) -> tuple[list[Row], list[Row]]:
    """Return a delivery's attempts, newest first, and what people did to it."""
    attempts = await tx.rows(_q.attempts_of, delivery, limit)
    return list(attempts), list(await tx.rows(_q.log_of, delivery))


async def act(
    db: Database, tenant_id: int, what: Act, chosen: Sequence[str], *, who: str, reason: str = ""
) -> list[Done]:
    """Retry, handle or cancel these, a thousand in a transaction; each is answered for itself."""
    done: list[Done] = []
    for start in range(0, len(chosen), _BATCH):
        batch = chosen[start : start + _BATCH]
        done += await db.run(tenant_id, partial(act_on, what, batch, who, reason))
    return done


async def act_on(what: Act, chosen: Sequence[str], who: str, reason: str, tx: Tx) -> list[Done]:
    """Retry, handle or cancel these in one transaction; each is logged, and answered for itself."""
    levels = [pair for name in chosen if (pair := _level_id(name)) is not None]
    deliveries = [int(name) for name in chosen if name.isdigit() and int(name) <= _LAST]
    made = await _act(what, deliveries, who, reason, tx) if deliveries else []
    done = {str(delivery) for delivery in made}
    if levels:
        done |= {_level_name(*pair) for pair in await _act_on_levels(tx, what, levels, who, reason)}
    left = [delivery for delivery in deliveries if str(delivery) not in done]
    rows = await tx.rows(_q.lines, left) if left else []
    why = {str(row["id"]): _why_not(row) for row in rows}
    return [Done(name, "" if name in done else why.get(name, UNKNOWN)) for name in chosen]


async def begin(
    db: Database, tenant_id: int, what: Act, wanted: Filter, *, who: str, reason: str = ""
) -> int:
    """Begin an act on everything a filter finds at this moment; return its id for ``go_on``.

    The filter must name a state: waiting, needs_attention or rejected.
    """
    return await db.run(tenant_id, lambda tx: begin_on(tx, what, wanted, who=who, reason=reason))


async def begin_on(tx: Tx, what: Act, wanted: Filter, *, who: str, reason: str = "") -> int:
    """Begin an act as ``begin`` does, in the caller's transaction; a clock process goes on with it."""
    if wanted.state not in _OPEN:
        message = f"Say which: --state {', '.join(_OPEN)}."
        raise BadInput("state_needed", message)
    act_id = ids.new()
    stored = msgspec.json.encode(wanted).decode()
    await tx.do(_q.begin_act, act_id, what, stored, who, reason, ids.new())
    return act_id


async def go_on(db: Database, tenant_id: int, act_id: int) -> Progress:
    """Do the next thousand of an act; call it until it is finished. Any process may go on with it."""
    return await db.run(tenant_id, lambda tx: _go_on(tx, act_id))


async def acts_under_way(db: Database) -> list[tuple[int, int]]:
    """Return (tenant, act) of every act that is not finished."""
    return [(row["tenant_id"], row["id"]) for row in await db.rows(_q.acts_under_way)]


async def send_levels(
    db: Database, tenant_id: int, connection_id: int, *, full: bool = False
) -> None:
    """Have a connection's levels sent now: those that changed, or all of them."""
    await db.run(tenant_id, lambda tx: ask_levels(tx, connection_id, full=full))


async def ask_levels(tx: Tx, connection_id: int, *, full: bool) -> None:
    """Ask for a connection's levels in the caller's transaction: those that changed, or all of them."""
    await tx.do(_q.ask_round, connection_id, True, full)


async def round_stands(tx: Tx, connection_id: int) -> Row | None:
    """Return whether a round that was asked for is still ``owed``, its ``last_error``, and whether any
    courier is there to do it (``served``); None: there never was one.
    """
    return await tx.row(_q.round_stands, connection_id, _SEEN)


async def overview(tx: Tx) -> tuple[list[Row], list[Row]]:
    """Return how many deliveries stand open per connection and state, and how the connections fare."""
    return list(await tx.rows(_q.count_by_state)), list(await tx.rows(_q.connection_states))


async def _go_on(tx: Tx, act_id: int) -> Progress:
    row = await tx.row(_q.lock_act, act_id)
    if row is None:
        return Progress(0, finished=True)
    wanted = msgspec.json.decode(row["filter"], type=Filter)
    scope = None if wanted.connections is None else list(wanted.connections)
    found: list[int] = []
    if wanted.kind != _LEVEL:
        rows = await tx.rows(
            _q.find_for_act,
            *(row["after"], row["upto"], wanted.state, scope, wanted.kind, wanted.error),
            *(wanted.age, wanted.document, _BATCH),
        )
        found = [hit["id"] for hit in rows]
    made = await _act(row["act"], found, row["who"], row["reason"], tx) if found else []
    finished = len(found) < _BATCH
    count = len(made)
    if finished and wanted.document is None and wanted.kind in (None, _LEVEL):
        count += await _finish_levels(tx, row, wanted)
    after = found[-1] if found else row["after"]
    await tx.do(_q.note_act, act_id, after, count, finished)
    return Progress(row["done"] + count, finished)


async def _finish_levels(tx: Tx, row: Row, wanted: Filter) -> int:
    """Act on the levels that a filter finds: the refused ones for rejected, the waiting ones else."""
    scope = None if wanted.connections is None else list(wanted.connections)
    hits = await tx.rows(_q.level_lines, scope, None, wanted.state == "rejected")
    pairs = [(hit["connection_id"], hit["item"]) for hit in hits]
    return len(await _act_on_levels(tx, row["act"], pairs, row["who"], row["reason"]))


async def _act(what: Act, batch: Sequence[int], who: str, reason: str, tx: Tx) -> list[int]:
    """Act on deliveries; return those it could be done to."""
    await tx.rows(_q.lock_lanes_for_act, list(batch))
    if what == "retry":
        again = list(tx.overhearers(""))
        done = [row["id"] for row in await tx.rows(_q.retry_heads, list(batch))]
        done += [row["id"] for row in await tx.rows(_q.reopen, list(batch), again)]
    else:
        rows = await tx.rows(_q.put_aside, list(batch), _ASIDE[what], reason or None)
        done = [row["id"] for row in rows]
        touched = [row["connection_id"] for row in rows], [row["key"] for row in rows]
        await tx.do(_q.advance_lanes, *touched)
    await tx.do(_q.write_log, done, ids.some(len(done)), who, what, reason)
    return done


async def _act_on_levels(
    tx: Tx, what: Act, pairs: Sequence[tuple[int, int]], who: str, reason: str
) -> list[tuple[int, int]]:
    rows = await tx.rows(_q.act_on_levels, [p[0] for p in pairs], [p[1] for p in pairs], what)
    done = [(row["connection_id"], row["item"]) for row in rows]
    items = [item for _, item in done]
    await tx.do(_q.write_log, items, ids.some(len(items)), who, what, reason)
    if what == "retry":
        for connection_id in sorted({pair[0] for pair in done}):
            await tx.do(_q.ask_round, connection_id, True, False)
    return done


async def _ids(tx: Tx, wanted: Filter, limit: int) -> list[int]:
    before = _LAST if wanted.before is None else wanted.before
    scope = None if wanted.connections is None else list(wanted.connections)
    if wanted.state == "sending" and wanted.document is None:
        rows = await tx.rows(_q.find_sending, before, scope, wanted.kind, limit)
    else:
        state = "waiting" if wanted.state == "sending" else wanted.state
        common = (before, state, scope, wanted.kind, wanted.error, wanted.age, limit)
        if wanted.document is None:
            rows = await tx.rows(_q.find_recent, *common)
        else:
            rows = await tx.rows(_q.find_of_document, *common, wanted.document)
    return [row["id"] for row in rows]


async def _levels(tx: Tx, wanted: Filter, deadlines: Mapping[int, float]) -> list[Line]:
    scope = None if wanted.connections is None else list(wanted.connections)
    refused = None if wanted.state is None else wanted.state == "rejected"
    now = clock.now()
    lines = []
    for row in await tx.rows(_q.level_lines, scope, wanted.limit, refused):
        since = row["dirty_since"]
        due = deadline = None
        state = "rejected"
        if since is not None:
            due = row["due"]
            deadline = since + timedelta(seconds=deadlines.get(row["connection_id"], 0.0))
            state = "needs_attention" if deadline <= now else "waiting"
        line = Line(
            id=_level_name(row["connection_id"], row["item"]),
            connection=row["connection"],
            kind=_LEVEL,
            document=None,
            state=state,
            attempts=row["tries"] if since is not None else 1,  # a refusal is an answer to one call
            due=due,
            deadline=deadline,
            last_error=row["trouble"] if since is None else row["last_error"],
            reason=None,
            created_at=since,
        )
        if wanted.state in (None, state) and (wanted.error or "") in (line.last_error or ""):
            lines.append(line)
    return lines


def _line(row: Row, deadline: float) -> Line:
    turn_at = row["turn_at"]
    return Line(
        id=str(row["id"]),
        connection=row["connection"],
        kind=row["kind"],
        document=row["document"],
        state=row["state"],
        attempts=row["attempts"],
        due=row["due"],
        deadline=None if turn_at is None else turn_at + timedelta(seconds=deadline),
        last_error=row["last_error"],
        reason=row["reason"],
        behind=None if row["behind"] is None else str(row["behind"]),
        created_at=row["created_at"],
        settled_at=row["settled_at"],
    )


def _why_not(row: Row) -> str:
    if row["state"] == "sending":
        return "it is being sent at this moment"
    if row["behind"] is not None:
        return f"it waits behind {row['behind']}"
    return f"it is {row['state']} already"


def _level_name(connection_id: int, item: int) -> str:
    return f"{_LEVEL}-{connection_id}-{item}"


def _level_id(name: str) -> tuple[int, int] | None:
    parts = name.split("-")
    if len(parts) == 3 and parts[0] == _LEVEL and parts[1].isdigit() and parts[2].isdigit():
        pair = int(parts[1]), int(parts[2])
        return pair if max(pair) <= _LAST else None
    if name.isdigit():
        return None
    message = f"{name!r} is no delivery's id. See `entrepot deliveries list`."
    raise Missing("unknown_delivery", message)

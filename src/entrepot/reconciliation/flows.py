"""Compare a partner's list of a day with ours, whole, in one transaction and a fixed number of statements.

What differs stands as a discrepancy until the lists agree or a person resolves it; the same list again
changes nothing, a corrected one takes off what agrees now.
"""

from __future__ import annotations

import itertools
from datetime import date, datetime, time, timedelta
from typing import TYPE_CHECKING

import msgspec
from msgspec import Struct

from entrepot import facts
from entrepot.clock import SHANGHAI
from entrepot.courier.outbox import Announcement, announce
from entrepot.db import queries
from entrepot.discrepancies import flows as discrepancies
from entrepot.discrepancies.rules import Seen
from entrepot.errors import BadInput
from entrepot.imports import sheets
from entrepot.imports.rules import Layout
from entrepot.imports.staging import Batch, stage
from entrepot.reconciliation.kinds import Run

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from entrepot.db import Row, Tx
    from entrepot.reconciliation.kinds import Kind

MOST = 2_000_000
_SHOWN = 10
_CHUNK = 5000
_q = queries(__package__)
Rows = list[tuple[int, tuple[str, ...]]]


class Asked(Struct, frozen=True, kw_only=True):
    """One reconciliation to be made. ``places``: codes that count where a stock line names none (empty: all).

    ``sellable``: the stock list says what may be sold, not what lies there. ``own``: orders and refunds are
    of the hub's own orders, not of those that came from this partner.
    """

    kind: str
    connection_id: int
    day: date
    file: str
    who: str
    places: tuple[str, ...] = ()
    sellable: bool = False
    own: bool = False


def read(path: Path, kind: Kind) -> Rows:
    """Return a list's rows; raises BadInput naming wrong lines, since half a list proves nothing."""
    rows: Rows = []
    wrong: list[str] = []
    with sheets.opened(path) as sheet:
        layout = Layout(kind.columns, "", sheet.header)
        for number, cells in sheet.lines:
            row, fault = layout.read(cells)
            if fault is not None:
                wrong.append(f"line {number}: {fault}")
            rows.append((number, row))
            if len(rows) > MOST or len(wrong) > _SHOWN:
                break
    if len(rows) > MOST:
        raise BadInput("too_many_rows", f"{path} has more than {MOST:,} lines; is it of one day?")
    if wrong:
        more = "" if len(wrong) <= _SHOWN else "; and more"
        raise BadInput("bad_rows", f"{path}: {'; '.join(wrong[:_SHOWN])}{more}")
    return rows


async def reconcile(tx: Tx, kind: Kind, asked: Asked, rows: Rows) -> Run:
    """Compare, write down what differs, take off what agrees; return how it went."""
    given = frozenset(column.name for column in kind.columns)
    await stage(tx, kind.columns, Batch(rows=rows, given=given, who=asked.who))
    theirs = ours = differing = 0
    stood = await _standing(tx, kind, asked)
    for chunk in _chunks(await _compared(tx, asked)):
        theirs += sum(row["theirs"] is not None for row in chunk)
        ours += sum(row["ours"] is not None for row in chunk)
        found = [_seen(kind, asked, row) for row in chunk if row["differs"]]
        differing += len(found)
        stood -= {seen.subject for seen in found}
        await discrepancies.see(tx, found)
    gone = [(asked.connection_id, kind.discrepancy, subject) for subject in sorted(stood)]
    await discrepancies.agree(tx, gone)
    run = Run(
        connection_id=asked.connection_id,
        kind=asked.kind,
        day=asked.day.isoformat(),
        file=asked.file,
        who=asked.who,
        theirs=theirs,
        ours=ours,
        differing=differing,
    )
    fields = ("connection_id", "kind", "day", "file", "who", "theirs", "ours", "differing")
    await tx.do(_q.keep_run, *(getattr(run, name) for name in fields))
    await _tell(tx, run)
    return run


async def _tell(tx: Tx, run: Run) -> None:
    partner = tx.partner(run.connection_id)
    done = facts.ReconciliationDone(
        number=f"{run.kind} {run.day}",
        connection=partner.name if partner else "",
        list=run.kind,
        day=run.day,
        theirs=run.theirs,
        ours=run.ours,
        differing=run.differing,
    )
    await announce(tx, [Announcement(connection_id=None, key=run.connection_id, fact=done)])


async def runs(tx: Tx, connection_id: int | None, limit: int) -> list[Run]:
    """Return what was reconciled, the newest days first."""
    rows = await tx.rows(_q.runs, connection_id, limit)
    return [Run(**dict(row.items())) for row in rows]


async def _compared(tx: Tx, asked: Asked) -> list[Row]:
    start = datetime.combine(asked.day, time(), SHANGHAI)
    bounds = (asked.connection_id, start, start + timedelta(days=1))
    if asked.kind == "stock":
        places = list(asked.places) or None
        return await tx.rows(_q.stock, *bounds, places, asked.sellable)
    return await tx.rows(getattr(_q, asked.kind), *bounds, asked.own)


async def _standing(tx: Tx, kind: Kind, asked: Asked) -> set[str]:
    rows = await tx.rows(_q.standing, asked.connection_id, kind.discrepancy, _subject(asked, ""))
    return {row["subject"] for row in rows}


def _seen(kind: Kind, asked: Asked, row: Row) -> Seen:
    theirs, ours = (
        msgspec.json.decode(row[side]) if row[side] else None for side in ("theirs", "ours")
    )
    return Seen(
        kind=kind.discrepancy,
        subject=_subject(asked, row["key"]),
        text=f"{row['key']}: theirs {_said(theirs)}, ours {_said(ours)}.",
        connection_id=asked.connection_id,
        document=row["document"],
        order_id=row["order_id"],
        details={"theirs": theirs, "ours": ours},
    )


def _subject(asked: Asked, key: str) -> str:
    return f"{asked.day.isoformat()} {key}"


def _said(side: dict[str, object] | None) -> str:
    if side is None:
        return "does not have it"
    return ", ".join(f"{name} {value}" for name, value in side.items()) or "has it"


def _chunks(rows: Sequence[Row]) -> Iterator[list[Row]]:
    remaining = iter(rows)
    while chunk := list(itertools.islice(remaining, _CHUNK)):
        yield chunk

"""File papers, take steps on them, read their logs. The nouns above say what a step means.

Lock order of everything that touches papers: the papers by id, then the orders by id, then stock, then
the numbering, then the bitmaps.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

import msgspec

from entrepot import clock
from entrepot.connections.rules import TenantSettings
from entrepot.db import queries
from entrepot.errors import Missing
from entrepot.papers import pages, rules
from entrepot.papers.rules import BLOCK, LogLine, NewPaper, Paper, Step

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence

    from entrepot.db import Row, Tx

_q = queries(__package__)

Command = TypeVar("Command")


async def settings(tx: Tx) -> TenantSettings:
    """Return the tenant's settings as they are in this transaction."""
    return msgspec.json.decode(await tx.value(_q.settings), type=TenantSettings)


async def lock(tx: Tx, kind: str, numbers: Iterable[str]) -> dict[str, Paper]:
    """Lock papers, in the one order everybody does; return those that exist, by number."""
    rows = await tx.rows(_q.lock, kind, sorted(set(numbers)))
    return {row["number"]: pages.paper(row) for row in rows}


async def read(
    tx: Tx, kind: str, numbers: Iterable[str], *, deleted: bool = False
) -> dict[str, Paper]:
    """Return papers by number; ``deleted`` ones only where asked for."""
    rows = await tx.rows(_q.by_number, kind, sorted(set(numbers)))
    return {row["number"]: pages.paper(row) for row in rows if deleted or not row["deleted"]}


def unknown(kind: str, number: str) -> Missing:
    """Return the refusal for a number that no paper has."""
    return Missing("unknown_paper", f"There is no {kind} {number}.", kind=kind, number=number)


async def file(tx: Tx, kind: str, new: Sequence[NewPaper]) -> list[Paper]:
    """File papers under fresh numbers, with the first line of their logs.

    Numbers are taken in the transaction: those of a create that fails are free again.
    """
    if not new:
        return []
    now = clock.now()
    today = clock.shanghai(now).date()
    taken = await tx.row(_q.take, kind, today, len(new), max(len(n.order_number) for n in new))
    assert taken is not None  # noqa: S101 - an upsert returns its row
    first, of_day = taken["ever"] - len(new) + 1, taken["of_day"] - len(new) + 1
    numbers = [rules.number(kind, taken["day"], of_day + i) for i in range(len(new))]
    rows = await tx.rows(
        _q.file,
        kind,
        list(range(first, first + len(new))),
        numbers,
        *(
            [getattr(n, field) for n in new]
            for field in (
                "variant", "state", "order_id", "order_number", "customer_id", "platform_id", "remark",
            )
        ),
        [n.actor.id for n in new],
        [n.actor.name for n in new],
        [int(n.actor.role) for n in new],
        [n.what for n in new],
        now,
    )  # fmt: skip
    filed = sorted((pages.paper(row) for row in rows), key=lambda paper: paper.id)
    await pages.mark(tx, kind, [(p.id, rules.state_key(p.variant, p.state)) for p in filed])
    await pages.seal(tx, kind, range((first - 1) // BLOCK, taken["ever"] // BLOCK))
    return filed


async def step(tx: Tx, kind: str, steps: Sequence[Step]) -> None:
    """Take one step on each paper (none twice), which the caller has locked."""
    if not steps:
        return
    await tx.do(
        _q.step,
        kind,
        [s.paper.id for s in steps],
        [s.action for s in steps],
        [s.to for s in steps],
        [s.actor.id for s in steps],
        [s.actor.name for s in steps],
        [int(s.actor.role) for s in steps],
        *(
            [getattr(s, field) for s in steps]
            for field in (
                "what",
                "order_id",
                "order_number",
                "customer_id",
                "platform_id",
                "remark",
            )
        ),
        clock.now(),
    )
    turned = []
    for s in steps:
        if s.to != s.paper.state:
            turned.append((s.paper.id, rules.state_key(s.paper.variant, s.paper.state)))
            if s.action != "delete":
                turned.append((s.paper.id, rules.state_key(s.paper.variant, s.to)))
    turned += await _moved(tx, kind, steps)
    if turned:
        await pages.mark(tx, kind, turned)


async def _moved(tx: Tx, kind: str, steps: Sequence[Step]) -> list[tuple[int, str]]:
    """Return the bits to turn where a paper goes over to another order and its block is sliced already."""
    moved = [
        (s.paper, s.order_number)
        for s in steps
        if s.order_number is not None and s.order_number != s.paper.order_number
    ]
    if not moved:
        return []
    ever = await tx.value(_q.widen, kind, max(len(number) for _, number in moved))
    return [
        (paper.id, key)
        for paper, number in moved
        if paper.id < ever // BLOCK * BLOCK
        for key in rules.differing("order", paper.order_number, number)
    ]


async def logs(tx: Tx, kind: str, paper_ids: Iterable[int]) -> dict[int, list[LogLine]]:
    """Return the logs of papers, newest line first, by id."""
    found: dict[int, list[LogLine]] = {paper_id: [] for paper_id in paper_ids}
    for row in await tx.rows(_q.logs, kind, list(found)):
        found[row["paper_id"]].append(_line(row))
    return found


def rounds(commands: Sequence[Command], key: Callable[[Command], Hashable]) -> Iterator[list[int]]:
    """Split a batch so that no two commands of a round share a key; yields positions, in order."""
    left = list(range(len(commands)))
    while left:
        seen: set[Hashable] = set()
        now: list[int] = []
        later: list[int] = []
        for position in left:
            mine = key(commands[position])
            (later if mine in seen else now).append(position)
            seen.add(mine)
        yield now
        left = later


def _line(row: Row) -> LogLine:
    return LogLine(**{field: row[field] for field in LogLine.__struct_fields__})

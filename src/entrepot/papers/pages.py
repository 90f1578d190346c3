"""Any page of a long list of papers, and its true count, in milliseconds, whatever the filter.

A keyword may match any part of a number, so no ordered index finds or counts what it meets. Bitmaps do:
for every block of 16384 ids, one bitmap per state, and one per character at each place of the numbers.
A search is an AND of bitmaps, its total their ``bit_count``, a page the bits between two counts. The
state's bits turn in the transaction that changes the state; the numbers are sliced once a block is full, and
turn where a paper goes over to another order. docs/decisions/bitmaps-find-papers.md has the measurements.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import TYPE_CHECKING

from msgspec import Struct

from entrepot import clock
from entrepot.db import queries
from entrepot.papers import rules
from entrepot.papers.rules import BLOCK, Paper, Search

if TYPE_CHECKING:
    from collections.abc import Iterable

    from entrepot.db import Row, Tx

_q = queries(__package__)


class Page(Struct, frozen=True):
    """One page, newest first, and how many papers the search meets in all."""

    total: int
    papers: Sequence[Paper]


async def find(tx: Tx, search: Search) -> Page:
    """Return a page of a search."""
    start = (search.page - 1) * search.size
    filters = (rules.state_keys(search), search.number, search.order, search.either)
    if search.customer:
        row = await tx.row(
            _q.page_of_customers, search.kind, search.customer, *filters, start, search.size
        )
    else:
        row = await _by_bitmaps(tx, search, filters, start)
    if row is None:
        return Page(0, ())
    heads = await tx.rows(_q.by_id, search.kind, row["ids"]) if row["ids"] else []
    return Page(row["total"], [paper(head) for head in heads])


async def _by_bitmaps(
    tx: Tx, search: Search, filters: tuple[list[str], str, str, str], start: int
) -> Row | None:
    numbering = await tx.row(_q.numbering, search.kind)
    if numbering is None:
        return None
    widths = {"number": numbering["number_length"], "order": numbering["longest"]}
    probes = rules.probes(search, widths)
    return await tx.row(
        _q.page,
        search.kind,
        numbering["ever"] // BLOCK * BLOCK,
        *filters,
        [probe.term for probe in probes],
        [probe.way for probe in probes],
        [probe.length for probe in probes],
        [probe.key for probe in probes],
        sum(1 for keyword in filters[1:] if keyword),
        start,
        search.size,
    )


async def mark(tx: Tx, kind: str, turned: Sequence[tuple[int, str]]) -> None:
    """Turn over bits (paper's id, key of its bitmap); none may stand there twice."""
    await tx.do(
        _q.mark,
        kind,
        [key for _, key in turned],
        [paper_id // BLOCK for paper_id, _ in turned],
        [paper_id % BLOCK for paper_id, _ in turned],
    )


async def seal(tx: Tx, kind: str, blocks: Iterable[int]) -> None:
    """Slice the numbers of blocks that are full from now on."""
    for block in blocks:
        rows = await tx.rows(_q.texts, kind, block * BLOCK, (block + 1) * BLOCK - 1)
        numbers = rules.by_bit(((row["id"], row["number"]) for row in rows), block)
        orders = rules.by_bit(((row["id"], row["order_number"]) for row in rows), block)
        sliced = await asyncio.to_thread(_sliced, numbers, orders)
        await tx.do(_q.seal, kind, block, [key for key, _ in sliced], [bits for _, bits in sliced])


async def rebuild(tx: Tx, kind: str) -> None:
    """Make numbering and bitmaps anew from the papers, after a bulk load."""
    today = clock.shanghai(clock.now()).date()
    ever = await tx.value(_q.renumber, kind, today) or 0
    await tx.do(_q.unseal, kind)
    full = range(ever // BLOCK)
    await seal(tx, kind, full)
    for block in (*full, len(full)):
        rows = await tx.rows(_q.states, kind, block * BLOCK, (block + 1) * BLOCK - 1)
        if rows:
            keys = ((row["id"], rules.state_key(row["variant"], row["state"])) for row in rows)
            await mark(tx, kind, list(keys))


def paper(row: Row) -> Paper:
    """Return a row of the table as the head of a paper."""
    return Paper(**{field: row[field] for field in Paper.__struct_fields__})


def _sliced(numbers: Sequence[str], orders: Sequence[str]) -> list[tuple[str, str | None]]:
    return [*rules.slices("number", numbers), *rules.slices("order", orders)]

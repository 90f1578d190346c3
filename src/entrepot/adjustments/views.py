"""What people read of adjustments."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from msgspec import Struct

from entrepot.adjustments.flows import _q, lines
from entrepot.adjustments.rules import KIND, Line, Totals, totals
from entrepot.papers import flows as papers
from entrepot.papers import pages
from entrepot.papers.rules import LogLine, Paper, Search, policy
from entrepot.people.rules import Policy

if TYPE_CHECKING:
    from entrepot.db import Tx
    from entrepot.errors import Refused


class Listed(Struct, frozen=True):
    """A page of adjustments with their totals, and the settings that decide on buttons."""

    total: int
    items: Sequence[tuple[Paper, Totals]]
    policy: Policy


class Goods(Struct, frozen=True, kw_only=True):
    """What a line is about, as people know it; ``perunit`` is the unit's conversion rate (转化率)."""

    name: str
    unit: str
    guige: str
    pno: str
    perunit: int


class Detail(Struct, frozen=True):
    """One adjustment with its lines (each with its goods) and its log, newest line first."""

    paper: Paper
    lines: Sequence[tuple[Line, Goods]]
    log: Sequence[LogLine]


class Log(Struct, frozen=True):
    """A log by itself, newest line first."""

    paper_id: int
    lines: Sequence[LogLine]


async def page(tx: Tx, batch: Sequence[Search]) -> list[Listed]:
    """Return pages of adjustments, newest first."""
    eyes = policy(await papers.settings(tx))
    found = [await pages.find(tx, search) for search in batch]
    every = await lines(tx, {paper.id for one in found for paper in one.papers})
    return [
        Listed(one.total, [(paper, totals(every[paper.id])) for paper in one.papers], eyes)
        for one in found
    ]


async def detail(tx: Tx, batch: Sequence[str]) -> list[Detail | Refused]:
    """Return adjustments by number."""
    known = await papers.read(tx, KIND, batch)
    paper_ids = [paper.id for paper in known.values()]
    goods = await _goods(tx, paper_ids)
    log = await papers.logs(tx, KIND, paper_ids)
    return [
        Detail(paper, goods[paper.id], log[paper.id])
        if (paper := known.get(number)) is not None
        else papers.unknown(KIND, number)
        for number in batch
    ]


async def log(tx: Tx, batch: Sequence[str]) -> list[Log | Refused]:
    """Return logs by number; a deleted adjustment's too."""
    known = await papers.read(tx, KIND, batch, deleted=True)
    found = await papers.logs(tx, KIND, [paper.id for paper in known.values()])
    return [
        Log(known[number].id, found[known[number].id])
        if number in known
        else papers.unknown(KIND, number)
        for number in batch
    ]


async def _goods(tx: Tx, paper_ids: Sequence[int]) -> Mapping[int, Sequence[tuple[Line, Goods]]]:
    found: dict[int, list[tuple[Line, Goods]]] = {paper_id: [] for paper_id in paper_ids}
    for row in await tx.rows(_q.lines, paper_ids):
        line = Line(**{field: row[field] for field in Line.__struct_fields__})
        about = Goods(**{field: row[field] for field in Goods.__struct_fields__})
        found[row["paper_id"]].append((line, about))
    return found

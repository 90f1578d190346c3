"""Bring a file in: batch by batch, each in a transaction of its own; what is wrong goes to a file.

A batch takes whole rows or leaves them out; a row that is left out stands in ``FILE.errors.csv`` with the
file's own columns and one that says why, ready to be corrected and brought in again. Every kind is safe to
bring in twice, so that an import that was cut short is simply repeated.
"""

from __future__ import annotations

import asyncio
import csv
from contextlib import aclosing
from typing import IO, TYPE_CHECKING, Any, Self, TypeVar

from msgspec import Struct

from entrepot.errors import Conflict
from entrepot.imports import articles, listings, orders, outlets, pieces, sheets, stock, suites
from entrepot.imports.rules import ERROR, Layout, guarded
from entrepot.imports.staging import Batch

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable, Iterator, Mapping, Sequence
    from pathlib import Path

    from entrepot.db import Database, Tx
    from entrepot.dialect import Dialect
    from entrepot.imports.staging import Faults, Kind

T = TypeVar("T")

KINDS: dict[str, Kind] = {
    module.kind.name: module.kind
    for module in (articles, suites, listings, stock, outlets, pieces, orders)
}


Row = tuple[int, tuple[str, ...]]
"""Its line in the file, and its cells in the order of the kind's columns."""


class Result(Struct, frozen=True, kw_only=True):
    """How many rows went in, how many were left out, and the file that says why."""

    taken: int
    left_out: int
    errors: str | None


class _Undone(Exception):
    """Ends a transaction of a dry run, with what it found."""

    def __init__(self, found: Faults) -> None:
        super().__init__()
        self.found = found


async def run(
    db: Database,
    tenant_id: int,
    kind: Kind,
    path: Path,
    *,
    dialects: Mapping[str, Dialect],
    who: str,
    dry_run: bool = False,
    progress: Callable[[float, int], None] = lambda _part, _rows: None,
) -> Result:
    """Bring a file in; a dry run checks everything and changes nothing. Raises Unusable or BadInput."""
    errors = path.with_suffix(".errors.csv")
    taken = 0
    with sheets.opened(path) as sheet, _Left(errors, sheet.header) as left:
        layout = Layout(kind.columns, kind.prefix, sheet.header)
        async with aclosing(_ahead(_sifted(sheet, layout, kind))) as batches:
            async for lines, good, unread, part in batches:
                wrong = unread
                if good:
                    batch = Batch(
                        rows=good,
                        given=layout.given,
                        extra=layout.extra,
                        who=who,
                        dialects=dialects,
                    )
                    wrong |= await _apply(db, tenant_id, kind, batch, dry_run=dry_run)
                left.add(lines, wrong)
                taken += len(lines) - len(wrong)
                progress(part, taken + left.count)
    return Result(taken=taken, left_out=left.count, errors=str(errors) if left.count else None)


def template(kind: Kind) -> tuple[str, str]:
    """Return the header of a kind's file, and a row as an example."""
    header = ",".join(column.name for column in kind.columns)
    return header, ",".join(column.example for column in kind.columns)


async def _apply(
    db: Database, tenant_id: int, kind: Kind, batch: Batch, *, dry_run: bool
) -> Faults:
    """Write a batch; when a name was taken by another a moment ago, look again once."""

    async def work(tx: Tx) -> Faults:
        found = await kind.apply(tx, batch)
        if dry_run:
            raise _Undone(found)
        return found

    try:
        try:
            return await db.run(tenant_id, work)
        except Conflict:
            return await db.run(tenant_id, work)
    except _Undone as undone:
        return undone.found


async def _ahead(items: Iterator[T]) -> AsyncGenerator[T, None]:
    """Yield what a generator does; a thread makes the next one while this one is worked on."""
    coming = asyncio.create_task(asyncio.to_thread(next, items, None))
    try:
        while (item := await coming) is not None:
            coming = asyncio.create_task(asyncio.to_thread(next, items, None))
            yield item
    finally:
        # The file may be closed only once nobody reads it any more.
        await asyncio.wait([coming])


def _sifted(
    sheet: sheets.Sheet, layout: Layout, kind: Kind
) -> Iterator[tuple[list[sheets.Line], list[Row], Faults, float]]:
    """Yield each batch: its lines, the rows among them that can be read, what is wrong, how far it is."""
    for lines in _batches(sheet.lines, layout, kind):
        yield lines, *_sift(lines, layout, kind), sheet.progress()


def _batches(
    lines: Iterator[sheets.Line], layout: Layout, kind: Kind
) -> Iterator[list[sheets.Line]]:
    """Cut the file into batches; neighbours that belong together are not parted."""
    batch: list[sheets.Line] = []
    for line in lines:
        full = len(batch) >= kind.size
        if full and not (kind.together and _bound(layout, kind, batch[-1], line)):
            yield batch
            batch = []
        batch.append(line)
    if batch:
        yield batch


def _bound(layout: Layout, kind: Kind, one: sheets.Line, other: sheets.Line) -> bool:
    return layout.cell(one[1], kind.together) == layout.cell(other[1], kind.together)


def _sift(lines: Sequence[sheets.Line], layout: Layout, kind: Kind) -> tuple[list[Row], Faults]:
    """Part the rows that can be read from those that cannot; with a row go those that belong to it."""
    good = []
    wrong: Faults = {}
    for number, cells in lines:
        row, fault = layout.read(cells)
        if fault is None:
            good.append((number, row))
        else:
            wrong[number] = fault
    if wrong and kind.together:
        named = {number: layout.cell(cells, kind.together) for number, cells in lines}
        spoilt = {named[number]: number for number in reversed(wrong)}
        for number, _ in good:
            if named[number] in spoilt:
                wrong[number] = f"line {spoilt[named[number]]} of the same {kind.together} is wrong"
        good = [(number, row) for number, row in good if number not in wrong]
    return good, wrong


class _Left:
    """The rows that were left out. Their file is made with the first of them, and an old one goes."""

    def __init__(self, path: Path, header: Sequence[str]) -> None:
        self.count = 0
        self._path = path
        self._keep = [at for at, name in enumerate(header) if name != ERROR]
        self._header = [header[at] for at in self._keep]
        self._file: IO[str] | None = None
        self._writer: Any = None

    def __enter__(self) -> Self:
        self._path.unlink(missing_ok=True)
        return self

    def __exit__(self, *_: object) -> None:
        if self._file is not None:
            self._file.close()

    def add(self, lines: Sequence[sheets.Line], wrong: Faults) -> None:
        """Write down those of the lines that are wrong."""
        if wrong and self._file is None:
            # With a mark, so that spreadsheets read it as UTF-8.
            self._file = self._path.open("w", encoding="utf-8-sig", newline="")
            self._writer = csv.writer(self._file)
            self._writer.writerow([*self._header, ERROR])
        for number, cells in lines:
            if number in wrong:
                padded = [*cells, *("" for _ in self._keep)]
                kept = [guarded(padded[at]) for at in self._keep]
                self._writer.writerow([*kept, f"line {number}: {wrong[number]}"])
                self.count += 1

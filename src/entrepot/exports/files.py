"""Writes rows as CSV or XLSX one by one, so that no spreadsheet takes a text for a formula."""

from __future__ import annotations

import csv
import os
from contextlib import contextmanager
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from openpyxl import Workbook
from openpyxl.cell import WriteOnlyCell
from openpyxl.cell.cell import ILLEGAL_CHARACTERS_RE

from entrepot.errors import Unusable
from entrepot.imports.rules import guarded
from entrepot.money import plain

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    Write = Callable[[Sequence[object]], None]

_MOST_ROWS = 1_048_576
_LONGEST = 32_767
_EXACT_DIGITS = 15


@contextmanager
def writing(path: Path) -> Iterator[Write]:
    """Give a function that writes one row; the file appears under its name once all is written.

    It is for its owner's eyes alone. Raises Unusable for a name that says neither CSV nor XLSX, and for
    what no such file can hold.
    """
    formats = {".csv": _csv, ".xlsx": _xlsx}
    if path.suffix.lower() not in formats:
        raise Unusable(f"{path} should end in .csv or .xlsx.")
    if not path.parent.is_dir():
        raise Unusable(f"There is no folder {path.parent}.")
    partial = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        partial.touch(mode=0o600, exist_ok=False)
        with formats[path.suffix.lower()](partial) as write:
            yield write
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)


@contextmanager
def _csv(path: Path) -> Iterator[Write]:
    # With a mark, so that spreadsheets read it as UTF-8.
    with path.open("w", encoding="utf-8-sig", newline="") as text:
        writer = csv.writer(text)
        yield lambda cells: writer.writerow([_written(cell) for cell in cells])


def _written(cell: object) -> str:
    return guarded(cell) if isinstance(cell, str) else _shown(cell)


@contextmanager
def _xlsx(path: Path) -> Iterator[Write]:
    book = Workbook(write_only=True)
    grid = book.create_sheet()
    rows = 0

    def write(cells: Sequence[object]) -> None:
        nonlocal rows
        rows += 1
        if rows > _MOST_ROWS:
            raise Unusable(f"An XLSX file holds {_MOST_ROWS} rows at most; write a CSV file.")
        grid.append([_typed(grid, cell) for cell in cells])

    try:
        yield write
        book.save(path)
    finally:
        book.close()


def _typed(grid: Any, cell: object) -> Any:
    """Return a number as a number where one holds it exactly, everything else as a text, never a formula."""
    if isinstance(cell, int | Decimal) and not isinstance(cell, bool):
        digits = Decimal(cell).normalize().as_tuple().digits
        if len(digits) <= _EXACT_DIGITS:
            return int(cell) if cell == int(cell) else float(cell)
    text = ILLEGAL_CHARACTERS_RE.sub("", _shown(cell))
    if len(text) > _LONGEST:
        raise Unusable(
            f"A cell of an XLSX file holds {_LONGEST} characters at most; write a CSV file."
        )
    made = WriteOnlyCell(grid, text)
    made.data_type = "s"
    return made


def _shown(cell: object) -> str:
    """Return a value as an import reads it."""
    if cell is None:
        return ""
    if isinstance(cell, bool):
        return "on" if cell else "off"
    if isinstance(cell, Decimal):
        return f"{plain(cell):f}"
    return str(cell)

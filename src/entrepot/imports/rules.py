"""What the columns of a file are and what their cells may hold. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable
from decimal import Decimal, InvalidOperation
from operator import itemgetter
from typing import TYPE_CHECKING

from msgspec import Struct

from entrepot.errors import BadInput

if TYPE_CHECKING:
    from collections.abc import Sequence

MOST = 999_999_999
LONGEST = 2000
SHORT = 200
ERROR = "error"
"""The column that says what was wrong with a row; ignored when the file comes in again."""

_FORMULA = re.compile(r"'*(?!-?\d+(?:\.\d+)?\Z)[=+\-@\t\r]", re.ASCII)

Check = Callable[[str], str | None]
"""Returns what is wrong with a cell that is not empty, or None."""


class Unfit(str):
    """A cell that holds neither a text nor a number: a list or an object, as JSON."""

    __slots__ = ()


class Column(Struct, frozen=True, kw_only=True):
    """One column; ``check`` None: any text."""

    name: str
    required: bool = False
    check: Check | None = None
    example: str = ""


class Layout:
    """Where a file's columns are, and how a row becomes the cells of a kind."""

    def __init__(self, columns: Sequence[Column], open_prefix: str, header: Sequence[str]) -> None:
        """Read a header; raises BadInput naming every column that lacks or that nobody knows."""
        names = [name.strip() for name in header]
        known = [column.name for column in columns]
        extra = [name for name in names if name not in known and name != ERROR]
        self.extra = [name for name in extra if open_prefix and name.startswith(open_prefix)]
        unknown = [name for name in extra if name not in self.extra]
        lacking = [c.name for c in columns if c.required and c.name not in names]
        twice = sorted({name for name in names if names.count(name) > 1})
        faults = [
            f"{what} {', '.join(repr(name) for name in which)}"
            for what, which in (("lacks", lacking), ("does not know", unknown), ("repeats", twice))
            if which
        ]
        if faults:
            text = f"The header {'; it '.join(faults)}. Columns: {', '.join(known)}."
            raise BadInput("bad_header", text)
        self.width = len(names)
        self._names = names
        self.given = frozenset(names) & frozenset(known)
        places = [names.index(name) if name in names else -1 for name in (*known, *self.extra)]
        self._pick = itemgetter(*places)
        self._checks = [
            (at, column) for at, column in enumerate(columns) if column.required or column.check
        ]

    def read(self, cells: Sequence[str]) -> tuple[tuple[str, ...], str | None]:
        """Return a row's cells in the kind's order, then the extra ones, and what is wrong with them.

        A column that the file lacks is ``""``.
        """
        if len(cells) != self.width and (len(cells) < self.width or any(cells[self.width :])):
            return (), f"it has {len(cells)} cells, the header {self.width}"
        row = tuple(self._pick([*cells[: self.width], ""]))
        return row, self._fault(row)

    def cell(self, cells: Sequence[str], name: str) -> str:
        """Return one cell of a row as it stands in the file; ``""`` where the row is too short."""
        at = self._names.index(name)
        return cells[at] if at < len(cells) else ""

    def _fault(self, row: Sequence[str]) -> str | None:
        whole_row = "".join(row)
        if len(whole_row) > LONGEST or "\0" in whole_row or Unfit in map(type, row):
            for cell in row:
                if len(cell) > LONGEST:
                    return f"a cell has more than {LONGEST} characters"
                if "\0" in cell:
                    return "a cell holds a NUL character"
                if isinstance(cell, Unfit):
                    return f"a cell is neither a text nor a number: {cell[:40]}"
        for at, column in self._checks:
            cell = row[at]
            if not cell:
                if column.required:
                    return f"{column.name} is empty"
            elif column.check is not None and (wrong := column.check(cell)):
                return f"{column.name} {wrong}: {cell[:40]}"
        return None


def guarded(cell: str) -> str:
    """Return a text so that no spreadsheet takes it for a formula: behind an apostrophe where it might be."""
    return f"'{cell}" if _FORMULA.match(cell) else cell


def unguarded(cell: str) -> str:
    """Return the text that ``guarded`` guarded."""
    return cell[1:] if cell.startswith("'") and _FORMULA.match(cell) else cell


def whole(cell: str) -> str | None:
    """Say what is wrong with a number of pieces from 0."""
    if cell.isascii() and cell.isdigit() and int(cell) <= MOST:
        return None
    return f"is not a whole number from 0 to {MOST}"


def positive(cell: str) -> str | None:
    """Say what is wrong with a number of pieces from 1."""
    if cell.isascii() and cell.isdigit() and 1 <= int(cell) <= MOST:
        return None
    return f"is not a whole number from 1 to {MOST}"


def exact(cell: str) -> str | None:
    """Say what is wrong with an amount or a weight: at least 0, at most 4 decimals."""
    try:
        number = Decimal(cell)
        if 0 <= number < 10**15 and number == round(number, 4):
            return None
    except (InvalidOperation, ValueError):
        pass
    return "is not a number from 0 with at most 4 decimals"


def identity(cell: str) -> str | None:
    """Say what is wrong with a number that names something: up to what JSON can hold everywhere."""
    if cell.isascii() and cell.isdigit() and int(cell) < 2**53:
        return None
    return "is not a whole number below 2^53"


def exact_or_none(cell: str) -> str | None:
    """Say what is wrong with an amount where -1 says that there is none."""
    return None if cell in ("-1", "-1.0", "-1.0000") else exact(cell)


def digit(cell: str) -> str | None:
    """Say what is wrong with a choice of three."""
    return None if cell in ("0", "1", "2") else "is neither 0 nor 1 nor 2"


def short(cell: str) -> str | None:
    """Say what is wrong with a name or a number."""
    return None if len(cell) <= SHORT else f"has more than {SHORT} characters"


def gift(cell: str) -> str | None:
    """Say what is wrong with a gift flag."""
    return None if cell in ("0", "1", "2") else "is neither 0 nor 1 (asked for) nor 2 (promotion)"


def nobodys(_cell: str) -> str:
    """Say that an order of a partner's is not brought in beside its connection."""
    return "is a partner's, its orders come in by themselves"


def switch(cell: str) -> str | None:
    """Say what is wrong with a yes or no."""
    return None if cell in ("on", "off") else "is neither on nor off"

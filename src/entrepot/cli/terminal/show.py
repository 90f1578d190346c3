"""Shows things: tables for people, JSON for programs, complaints on stderr."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import msgspec
from rich.console import Console
from rich.table import Table
from rich.text import Text

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

_WIDE = 200  # columns where the output is no terminal, so that nothing is cut


def as_json(value: object) -> None:
    """Print a value as JSON: times ISO 8601 UTC, decimals as numbers."""
    packed = msgspec.json.Encoder(decimal_format="number").encode(value)
    sys.stdout.write(msgspec.json.format(packed, indent=2).decode() + "\n")


def table(columns: Sequence[str], rows: Iterable[Sequence[object]], *, empty: str) -> None:
    """Print a table for people, or the sentence ``empty`` that says what to do."""
    grid = Table(*columns, box=None, pad_edge=False, header_style="bold")
    for row in rows:
        grid.add_row(*(_cell(value) for value in row))
    if grid.row_count:
        _console().print(grid)
    else:
        say(empty)


def say(sentence: str) -> None:
    """Print a sentence for people."""
    _console().print(sentence, markup=False, highlight=False, soft_wrap=True)


def complain(sentence: str) -> None:
    """Print what is wrong, and what to do, on stderr."""
    Console(stderr=True).print(sentence, style="red", markup=False, highlight=False, soft_wrap=True)


def _console() -> Console:
    return Console(width=None if sys.stdout.isatty() else _WIDE)


def _cell(value: Any) -> Text:
    if isinstance(value, tuple | list):
        value = ", ".join(str(part) for part in value)
    return Text("" if value is None else str(value))

"""Shows things: tables for people, JSON for programs, complaints on stderr."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any, TextIO

import msgspec
from rich.console import Console
from rich.table import Table
from rich.text import Text

if TYPE_CHECKING:
    from collections.abc import AsyncIterable, Iterable, Sequence

_WIDE = 200  # columns where the output is no terminal, so that nothing is cut


def as_json(value: object) -> None:
    """Print a value as JSON: times ISO 8601 UTC, decimals as numbers."""
    packed = msgspec.json.Encoder(decimal_format="number").encode(value)
    sys.stdout.write(msgspec.json.format(packed, indent=2).decode() + "\n")


async def stream_json(rows: AsyncIterable[object]) -> None:
    """Print any number of rows as one JSON array, a row a line."""
    encoder = msgspec.json.Encoder(decimal_format="number")
    before = "[\n  "
    async for row in rows:
        sys.stdout.write(before + encoder.encode(row).decode())
        before = ",\n  "
    sys.stdout.write("[]\n" if before.startswith("[") else "\n]\n")


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
    """Print a sentence for people, at once: it may go to a file that somebody follows."""
    sys.stdout.write(sentence + "\n")
    sys.stdout.flush()


def hint(sentence: str) -> None:
    """Print on stderr what helps people and is not the answer itself."""
    _console(sys.stderr).print(sentence, style="dim", soft_wrap=True)


def complain(sentence: str) -> None:
    """Print what is wrong, and what to do, on stderr."""
    _console(sys.stderr).print(sentence, style="red", soft_wrap=True)


def _console(stream: TextIO | None = None) -> Console:
    stream = stream or sys.stdout
    width = None if stream.isatty() else _WIDE
    return Console(file=stream, width=width, markup=False, highlight=False)


def _cell(value: Any) -> Text:
    if isinstance(value, tuple | list):
        value = ", ".join(str(part) for part in value)
    return Text("" if value is None else str(value))

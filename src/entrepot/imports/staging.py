"""A batch of rows on its way into the database: staged by COPY, checked and applied by SQL."""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from entrepot import ids
from entrepot.db import queries

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping, Sequence

    from entrepot.db import Tx
    from entrepot.dialect import Dialect
    from entrepot.imports.rules import Column

_q = queries(__package__)

Faults = dict[int, str]
"""What is wrong with rows, by their line in the file."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """Rows of one kind, in the order of the file, with the columns that the file has.

    ``dialects`` say which names of articles their partners would refuse.
    """

    rows: Sequence[tuple[int, Sequence[str]]]
    given: frozenset[str]
    extra: Sequence[str] = ()
    who: str
    dialects: Mapping[str, Dialect] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """A kind of file. ``apply`` writes a batch in the caller's transaction and returns what it left out.

    ``together`` names the column whose equal neighbours belong to one document and one batch.
    """

    name: str
    columns: tuple[Column, ...]
    apply: Callable[[Tx, Batch], Awaitable[Faults]]
    prefix: str = ""
    together: str = ""
    size: int = 20_000


async def stage(tx: Tx, columns: Sequence[Column], batch: Batch, *more: str) -> None:
    """Put a batch into the table ``staged``: line, two fresh ids, then its columns as text.

    ``more`` are columns (``name type``) that the checks fill in.
    """
    text = io.StringIO()
    writer = csv.writer(text)
    width = len(columns)
    writer.writerows(
        (line, ids.new(), ids.new(), *cells[:width], *("" for _ in more))
        for line, cells in batch.rows
    )
    shape = {"line": "int", "id": "bigint", "other_id": "bigint"}
    shape |= {column.name: "text" for column in columns}
    shape |= {name: kind for name, _, kind in (part.partition(" ") for part in more)}
    await tx.stage(shape, text.getvalue().encode())


async def faults(tx: Tx, query: str) -> Faults:
    """Take the rows that a check finds wrong out of the table; return why, by line."""
    return {row["line"]: row["fault"] for row in await tx.rows(query)}

"""A list as a file: CSV or XLSX, row by row, with no cell that a spreadsheet would run."""

from __future__ import annotations

import asyncio
import csv
import io
import tempfile
from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from litestar.response import Stream

from entrepot import clock

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence

MOST = 200_000
_CHUNK = 64 * 1024
_FORMULA = ("=", "+", "-", "@", "\t", "\r")
_TYPES = {
    "csv": "text/csv; charset=utf-8",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}


async def answer(
    name: str, kind: str, header: Sequence[str], rows: AsyncIterator[Sequence[object]]
) -> Stream:
    """Return a download named ``NAME-yyyymmdd-hhmm.KIND``; ``rows`` follow the header's columns.

    Its first part is made before it is answered, so that what fails then is answered as a failure.
    """
    stamp = f"{clock.shanghai(clock.now()):%Y%m%d-%H%M}"
    body = _csv(header, rows) if kind == "csv" else _xlsx(header, rows)
    disposition = f'attachment; filename="{name}-{stamp}.{kind}"'
    first = await anext(body)
    return Stream(
        _joined(first, body), media_type=_TYPES[kind], headers={"content-disposition": disposition}
    )


def safe(value: object) -> object:
    """Return a cell that is only ever text or a number: what looks like a formula is quoted."""
    if isinstance(value, str):
        return "'" + value if value.startswith(_FORMULA) else value
    if isinstance(value, datetime):
        return f"{clock.shanghai(value):%Y-%m-%d %H:%M:%S}"
    return "" if value is None else value


async def _joined(first: bytes, rest: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    yield first
    async for chunk in rest:
        yield chunk


async def _csv(
    header: Sequence[str], rows: AsyncIterator[Sequence[object]]
) -> AsyncIterator[bytes]:
    """Write CSV with a byte order mark, which spreadsheets need to see that it is UTF-8."""
    buffer = io.StringIO()
    writer = csv.writer(buffer)
    buffer.write("\ufeff")
    writer.writerow(header)
    async for row in rows:
        writer.writerow([safe(value) for value in row])
        if buffer.tell() > _CHUNK:
            yield buffer.getvalue().encode()
            buffer.seek(0)
            buffer.truncate()
    yield buffer.getvalue().encode()


async def _xlsx(
    header: Sequence[str], rows: AsyncIterator[Sequence[object]]
) -> AsyncIterator[bytes]:
    """Write a workbook to a temporary file, in a thread, and stream that."""
    from openpyxl import Workbook  # noqa: PLC0415 - slow to import, rarely needed
    from openpyxl.cell import WriteOnlyCell  # noqa: PLC0415

    book = Workbook(write_only=True)
    sheet = book.create_sheet()
    sheet.append(list(header))

    def cell(value: object) -> Any:
        made = WriteOnlyCell(sheet, value=None)
        if isinstance(value, (int, float, Decimal)):
            made.value = value
        else:
            made.value = str(safe(value))
            made.data_type = "s"
        return made

    try:
        async for row in rows:
            sheet.append([cell(value) for value in row])
        with tempfile.TemporaryFile() as file:
            await asyncio.to_thread(book.save, file)
            file.seek(0)
            while chunk := file.read(_CHUNK):
                yield chunk
    finally:
        if not sheet.closed:  # whoever asked went away, or a row could not be read
            sheet.close()
            sheet._writer.cleanup()  # noqa: SLF001 - its only way to take its own file away

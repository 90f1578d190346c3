"""Lists: filters from the address, pages by keyset, days as the reader has them, saved filters."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, time, timedelta
from typing import TYPE_CHECKING, Any

from msgspec import Struct

from entrepot import clock, ids

if TYPE_CHECKING:
    from collections.abc import Mapping

SIZE = 50
MOST_COUNTED = 1000


class Page(Struct, kw_only=True):
    """One page of a list. ``older`` is the cursor of the next page, None at the end."""

    rows: Sequence[Any]
    older: str | None = None
    first: bool = True
    more_than_shown: bool = False


def page(rows: Sequence[Any], cursor: Any, *, before: str | None, size: int = SIZE) -> Page:
    """Make a page of ``size + 1`` rows asked for; ``cursor`` says how a row is written as one."""
    shown = list(rows[:size])
    older = cursor(shown[-1]) if len(rows) > size else None
    return Page(rows=shown, older=older, first=not before)


def by_id(row: Any) -> str:
    """Return the cursor of a list ordered by id."""
    return str(row["id"])


def by_time(row: Any) -> str:
    """Return the cursor of a list ordered by (at, id): microseconds and id."""
    micros = (row["at"] - _START) // timedelta(microseconds=1)
    return f"{micros}.{row['id']}"


def id_before(text: str | None) -> int:
    """Return the id a page ends before; without a cursor beyond all."""
    return (
        int(text)
        if text and text.isascii() and text.isdigit() and len(text) < 19
        else (1 << 63) - 1
    )


def time_before(text: str | None) -> tuple[datetime | None, int | None]:
    """Return the (at, id) a page ends before."""
    micros, dot, row_id = (text or "").partition(".")
    if (
        not dot
        or not micros.isdigit()
        or not row_id.isdigit()
        or len(micros) > 17
        or len(row_id) > 19
    ):
        return None, None
    return _START + timedelta(microseconds=int(micros)), int(row_id)


def days(query: Mapping[str, str]) -> tuple[datetime | None, datetime | None]:
    """Return the half-open span of the days ``from`` … ``to`` (both included, Asia/Shanghai)."""
    start, end = _day(query.get("from")), _day(query.get("to"))
    return start, end + timedelta(days=1) if end else None


def id_span(query: Mapping[str, str]) -> tuple[int, int]:
    """Return the ids made within the days of a query: [first, last)."""
    start, end = days(query)
    return (ids.floor(start) if start else 0), (ids.floor(end) if end else (1 << 63) - 1)


def today() -> datetime:
    """Return when today began for the reader."""
    local = clock.shanghai(clock.now())
    return datetime.combine(local.date(), time(), clock.SHANGHAI).astimezone(UTC)


def prefix_span(text: str) -> tuple[str, str]:
    """Return the span of texts that begin with ``text``, for an ordered index."""
    return text, text + "\U0010ffff"


def _day(text: str | None) -> datetime | None:
    try:
        found = datetime.strptime(text or "", "%Y-%m-%d")  # noqa: DTZ007 - placed right below
        return found.replace(tzinfo=clock.SHANGHAI).astimezone(UTC)
    except (ValueError, OverflowError):
        return None


_START = datetime(1970, 1, 1, tzinfo=UTC)

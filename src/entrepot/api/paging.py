"""Pages by key: a page starts behind the last row of the one before, however much was added since."""

from __future__ import annotations

import base64
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any, Generic, TypeVar

import msgspec
from msgspec import Meta, Struct

from entrepot import decode
from entrepot.errors import BadInput

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

T = TypeVar("T")
Found = TypeVar("Found")

Number = Annotated[int, Meta(ge=0, le=2**63 - 1)]
"""An id inside a cursor."""


class Page(Struct, Generic[T], frozen=True, kw_only=True):
    """One page; ``next`` is what to ask for as ``after`` to get the one behind it, null at the end."""

    items: list[T]
    next: str | None


class Paged(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which page of a list."""

    limit: Annotated[int, Meta(ge=1, le=500, description="How many items a page holds.")] = 50
    after: (
        Annotated[str, Meta(max_length=2000, description="`next` of the page before.")] | None
    ) = None


def page(
    found: Sequence[Found],
    wanted: Paged,
    key: Callable[[Found], tuple[Any, ...]],
    shown: Callable[[Found], T],
) -> Page[T]:
    """Return rows as a page; ``found`` holds one more than ``wanted.limit`` where there are more."""
    kept = found[: wanted.limit]
    more = len(found) > wanted.limit
    return Page(items=[shown(row) for row in kept], next=cursor(key(kept[-1])) if more else None)


def cursor(key: tuple[Any, ...]) -> str:
    """Return a row's key as the text that continues behind it."""
    return base64.urlsafe_b64encode(msgspec.json.encode(key)).rstrip(b"=").decode()


def start(wanted: Paged, key: Any) -> Any:
    """Return the key a page starts behind, typed as ``key``; None for the first. Raises BadInput."""
    if wanted.after is None:
        return None
    try:
        raw = base64.urlsafe_b64decode(wanted.after + "=" * (-len(wanted.after) % 4))
        return msgspec.json.decode(decode.checked(raw), type=key)
    except (ValueError, msgspec.MsgspecError, BadInput) as error:
        text = "This is no `next` of this list."
        raise BadInput("bad_cursor", text, path="after") from error


def utc(moment: datetime | None) -> datetime | None:
    """Return a moment of a cursor in UTC; raises BadInput for one at the ends of time."""
    try:
        return moment.astimezone(UTC) if moment else None
    except OverflowError as error:
        text = "This is no `next` of this list."
        raise BadInput("bad_cursor", text, path="after") from error

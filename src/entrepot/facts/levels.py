"""Levels of stock: no facts, since what a quantity is now is never queued. Pure."""

from __future__ import annotations

from typing import ClassVar

import msgspec


class Level(msgspec.Struct, frozen=True, kw_only=True):
    """What one listing may sell now, read at sending time.

    ``total`` is over the connection's locations; ``by_location`` (location code to pieces) only where
    the connection publishes per store.
    """

    listing_id: int
    type: str
    key: str
    total: int
    by_location: dict[str, int] = {}


class Levels(msgspec.Struct, frozen=True, kw_only=True):
    """A batch of levels for one call. Never queued: see ``courier.levels``."""

    kind: ClassVar[str] = "stock"

    levels: tuple[Level, ...]

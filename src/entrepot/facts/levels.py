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


class Sellable(msgspec.Struct, frozen=True, kw_only=True):
    """How many pieces of an article may be sold now."""

    sku: str
    available: int


class LevelsTold(msgspec.Struct, frozen=True, kw_only=True):
    """Levels that changed, as subscribers are told them: the newest, which may pass over some between."""

    levels: tuple[Sellable, ...]


class Levels(msgspec.Struct, frozen=True, kw_only=True):
    """A batch of levels for one call. Never queued: see ``courier.levels``."""

    kind: ClassVar[str] = "stock"
    event: ClassVar[str] = "stock.levels"

    levels: tuple[Level, ...]

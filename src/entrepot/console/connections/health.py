"""A connection's traffic light: what its newest calls and the courier say, as one word."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from msgspec import Struct

from entrepot.console.sayings import said
from entrepot.console.words import N_, _, ago

if TYPE_CHECKING:
    from entrepot.db import Row

_FAILING = 0.5
# Of fewer calls than these the newest one tells; a single failure at the start is no trouble any more.
_ENOUGH = 4


class Health(Struct, kw_only=True):
    """How one connection fares; ``colour`` good, wait, bad or ``""`` (nothing happened yet)."""

    id: int
    name: str
    dialect: str
    role: str
    partner_url: str | None
    colour: str
    word: str
    why: str
    last_in: datetime | None
    last_out: datetime | None
    last_good: datetime | None
    waiting: int
    oldest: datetime | None
    attention: int
    breaker: datetime | None


def health(row: Row) -> Health:
    """Return the light of one row of ``connections/queries.sql: health``."""
    colour, word, why = _light(row)
    return Health(
        id=row["id"],
        name=row["name"],
        dialect=row["dialect"],
        role=row["role"],
        partner_url=row["partner_url"],
        colour=colour,
        word=_(word),
        why=why,
        last_in=row["last_in"],
        last_out=row["last_out"],
        last_good=row["last_good"],
        waiting=row["waiting"],
        oldest=row["oldest"],
        attention=row["attention"],
        breaker=row["open_since"],
    )


def _light(row: Row) -> tuple[str, str, str]:
    if row["paused"]:
        return "wait", N_("Paused"), _("Nothing is sent until it is resumed.")
    if row["open_since"] is not None:
        since = ago(row["open_since"])
        return (
            "bad",
            N_("Breaker open"),
            _("Too many calls failed; opened %(since)s.") % {"since": since},
        )
    if row["attention"]:
        return "bad", N_("Needs a person"), ""
    few = row["calls"] < _ENOUGH and row["last_good"] == row["last_out"]
    if not few and row["calls"] and row["failed"] / row["calls"] >= _FAILING:
        return "bad", N_("Failing"), _("%(failed)d of the last %(calls)d calls failed.") % {
            "failed": row["failed"], "calls": row["calls"],
        }  # fmt: skip
    if row["feed_tries"]:
        return "wait", N_("Levels wait"), said(row["feed_error"] or "")
    if row["held_until"] is not None and row["held_for"]:
        return "wait", N_("Held"), said(row["held_for"])
    if row["last_in"] is None and row["last_out"] is None:
        return "", N_("No traffic yet"), ""
    return "good", N_("Healthy"), ""

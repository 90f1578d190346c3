"""Discrepancies are seen, agree again, and are resolved by a person.

There is one row per connection, kind and subject. Whoever finds figures that differ calls ``see`` in the
transaction that found them; whoever finds that they agree again calls ``agree``, and the row is resolved
by itself. A person's ``resolve`` holds for as long as the figures (``details``) stay the same: seen with
others it opens anew.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
from msgspec import Struct

from entrepot import ids
from entrepot.db import queries
from entrepot.discrepancies import rules, told
from entrepot.discrepancies.rules import Key, Seen, Standing
from entrepot.errors import BadInput, Missing, Refused

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from entrepot.db import Database, Row, Tx

_q = queries(__package__)
AGREED = "the figures agree again"
_AT_ONCE = 10_000  # as the statement says


class Resolve(Struct, frozen=True, kw_only=True):
    """A person's verdict on one discrepancy."""

    id: int
    who: str
    reason: str


async def see(tx: Tx, batch: Sequence[Seen]) -> None:
    """Open these discrepancies, or note that they still stand; of one seen twice the last counts."""
    rows = rules.once(batch)
    if rows:
        opened = await tx.rows(
            _q.see,
            ids.some(len(rows)),
            [row.kind for row in rows],
            [row.connection_id for row in rows],
            [row.subject for row in rows],
            [row.document for row in rows],
            [row.order_id for row in rows],
            [row.note_id for row in rows],
            [row.text for row in rows],
            [msgspec.json.encode(row.details).decode() for row in rows],
            told.heard(tx),
        )
        await told.opened(tx, opened)


async def agree(tx: Tx, keys: Collection[Key], reason: str = AGREED) -> None:
    """Resolve what stands under these keys: its figures agree again, or whatever else is the reason."""
    if keys:
        resolved = await tx.rows(_q.agree, *_columns(keys), reason)
        await told.resolved(tx, resolved, by_hand=False)


async def forget(db: Database) -> None:
    """Drop, of all tenants, what has been resolved and not seen again for 400 days, as deliveries are."""
    while len(await db.rows(_q.forget_resolved)) == _AT_ONCE:
        pass


async def open_among(tx: Tx, keys: Collection[Key]) -> dict[Key, Standing]:
    """Return what is open under these keys."""
    if not keys:
        return {}
    rows = await tx.rows(_q.open_among, *_columns(keys))
    return {(row["connection_id"] or 0, row["kind"], row["subject"]): standing(row) for row in rows}


async def resolve(tx: Tx, batch: Sequence[Resolve]) -> list[Refused | None]:
    """Resolve discrepancies by hand, which is audited; resolved again, the first verdict stays."""
    given = [one for one in batch if one.reason.strip()]
    rows = await tx.rows(
        _q.resolve,
        [one.id for one in given],
        [one.who for one in given],
        [one.reason.strip() for one in given],
        ids.some(len(given)),
    )
    await told.resolved(tx, [row for row in rows if row["was_open"]], by_hand=True)
    known = {row["id"] for row in rows}
    return [_outcome(one, known) for one in batch]


def standing(row: Row) -> Standing:
    """Return a row as an operator sees it."""
    fields = {name: row[name] for name in Standing.__struct_fields__ if name != "details"}
    return Standing(details=msgspec.json.decode(row["details"]), **fields)


def _outcome(one: Resolve, known: Collection[int]) -> Refused | None:
    if not one.reason.strip():
        return BadInput("missing_field", "Say why: a reason is kept with it.", path="reason")
    if one.id not in known:
        return Missing("unknown_discrepancy", f"There is no discrepancy {one.id}.")
    return None


def _columns(keys: Collection[Key]) -> tuple[list[int], list[str], list[str]]:
    ordered = sorted(keys)
    return [key[0] for key in ordered], [key[1] for key in ordered], [key[2] for key in ordered]

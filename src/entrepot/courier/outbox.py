"""The near end of the pipe: what happened is written down in the transaction that made it true.

Facts about one document reach one partner in the order in which they were announced. Nothing is sent
here; the worker finds what is due.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

from entrepot import facts, ids
from entrepot.db import queries
from entrepot.facts import Fact

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from entrepot.db import Tx

_q = queries(__package__)
_SEPARATOR = "\x1f"


class Announcement(Struct, frozen=True, kw_only=True):
    """One fact for one connection; None: for nobody but those who overhear it.

    ``key`` is the id of the document it is about: facts with the same key arrive in order.
    ``urgent`` goes ahead of everything that waits under that key (a call on its way is not overtaken).
    """

    connection_id: int | None
    key: int
    fact: Fact
    urgent: bool = False


class Standing(Struct, frozen=True, kw_only=True):
    """How a delivery stands: its state, whether a call was ever begun, and the partner's last words."""

    id: int
    state: str
    begun: bool
    last_error: str


async def announce(tx: Tx, items: Sequence[Announcement]) -> list[int | None]:
    """Write the deliveries of what happened; one statement, none when nobody listens.

    Returns the delivery's id per item, or None where the connection's partner is not told this kind of
    fact. Call it in the transaction that made the facts true, after the documents are locked. Those who
    overhear a fact get a delivery each, once, however many partners it is for.
    """
    heard = [
        item.connection_id is not None and tx.listens(item.connection_id, item.fact.kind)
        for item in items
    ]
    made = [ids.new() if hears else None for hears in heard]
    told = [(i, item) for i, item in zip(made, items, strict=True) if i is not None]
    echoes = [int(item.fact.echoes) for _, item in told]
    told += [(ids.new(), item) for item in _overheard(tx, items)]
    if told:
        payloads = [facts.encode(item.fact) for _, item in told]
        await tx.do(
            _q.announce,
            [i for i, _ in told],
            [item.connection_id for _, item in told],
            [item.key for _, item in told],
            [item.urgent for _, item in told],
            [item.fact.kind for _, item in told],
            [item.fact.number for _, item in told],
            [_SEPARATOR.join(item.fact.numbers()[1:]) for _, item in told],
            [item.fact.personal for _, item in told],
            [
                tx.seal(payload) if item.fact.personal else payload
                for payload, (_, item) in zip(payloads, told, strict=True)
            ],
            echoes + [0] * (len(told) - len(echoes)),
        )
    return made


def _overheard(tx: Tx, items: Sequence[Announcement]) -> Iterator[Announcement]:
    """Yield what those are to be told who overhear these facts, in the order in which they happened."""
    said: set[tuple[int, int, str, bytes]] = set()
    for item in items:
        for connection_id in tx.overhearers(item.fact.kind):
            name = (connection_id, item.key, item.fact.kind, facts.encode(item.fact))
            if name not in said:
                said.add(name)
                yield Announcement(connection_id=connection_id, key=item.key, fact=item.fact)


async def withdraw(
    tx: Tx, deliveries: Sequence[int], reason: str, *, tried: bool = False
) -> set[int]:
    """Cancel those of the deliveries for which no call was ever begun; return which these are.

    With ``tried`` those that wait for their next attempt too. Those left out have been sent, are being
    sent, or are settled already.
    """
    wanted = sorted(set(deliveries))
    await tx.rows(_q.lock_lanes_of, wanted)
    gone = await tx.rows(_q.withdraw, wanted, reason, tried)
    await tx.do(
        _q.advance_lanes, [row["connection_id"] for row in gone], [row["key"] for row in gone]
    )
    return {row["id"] for row in gone}


async def standing(tx: Tx, deliveries: Sequence[int]) -> dict[int, Standing]:
    """Return how the deliveries stand, by id."""
    rows = await tx.rows(_q.standing, list(deliveries))
    return {
        row["id"]: Standing(
            id=row["id"], state=row["state"], begun=row["begun"], last_error=row["last_error"] or ""
        )
        for row in rows
    }

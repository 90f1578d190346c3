"""The door for orders: what they name is looked up, each number is given once, what came in is written."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import msgspec

from entrepot import ids
from entrepot.catalogue import flows as catalogue
from entrepot.catalogue import suites
from entrepot.catalogue.rules import SUITE, Known, explode
from entrepot.db import ints, queries
from entrepot.decode import MOST
from entrepot.errors import BadInput, Conflict, Refused

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from entrepot.db import Row, Tx
    from entrepot.orders.rules import NewOrder

_q = queries(__package__)

Articles = dict[tuple[str, str], Known]
"""By (kind of name, name)."""


class Door(NamedTuple):
    """A batch of orders at the door: ids of those let in and what is wrong with others (by ``id(new)``), who
    holds their numbers (by guard), the articles they name, and the parts of those that are suites.
    """

    taken: dict[int, int]
    faults: dict[int, Refused]
    existing: dict[tuple[int, str], Row]
    articles: Articles
    parts: suites.Parts

    def fault(self, new: NewOrder) -> Refused:
        """Return why an order that holds no number was not let in."""
        text = f"Order {new.number} exists."
        return self.faults.get(id(new)) or Conflict("order_exists", text, number=new.number)

    def pieces(self, new: NewOrder) -> list[tuple[int, int, int]]:
        """Return (line, article id, pieces) of what an order takes; a suite takes each of its parts."""
        return explode(_wanted(new, self.articles), self.parts)


async def admit(tx: Tx, batch: Sequence[NewOrder], barred: Mapping[int, Refused] = {}) -> Door:
    """Give each order that may come in its number, and tell what stands in the others' way.

    ``barred`` are not let in, whatever they name.
    """
    articles = await _articles(tx, batch)
    parts = await suites.parts_of(tx, {a.id for a in articles.values() if a.kind == SUITE})
    found = {id(new): _fault(new, articles, parts) for new in batch}
    faults = {key: fault for key, fault in found.items() if fault is not None} | dict(barred)
    taken = await _claim(tx, [new for new in batch if id(new) not in faults])
    existing = await _existing(tx, [new for new in batch if id(new) not in taken])
    return Door(taken, faults, existing, articles, parts)


async def save(tx: Tx, fresh: Sequence[NewOrder], door: Door) -> None:
    """Write orders that got their numbers, with their lines and the log of their coming in."""
    numbered = [(door.taken[id(new)], new) for new in fresh]
    logs = [(order_id, new.who, "accepted") for order_id, new in numbered]
    logs += [(order_id, new.who, "processed") for order_id, new in numbered if new.auto_process]
    lines = [
        (order_id, position, door.articles[new.named_by, line.name].id, line.qty)
        for order_id, new in numbered
        for position, line in enumerate(new.lines)
    ]
    await tx.do(
        _q.save,
        [order_id for order_id, _ in numbered],
        [new.partner.id if new.partner else None for new in fresh],
        [new.number for new in fresh],
        ["processed" if new.auto_process else "accepted" for new in fresh],
        [new.customer for new in fresh],
        [new.receiver for new in fresh],
        [new.phone_hash for new in fresh],
        [msgspec.json.encode(new.details).decode() for new in fresh],
        [new.body for new in fresh],
        [log[0] for log in logs],
        [ids.new() for _ in logs],
        [log[1] for log in logs],
        [log[2] for log in logs],
        *(ints(line[column] for line in lines) for column in range(4)),
        [new.fulfilment for new in fresh],
    )


async def _articles(tx: Tx, batch: Sequence[NewOrder]) -> Articles:
    """Return articles by (kind of name, name), creating those a connection's policy lets in."""
    wanted: dict[str, set[str]] = {"style": set(), "sku": set()}
    for new in batch:
        wanted[new.named_by].update(line.name for line in new.lines)
    styles = await catalogue.found_by_style(tx, wanted["style"])
    skus = await catalogue.found_by_sku(tx, wanted["sku"])
    found = {("style", name): article for name, article in styles.items()}
    found |= {("sku", name): article for name, article in skus.items()}
    creating = {name for new in batch if new.create_unknown for name in _unknown(new, found)}
    if creating:
        await catalogue.add_styles(tx, creating)
        made = await catalogue.found_by_style(tx, creating)
        found |= {("style", name): article for name, article in made.items()}
    return found


def _unknown(new: NewOrder, articles: Articles) -> list[str]:
    missing = [line.name for line in new.lines if (new.named_by, line.name) not in articles]
    return list(dict.fromkeys(missing))


async def _claim(tx: Tx, batch: Sequence[NewOrder]) -> dict[int, int]:
    """Take each number once; return the order ids of those that got theirs, by ``id(new)``."""
    first: dict[tuple[int, str], NewOrder] = {}
    for new in batch:
        first.setdefault(new.guard, new)
    if not first:
        return {}
    order_ids = {ids.new(): new for new in first.values()}
    won = await tx.rows(
        _q.claim,
        [new.guard[0] for new in order_ids.values()],
        [new.number for new in order_ids.values()],
        list(order_ids),
        [new.digest for new in order_ids.values()],
        [new.kind for new in order_ids.values()],
    )
    return {id(order_ids[row["document_id"]]): row["document_id"] for row in won}


async def _existing(tx: Tx, batch: Sequence[NewOrder]) -> dict[tuple[int, str], Row]:
    if not batch:
        return {}
    rows = await tx.rows(
        _q.taken,
        [new.guard[0] for new in batch],
        [new.number for new in batch],
        [new.kind for new in batch],
    )
    return {(row["connection_id"], row["number"]): row for row in rows}


def _fault(new: NewOrder, articles: Articles, parts: suites.Parts) -> Refused | None:
    """Return why this order can't be taken, whatever its number: unknown goods, more than can be counted."""
    if unknown := _unknown(new, articles):
        path = next(line.path for line in new.lines if line.name in unknown)
        text = f"No article is called {', '.join(unknown)}."
        return BadInput("unknown_goods", text, path=path, names=unknown)
    for position, _, qty in explode(_wanted(new, articles), parts) if parts else ():
        if qty > MOST:
            line = new.lines[position]
            text = f"{line.name}: {qty} pieces of one part are more than can be counted."
            return BadInput("too_many_pieces", text, path=line.path)
    return None


def _wanted(new: NewOrder, articles: Articles) -> Iterator[tuple[int, int]]:
    """Yield (article id, qty) of each line."""
    return ((articles[new.named_by, line.name].id, line.qty) for line in new.lines)

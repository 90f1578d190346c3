"""The door for orders: what they name is looked up, each number is given once, what came in is written."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
from msgspec import Struct

from entrepot import ids
from entrepot.catalogue import flows as catalogue
from entrepot.catalogue import suites
from entrepot.catalogue.rules import SUITE, Known, explode
from entrepot.db import Row, ints, queries
from entrepot.decode import MOST
from entrepot.errors import BadInput, Conflict, Refused

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from entrepot.db import Tx
    from entrepot.orders.rules import NewOrder
    from entrepot.stock.rules import Pick

_q = queries(__package__)

Articles = dict[tuple[str, str], Known]
"""By (kind of name, name)."""


class Door(Struct, kw_only=True):
    """A batch of orders at the door.

    ``ids`` are those of the orders that may come in, and ``faults`` what is wrong with others; ``articles``
    are what they name, ``parts`` those of the suites among them. Once it was opened, ``taken`` are the ids
    of those that got their numbers, and ``existing`` who holds the numbers of others (by guard). Orders are
    keyed by ``id(new)``.
    """

    ids: dict[int, int]
    faults: dict[int, Refused]
    articles: Articles
    parts: suites.Parts
    taken: dict[int, int] = {}
    existing: dict[tuple[int, str], Row] = {}

    def fault(self, new: NewOrder) -> Refused:
        """Return why an order that holds no number was not let in."""
        text = f"Order {new.number} exists."
        return self.faults.get(id(new)) or Conflict("order_exists", text, number=new.number)

    def pieces(self, new: NewOrder) -> list[tuple[int, int, int]]:
        """Return (line, article id, pieces) of what an order takes; a suite takes each of its parts."""
        return explode(_wanted(new, self.articles), self.parts)


async def admit(tx: Tx, batch: Sequence[NewOrder], barred: Mapping[int, Refused] = {}) -> Door:
    """Write the orders that may come in, and tell what stands in the others' way.

    ``barred`` are not let in, whatever they name.
    """
    door = await look(tx, batch, barred)
    await enter(tx, batch, door)
    return door


async def look(tx: Tx, batch: Sequence[NewOrder], barred: Mapping[int, Refused] = {}) -> Door:
    """Look up what orders name, and tell which may come in: of those that want one number, the first."""
    articles = await _articles(tx, batch)
    parts = await suites.parts_of(tx, {a.id for a in articles.values() if a.kind == SUITE})
    found = {id(new): _fault(new, articles, parts) for new in batch}
    faults = {key: fault for key, fault in found.items() if fault is not None} | dict(barred)
    first: dict[tuple[int, str], NewOrder] = {}
    for new in batch:
        if id(new) not in faults:
            first.setdefault(new.guard, new)
    order_ids = zip(map(id, first.values()), ids.some(len(first)), strict=True)
    return Door(ids=dict(order_ids), faults=faults, articles=articles, parts=parts)


async def enter(
    tx: Tx, batch: Sequence[NewOrder], door: Door, picks: Sequence[Pick] | None = None
) -> None:
    """Give each order that may come in its number, and write those that got theirs.

    With ``picks`` their stock is reserved too, and nothing is written after it.
    """
    coming = [new for new in batch if id(new) in door.ids]
    if coming:
        write = tx.rows if picks is None else tx.alone
        won = {
            row[0] for row in await write(_q.admit, *_columns(coming, door), *_held(picks or ()))
        }
        door.taken = {key: order_id for key, order_id in door.ids.items() if order_id in won}
        tx.events["orders"] = tx.events.get("orders", 0) + len(won)
    door.existing = await _existing(tx, [new for new in batch if id(new) not in door.taken])


def _columns(coming: Sequence[NewOrder], door: Door) -> list[object]:
    """Return the columns of orders, of their log and of their lines."""
    numbered = [(door.ids[id(new)], new) for new in coming]
    logs = [(order_id, new.who, "accepted") for order_id, new in numbered]
    logs += [(order_id, new.who, "processed") for order_id, new in numbered if new.auto_process]
    lines = [
        (order_id, position, door.articles[new.named_by, line.name].id, line.qty)
        for order_id, new in numbered
        for position, line in enumerate(new.lines)
    ]
    return [
        ints(order_id for order_id, _ in numbered),
        [new.partner.id if new.partner else None for new in coming],
        [new.number for new in coming],
        [new.kind for new in coming],
        [new.digest for new in coming],
        ["processed" if new.auto_process else "accepted" for new in coming],
        [new.customer for new in coming],
        [new.receiver for new in coming],
        [new.phone_hash for new in coming],
        [msgspec.json.encode(new.details).decode() for new in coming],
        [new.body for new in coming],
        [new.fulfilment for new in coming],
        ints(log[0] for log in logs),
        ints(ids.some(len(logs))),
        [log[1] for log in logs],
        [log[2] for log in logs],
        *(ints([line[column] for line in lines]) for column in range(4)),
    ]


def _held(picks: Sequence[Pick]) -> list[str]:
    """Return the columns of reservations, and of the articles whose stock they change."""
    demands = [pick.demand for pick in picks]
    changed = {demand.article_id for demand in demands}
    return [
        ints(ids.some(len(demands))),
        ints([demand.document_id for demand in demands]),
        ints([demand.line for demand in demands]),
        ints([demand.article_id for demand in demands]),
        ints([pick.location_id for pick in picks]),
        ints([demand.qty for demand in demands]),
        ints(ids.some(len(changed))),
        ints(changed),
    ]


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


async def _existing(tx: Tx, batch: Sequence[NewOrder]) -> dict[tuple[int, str], Row]:
    if not batch:
        return {}
    rows = await tx.look(
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

"""Orders: take them in, move them on. Each verb takes a batch inside one transaction."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from entrepot import facts, ids
from entrepot.catalogue import flows as catalogue
from entrepot.catalogue import suites
from entrepot.catalogue.rules import SUITE, Known, explode
from entrepot.courier.outbox import Announcement, announce
from entrepot.db import ints, queries
from entrepot.decode import MOST
from entrepot.errors import BadInput, Conflict, Missing, Refused
from entrepot.orders import accounts, rules
from entrepot.orders.rules import NewOrder, Placed, StepBy
from entrepot.stock import flows as stock
from entrepot.stock.rules import Demand

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from entrepot.db import Row, Tx

_q = queries(__package__)

Outcome = Placed | Refused
Articles = dict[tuple[str, str], Known]
"""By (kind of name, name)."""


async def place(tx: Tx, batch: Sequence[NewOrder]) -> list[Outcome]:
    """Take orders in: check, guard, save, announce, reserve.

    Reserves each order whole, also beyond what there is, and last of all, since others wait for the
    stock rows it locks. Refuses (nothing stored) a number that is
    taken, and names that no article has, all of them at once.
    """
    articles = await _articles(tx, batch)
    parts = await suites.parts_of(tx, {a.id for a in articles.values() if a.kind == SUITE})
    faults = {id(new): _fault(new, articles, parts) for new in batch}
    outcomes: dict[int, Outcome] = {}
    known = [new for new in batch if faults[id(new)] is None]
    taken = await _claim(tx, known)
    repeats = [new for new in batch if id(new) not in taken]
    existing = await _existing(tx, repeats)
    for new in repeats:
        outcomes[id(new)] = _answer_repeat(new, existing, faults[id(new)])
    fresh = [new for new in known if id(new) in taken]
    if fresh:
        await _save(tx, fresh, taken, articles)
        await accounts.open_(tx, _openings(fresh, taken, articles))
        await announce(tx, _news(fresh, taken))
        await stock.reserve(tx, await _demands(tx, fresh, taken, articles, parts))
    for new in fresh:
        outcomes[id(new)] = Placed(order_id=taken[id(new)], number=new.number)
    return [outcomes[id(new)] for new in batch]


async def process(tx: Tx, batch: Sequence[StepBy]) -> list[Row | Refused]:
    """Mark orders as processed; already taken steps change nothing."""
    return await _advance(tx, "process", batch)


async def ship(tx: Tx, batch: Sequence[StepBy]) -> list[Row | Refused]:
    """Ship whole orders out of stock; an order that lacks pieces on hand is refused and stays."""
    return await _advance(tx, "ship", batch)


async def ship_elsewhere(tx: Tx, batch: Sequence[StepBy]) -> list[Row | Refused]:
    """Note that the partner who fulfils these orders shipped them, out of stock that ours mirrors."""
    return await _advance(tx, "ship", batch, elsewhere=True)


async def cancel(tx: Tx, batch: Sequence[StepBy]) -> list[Row | Refused]:
    """Cancel orders and free what they hold; the number stays taken."""
    return await _advance(tx, "cancel", batch)


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
    )
    return {id(order_ids[row["document_id"]]): row["document_id"] for row in won}


async def _existing(tx: Tx, batch: Sequence[NewOrder]) -> dict[tuple[int, str], Row]:
    if not batch:
        return {}
    rows = await tx.rows(_q.taken, [new.guard[0] for new in batch], [new.number for new in batch])
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


def _answer_repeat(
    new: NewOrder, existing: dict[tuple[int, str], Row], fault: Refused | None
) -> Outcome:
    """Answer what was not taken in: a known number first, then what is wrong with it."""
    row = existing.get(new.guard)
    if row is None:
        return fault or Conflict("order_exists", f"Order {new.number} exists.", number=new.number)
    return rules.duplicate(
        new, digest=row["digest"], state=row["state"], order_id=row["document_id"]
    )


async def _demands(
    tx: Tx,
    fresh: Sequence[NewOrder],
    order_ids: dict[int, int],
    articles: Articles,
    parts: suites.Parts,
) -> list[Demand]:
    """Return what the orders take from stock; a line of a suite takes each of its parts."""
    codes = {code for new in fresh if new.partner for code in new.partner.settings.locations}
    places = await stock.locations(tx, codes) if codes else {}
    demands = []
    for new in fresh:
        chosen = new.partner.settings.locations if new.partner else ()
        allowed = tuple(places[code] for code in chosen)
        demands += [
            Demand(
                document_id=order_ids[id(new)],
                line=position,
                article_id=article_id,
                qty=qty,
                locations=allowed,
            )
            for position, article_id, qty in explode(_wanted(new, articles), parts)
        ]
    return demands


async def _save(
    tx: Tx,
    fresh: Sequence[NewOrder],
    order_ids: dict[int, int],
    articles: Articles,
) -> None:
    numbered = [(order_ids[id(new)], new) for new in fresh]
    logs = [(order_id, new.who, "accepted") for order_id, new in numbered]
    logs += [(order_id, new.who, "processed") for order_id, new in numbered if new.auto_process]
    lines = [
        (order_id, position, articles[new.named_by, line.name].id, line.qty)
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
    )


def _openings(
    fresh: Sequence[NewOrder], order_ids: dict[int, int], articles: Articles
) -> list[accounts.Opening]:
    """Return what orders that came with prices cost."""
    return [
        accounts.Opening(
            order_id=order_ids[id(new)],
            money=new.money,
            customer=new.customer,
            lines=[(line, articles[new.named_by, line.name].id) for line in new.lines],
            who=new.who,
        )
        for new in fresh
        if new.money is not None
    ]


def _news(fresh: Sequence[NewOrder], order_ids: dict[int, int]) -> list[Announcement]:
    """Return what the partners are to be told of new orders."""
    news = []
    for new in fresh:
        if new.partner is None:
            continue
        said: list[facts.Fact] = []
        if new.push:
            lines = tuple(facts.GoodsLine(sku=line.name, qty=line.qty) for line in new.lines)
            said.append(
                facts.OrderPlaced(
                    number=new.number,
                    customer=new.customer,
                    lines=lines,
                    details=dict(new.details),
                )
            )
        if new.auto_process:
            said.append(facts.OrderProcessed(number=new.number))
        key = order_ids[id(new)]
        news += [Announcement(connection_id=new.partner.id, key=key, fact=fact) for fact in said]
    return news


async def _advance(
    tx: Tx, step: rules.Step, batch: Sequence[StepBy], *, elsewhere: bool = False
) -> list[Row | Refused]:
    """Take one step on each order: lock, decide, move stock, save, announce."""
    rows = await tx.rows(_q.lock_orders, sorted({by.number for by in batch}))
    chosen = [_chosen(by, rows) for by in batch]
    targets: dict[int, tuple[rules.State, StepBy, Row]] = {}
    outcomes: list[Row | Refused] = []
    for by, row in zip(batch, chosen, strict=True):
        if isinstance(row, Refused):
            outcomes.append(row)
            continue
        try:
            state = rules.after(step, row["state"])
        except Conflict as conflict:
            outcomes.append(conflict)
            continue
        outcomes.append(row)
        if state is not None:
            targets.setdefault(row["id"], (state, by, row))
    short = await _move_stock(tx, step, targets.values(), elsewhere=elsewhere)
    moved = [target for order_id, target in targets.items() if order_id not in short]
    await _save_step(tx, moved)
    await announce(tx, _news_of(step, moved))
    return [_short(row, short) if not isinstance(row, Refused) else row for row in outcomes]


def _chosen(by: StepBy, rows: Iterable[Row]) -> Row | Refused:
    """Return the order meant: of the caller's connection, or the only one that bears the number."""
    hits = [
        row
        for row in rows
        if row["number"] == by.number and by.connection_id in (None, row["connection_id"])
    ]
    if not hits:
        return Missing("unknown_order", f"There is no order {by.number}.", number=by.number)
    if len(hits) > 1:
        text = f"{len(hits)} connections have an order {by.number}; say --connection."
        return Conflict("ambiguous_order", text, number=by.number)
    return hits[0]


async def _move_stock(
    tx: Tx,
    step: rules.Step,
    targets: Iterable[tuple[rules.State, StepBy, Row]],
    *,
    elsewhere: bool,
) -> dict[int, list[int]]:
    """Do to stock what the step means; return the articles lacking, by order, of those refused."""
    moving = list(targets)
    if not moving:
        return {}
    if step == "cancel":
        await stock.release(tx, [row["id"] for _, _, row in moving])
    if step == "ship":
        leaving = [(row["id"], row["number"]) for _, _, row in moving]
        return await stock.ship(tx, leaving, moving[0][1].who, elsewhere=elsewhere)
    return {}


async def _save_step(tx: Tx, moved: Sequence[tuple[rules.State, StepBy, Row]]) -> None:
    if not moved:
        return
    await tx.do(
        _q.step,
        [row["id"] for _, _, row in moved],
        [state for state, _, _ in moved],
        [row["id"] for _, _, row in moved],
        [ids.new() for _ in moved],
        [by.who for _, by, _ in moved],
        [f"{state}: {by.remark}" if by.remark else state for state, by, _ in moved],
    )


def _news_of(
    step: rules.Step, moved: Sequence[tuple[rules.State, StepBy, Row]]
) -> list[Announcement]:
    """Return what the partners are to be told of steps taken."""
    said: dict[str, Callable[[StepBy, str], facts.Fact]] = {
        "process": lambda _by, number: facts.OrderProcessed(number=number),
        "ship": lambda _by, number: facts.OrderShipped(number=number),
        "cancel": lambda by, number: facts.OrderCancelled(number=number, remark=by.remark),
    }
    return [
        Announcement(
            connection_id=row["connection_id"], key=row["id"], fact=said[step](by, row["number"])
        )
        for _, by, row in moved
        if row["connection_id"] is not None
    ]


def _short(row: Row, short: dict[int, list[int]]) -> Row | Refused:
    if row["id"] not in short:
        return row
    text = f"Order {row['number']} cannot be shipped: not enough pieces on hand."
    return Conflict("not_on_hand", text, number=row["number"], articles=short[row["id"]])

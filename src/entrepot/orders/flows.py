"""Orders: take them in, move them on. Each verb takes a batch inside one transaction."""

from __future__ import annotations

from typing import TYPE_CHECKING

from entrepot import facts, ids
from entrepot.courier.outbox import Announcement, announce
from entrepot.db import queries
from entrepot.errors import Conflict, Missing, Refused
from entrepot.orders import accounts, rules
from entrepot.orders.door import enter, look
from entrepot.orders.rules import NewOrder, Placed, StepBy
from entrepot.stock import flows as stock
from entrepot.stock import reserving
from entrepot.stock.rules import Demand, Pick

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from entrepot.db import Row, Tx
    from entrepot.orders.door import Door

_q = queries(__package__)

Outcome = Placed | Refused


async def place(tx: Tx, batch: Sequence[NewOrder]) -> list[Outcome]:
    """Take orders in: check, guard, save, announce, reserve.

    Reserves each order whole, also beyond what there is, and last of all, since others wait for the
    stock rows it locks. Refuses (nothing stored) a number that is taken, and names that no article has, all
    of them at once. Orders that nobody is told of, of goods that each lie in one place, need no decision
    between the numbers and the stock: they are written by one statement.
    """
    door = await look(tx, batch)
    picks = await _certain(tx, batch, door)
    await enter(tx, batch, door, picks)
    fresh = [new for new in batch if id(new) in door.taken]
    if fresh and picks is None:
        await tell(tx, fresh, door)
        await hold(tx, fresh, door)
    return [answer(new, door) for new in batch]


async def tell(tx: Tx, fresh: Sequence[NewOrder], door: Door) -> None:
    """Save what orders that were let in cost, and tell the partners who are to know."""
    await accounts.open_(tx, _openings(fresh, door))
    await announce(tx, _news(tx, fresh, door))


async def hold(tx: Tx, fresh: Sequence[NewOrder], door: Door) -> None:
    """Reserve orders whole, also beyond what there is."""
    places = await stock.locations(tx, _codes(fresh))
    await reserving.reserve(tx, _demands(fresh, door, places))


def answer(new: NewOrder, door: Door) -> Outcome:
    """Return what became of an order at the door."""
    if id(new) in door.taken:
        return Placed(order_id=door.taken[id(new)], number=new.number)
    return _answer_repeat(new, door)


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


def _answer_repeat(new: NewOrder, door: Door) -> Outcome:
    """Answer what was not taken in: a known number first, then what is wrong with it."""
    row = door.existing.get(new.guard)
    if row is None:
        return door.fault(new)
    return rules.duplicate(
        new, digest=row["digest"], state=row["state"], order_id=row["document_id"]
    )


async def _certain(tx: Tx, batch: Sequence[NewOrder], door: Door) -> list[Pick] | None:
    """Return where all that orders take is reserved; None where that, or what follows, is yet to be seen."""
    coming = [new for new in batch if id(new) in door.ids]
    if any(new.money for new in coming) or _news(tx, coming, door):
        return None
    lying = {article.id: article.place for article in door.articles.values()}
    if None in lying.values():
        return None
    codes = _codes(coming)
    places = await stock.known_locations(tx, codes)
    if len(places) < len(codes):
        return None
    return reserving.only_places(_demands(coming, door, places), lying)


def _codes(batch: Sequence[NewOrder]) -> set[str]:
    """Return the codes of the locations that the orders' connections draw on."""
    return {code for new in batch if new.partner for code in new.partner.settings.locations}


def _demands(fresh: Sequence[NewOrder], door: Door, places: Mapping[str, int]) -> list[Demand]:
    """Return what the orders take from stock, of ``places`` by code; a suite takes each of its parts."""
    demands = []
    for new in fresh:
        chosen = new.partner.settings.locations if new.partner else ()
        allowed = tuple(places[code] for code in chosen)
        demands += [
            Demand(
                document_id=door.ids[id(new)],
                line=position,
                article_id=article_id,
                qty=qty,
                locations=allowed,
            )
            for position, article_id, qty in door.pieces(new)
        ]
    return demands


def _openings(fresh: Sequence[NewOrder], door: Door) -> list[accounts.Opening]:
    """Return what orders that came with prices cost."""
    return [
        accounts.Opening(
            order_id=door.ids[id(new)],
            money=new.money,
            customer=new.customer,
            lines=[(line, door.articles[new.named_by, line.name].id) for line in new.lines],
            who=new.who,
        )
        for new in fresh
        if new.money is not None
    ]


def _news(tx: Tx, fresh: Sequence[NewOrder], door: Door) -> list[Announcement]:
    """Return what the partners are to be told of new orders; all of it where somebody overhears it."""
    overheard = bool(tx.overhearers(facts.OrderPlaced.kind))
    news = []
    for new in fresh:
        said: list[facts.Fact] = []
        if new.push or overheard:
            lines = tuple(facts.GoodsLine(sku=line.name, qty=int(line.qty)) for line in new.lines)
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
        key, partner = door.ids[id(new)], new.partner.id if new.partner else None
        for fact in said:
            told = partner if new.push or fact.kind != facts.OrderPlaced.kind else None
            news.append(Announcement(connection_id=told, key=key, fact=fact))
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
            state = rules.after(step, row["state"], row["fulfilment"])
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
        ids.some(len(moved)),
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
    ]


def _short(row: Row, short: dict[int, list[int]]) -> Row | Refused:
    if row["id"] not in short:
        return row
    text = f"Order {row['number']} cannot be shipped: not enough pieces on hand."
    return Conflict("not_on_hand", text, number=row["number"], articles=short[row["id"]])

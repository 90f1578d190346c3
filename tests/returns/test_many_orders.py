"""Hundreds of orders on a real database, each adjusted and returned by several people at the same time."""

from __future__ import annotations

import asyncio
import contextlib
import random
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from entrepot.errors import Refused
from entrepot.returns import flows, views
from entrepot.returns import rules as sr
from tests.papers.office import ADMIN, SALES, Office, body

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

ORDERS, AT_ONCE = 200, 8
UNITS = {"A": 1, "B": 2, "C": 3}
_WRONG = """
SELECT o.number, m.discount + m.rebate AS reduction, m.paid, m.refunded,
       coalesce(r.discount, 0) AS shares, r.freights
FROM order_money m
JOIN sales_order o ON o.tenant_id = $1 AND o.id = m.order_id
LEFT JOIN (SELECT p.order_id, sum(r.discount) AS discount, count(*) FILTER (WHERE r.freight_used) AS freights
           FROM paper p JOIN sales_return r ON r.tenant_id = $1 AND r.paper_id = p.id
           WHERE p.tenant_id = $1 AND p.kind = 'SR' AND p.state <> 'INVALID' AND NOT p.deleted
           GROUP BY 1) AS r ON r.order_id = m.order_id
WHERE m.tenant_id = $1
  AND (coalesce(r.discount, 0) <> m.discount + m.rebate OR m.refunded > m.paid OR coalesce(r.freights, 0) > 1)
"""

Line = tuple[str, int, str]


async def test_whatever_people_do_at_once_the_sums_are_exact(office: Office) -> None:
    """All shares add up to the discounts, refunds stay within what was paid, nothing comes back twice."""
    chance = random.Random(11)
    await office.fill(100_000)
    sold = {f"SA{at}": _sold(chance) for at in range(ORDERS)}
    for number, (lines, money) in sold.items():
        await office.sell(number, *lines, ship=True, **money)
    gate = asyncio.Semaphore(AT_ONCE)
    lives: list[Awaitable[None]] = []
    for number, (lines, _) in sold.items():
        lives += [_return(office, number, lines, gate, chance) for _ in range(chance.randint(2, 4))]
        lives += [_adjust(office, number, lines, gate, chance) for _ in range(chance.randint(0, 2))]
    chance.shuffle(lives)
    done = asyncio.Event()
    watch = asyncio.create_task(_watch(office, list(sold), done, chance))
    await asyncio.gather(*lives)
    done.set()
    assert await watch > 10
    await asyncio.gather(*(_rest(office, number, gate) for number in sold))
    assert await office.run(lambda tx: tx.rows(_WRONG)) == []
    await office.proven()


def _sold(chance: random.Random) -> tuple[Sequence[Line], dict[str, str]]:
    """Return the lines and the money of an order: odd prices, a discount that does not divide."""
    skus = chance.sample(sorted(UNITS), chance.randint(1, 3))
    lines = [(sku, chance.randint(1, 7), f"{chance.randint(1, 9999) / 100:.2f}") for sku in skus]
    cost = sum((Decimal(price) * qty for _, qty, price in lines), Decimal(0))
    discount = (cost * chance.randint(0, 90) / 100).quantize(Decimal("0.01"))
    rebate = min(cost - discount, Decimal(chance.randint(0, 300)) / 100)
    return lines, {
        "discount": str(discount), "rebate": str(rebate), "freight": str(chance.randint(0, 20)),
    }  # fmt: skip


async def _return(
    office: Office,
    order: str,
    lines: Sequence[Line],
    gate: asyncio.Semaphore,
    chance: random.Random,
) -> None:
    """Return a portion, as far as others leave it: filed, edited, run, refused, run again, completed."""
    portion = [_part(chance.choice(lines), chance)]
    steps: list[Callable[[str], Awaitable[Any]]] = [lambda n: office.move(n, "run")]
    if chance.random() < 0.3:
        edited = body(order, _part(chance.choice(lines), chance), freight=chance.random() < 0.5)
        edit = [lambda n: office.one(flows.edit, sr.Edit(number=n, body=edited, actor=SALES))]
        steps = [*edit, *steps]
    if chance.random() < 0.2:
        steps += [lambda n: office.move(n, "refuse"), lambda n: office.move(n, "run")]
    steps.append(lambda n: office.move(n, "pass"))
    if chance.random() < 0.5:
        steps.append(lambda n: office.move(n, "receive"))
    steps.append(lambda n: office.move(n, "complete"))
    with contextlib.suppress(Refused):  # others took the pieces
        async with gate:
            number = await office.file(order, *portion, freight=chance.random() < 0.5)
        for step in steps:
            async with gate:
                await step(number)


async def _adjust(
    office: Office,
    order: str,
    lines: Sequence[Line],
    gate: asyncio.Semaphore,
    chance: random.Random,
) -> None:
    """Give something back of a line, unless another adjustment of it is open."""
    sku, qty, price = chance.choice(lines)
    ask = (Decimal(price) * chance.randint(0, 100) / 100).quantize(Decimal("0.01"))
    with contextlib.suppress(Refused):
        async with gate:
            number = await office.adjust(
                "AFTER", order, (UNITS[sku], chance.randint(1, qty), price, str(ask))
            )
        for action in ("pass", "complete"):
            async with gate:
                await office.act(number, action, by=ADMIN)


def _part(line: Line, chance: random.Random) -> tuple[int, int, str]:
    sku, qty, price = line
    back = (Decimal(price) * chance.randint(50, 100) / 100).quantize(Decimal("0.01"))
    return UNITS[sku], chance.randint(1, qty), str(back)


async def _watch(
    office: Office, orders: Sequence[str], done: asyncio.Event, chance: random.Random
) -> int:
    """Look at orders until all is done: never fewer than no pieces are left; return how often it looked."""
    looks = 0
    while not done.is_set():
        found: views.Returnable = await office.one(views.of_order, chance.choice(orders))
        assert min(found.left) >= 0
        account = await office.account(chance.choice(orders))
        assert 0 <= account.refunded <= account.paid
        looks += 1
    return looks


async def _rest(office: Office, order: str, gate: asyncio.Semaphore) -> None:
    """Return whatever is left, at the order's prices."""
    async with gate:
        found: views.Returnable = await office.one(views.of_order, order)
        rest = [
            (part.unit_id, pieces, str(part.price))
            for part, pieces in zip(found.account.parts, found.left, strict=True)
            if pieces
        ]
        if rest:
            number = await office.file(order, *rest)
            assert await office.move(number, "run", "pass", "complete", by=ADMIN) == "COMPLETE"
        after: views.Returnable = await office.one(views.of_order, order)
        assert set(after.left) == {0}

"""Adjustments on a real database: before and after shipping, prices, refunds, many at once."""

from __future__ import annotations

import asyncio
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest

from entrepot.adjustments import flows, views
from entrepot.adjustments import rules as ap
from entrepot.errors import BadInput, Conflict, Missing, NotAllowed, Refused
from entrepot.money import plain
from entrepot.orders import flows as orders
from entrepot.orders.rules import StepBy
from entrepot.papers.repeats import Key
from entrepot.papers.rules import Search
from tests.papers.office import ADMIN, CPA, FINANCE, SALES, Office, adjustment, exact

if TYPE_CHECKING:
    from entrepot.db import Tx

AT_ONCE = 24


async def detail(office: Office, number: str) -> views.Detail:
    """Return an adjustment as it is now."""
    shown: views.Detail = await office.one(views.detail, number)
    return shown


async def parts(office: Office, order: str) -> list[tuple[int, str]]:
    """Return (pieces, price) of an order's parts."""
    return [(part.qty, str(plain(part.price))) for part in (await office.account(order)).parts]


async def test_a_passed_before_makes_its_price_the_order_s(office: Office) -> None:
    """The line splits where not all of its pieces change; what was paid in full stays so."""
    await office.sell("SA1", ("A", 10, "2"), ship=False)
    number = await office.adjust("BEFORE", "SA1", (1, 1, "2", "1"))
    assert await office.act(number, "pass", CPA) == "COMPLETE"
    assert await parts(office, "SA1") == [(9, "2"), (1, "1")]
    shown = await detail(office, number)
    assert [line.what for line in shown.log] == ["CPA审核通过", "创建差价单"]
    paper = shown.paper
    assert paper.run_at == paper.created_at
    assert paper.passed_at == paper.completed_at
    assert (await office.account("SA1")).paid == 19
    second = await office.adjust("BEFORE", "SA1", (1, 9, "2", "1.5"), (1, 1, "1", "0"))
    await office.act(second, "pass", CPA)
    assert await parts(office, "SA1") == [(9, "1.5"), (1, "0")]
    await office.ship("SA1")
    returned = await office.file("SA1", (1, 9, "1.5"))
    await office.move(returned, "run", "pass", "complete")
    assert (await office.account("SA1")).refunded == Decimal("13.5")
    await office.proven()


async def test_a_completed_after_books_the_refund(office: Office) -> None:
    """CPA passes, finance completes; the price stays, the serial number stands in the log."""
    await office.sell("SA1", ("A", 10, "2"))
    number = await office.adjust("AFTER", "SA1", (1, 10, "2", "1"))
    assert await office.act(number, "pass", CPA) == "PASS"
    assert (await office.account("SA1")).refunded == 0
    assert await office.act(number, "complete", FINANCE) == "COMPLETE"
    account = await office.account("SA1")
    assert (account.refunded, account.parts[0].price) == exact(10, 2)
    said = (await detail(office, number)).log[0].what
    assert said.startswith("退款流水号为：")
    serial = said.partition("：")[2]
    assert len(serial) == 32
    entry = "SELECT kind, amount, serial FROM money_entry WHERE tenant_id = $1 AND document = $2"
    rows = await office.run(lambda tx: tx.rows(entry, number))
    assert sorted(tuple(row) for row in rows) == [
        ("adjusted", -10, serial),
        ("refunded", 10, serial),
    ]


async def test_refunds_never_exceed_what_was_paid(office: Office) -> None:
    """Three adjustments of the same goods, one after the other: the third gives the rest."""
    await office.sell("SA1", ("A", 10, "2"), discount="5")
    given = []
    for _ in range(3):
        number = await office.adjust("AFTER", "SA1", (1, 10, "2", "1.2"))
        await office.act(number, "pass", CPA)
        await office.act(number, "complete", FINANCE)
        given.append((await office.account("SA1")).refunded)
    assert given == [8, 15, 15]
    await office.proven()


async def test_a_refused_one_may_be_deleted_and_filed_again(office: Office) -> None:
    """The reason stands in the log, which outlives the deletion; the line is free again."""
    await office.sell("SA1", ("A", 10, "2"))
    number = await office.adjust("AFTER", "SA1", (1, 1, "2", "1"))
    await office.act(number, "pass", CPA)
    with pytest.raises(NotAllowed):
        await office.act(number, "refuse", CPA)
    assert await office.act(number, "refuse", FINANCE) == "INVALID"
    again = await office.adjust("AFTER", "SA1", (1, 1, "2", "1"))
    assert again == f"{number[:-1]}2"
    assert await office.act(number, "delete", SALES) == "DELETED"
    with pytest.raises(Missing):
        await detail(office, number)
    with pytest.raises(Missing):
        await office.act(number, "delete", SALES)
    log: views.Log = await office.one(views.log, number)
    assert [line.what for line in log.lines][:2] == ["删除单据", "审核拒绝：理由"]
    page: views.Listed = await office.one(views.page, Search(kind="AP"))
    assert [paper.number for paper, _ in page.items] == [again]


async def test_a_before_is_of_no_use_once_the_order_shipped(office: Office) -> None:
    """Filed in time, passed too late: it can only be refused."""
    await office.sell("SA1", ("A", 10, "2"), ship=False)
    number = await office.adjust("BEFORE", "SA1", (1, 1, "2", "1"))
    await office.ship("SA1")
    with pytest.raises(Conflict) as refusal:
        await office.act(number, "pass", CPA)
    assert refusal.value.code == "order_not_waiting"
    assert await parts(office, "SA1") == [(10, "2")]
    assert await office.act(number, "refuse", CPA) == "INVALID"


async def test_a_raise_needs_the_tenant_s_setting(office: Office) -> None:
    """allow_raise: before shipping the customer owes more, after it nothing is given back."""
    await office.sell("SA1", ("A", 10, "2"), ship=False)
    with pytest.raises(Conflict) as refusal:
        await office.adjust("BEFORE", "SA1", (1, 10, "2", "3"))
    assert refusal.value.code == "ask_above_price"
    await office.set(allow_raise="on")
    number = await office.adjust("BEFORE", "SA1", (1, 10, "2", "3"))
    await office.act(number, "pass", CPA)
    account = await office.account("SA1")
    assert (account.due, account.paid) == exact(30, 30)
    await office.ship("SA1")
    later = await office.adjust("AFTER", "SA1", (1, 10, "3", "4"))
    await office.act(later, "pass", CPA)
    await office.act(later, "complete", FINANCE)
    assert (await office.account("SA1")).refunded == 0
    await office.proven()


async def test_what_is_not_paid_in_full_does_not_become_paid(office: Office) -> None:
    """A customer who owes still has paid what he has paid, at most what the order costs."""
    await office.sell("SA1", ("A", 10, "2"), ship=False, paid="5")
    await office.set(allow_raise="on")
    for ask, paid in (("3", 5), ("0.3", 3)):
        price = str((await office.account("SA1")).parts[0].price)
        number = await office.adjust("BEFORE", "SA1", (1, 10, price, ask))
        await office.act(number, "pass", CPA)
        assert (await office.account("SA1")).paid == paid
    await office.proven()


async def test_four_eyes_hold_for_admin_too(office: Office) -> None:
    """Who filed it neither passes nor completes it, unless the tenant says so."""
    await office.sell("SA1", ("A", 10, "2"))
    number = await office.adjust("AFTER", "SA1", (1, 1, "2", "1"), by=ADMIN)
    with pytest.raises(NotAllowed):
        await office.act(number, "pass", ADMIN)
    await office.set(four_eyes="off")
    await office.act(number, "pass", ADMIN)
    assert await office.act(number, "complete", ADMIN) == "COMPLETE"


async def test_what_can_not_be_filed_says_why(office: Office) -> None:
    """A refused one uses no number. C is on the order only as a gift, which is not adjusted."""
    await office.sell("SA1", ("A", 10, "2"), ("C", 1, "2", 1), ship=False)
    cases: tuple[tuple[dict[str, Any], str, str | None], ...] = (
        ({"order": "SA9"}, "unknown_order", None),
        ({"customer": 150}, "not_of_customer", "customer"),
        ({"variant": "AFTER"}, "order_not_shipped", None),
        ({"lines": ((2, 1, "2", "1"),)}, "not_on_order", "unit"),
        ({"lines": ((1, 11, "2", "1"),)}, "too_many", "qty"),
        ({"lines": ((1, 1, "2.01", "1"),)}, "other_price", "price"),
        ({"lines": ((1, 1, "2", "2.01"),)}, "ask_above_price", "ask"),
        ({"lines": ((1, 1, "2", "1"), (1, 2, "2", "1"))}, "line_twice", "unit"),
        ({"lines": ((3, 1, "2", "1"),)}, "not_on_order", "unit"),
        ({"by": CPA}, "no_right", None),
    )
    for given, code, field in cases:
        wanted = {"variant": "BEFORE", "order": "SA1", "lines": ((1, 1, "2", "1"),), **given}
        lines = wanted.pop("lines")
        with pytest.raises((BadInput, Conflict, Missing, NotAllowed)) as refusal:
            await office.adjust(wanted.pop("variant"), wanted.pop("order"), *lines, **wanted)
        assert (refusal.value.code, refusal.value.facts.get("field")) == (code, field)
    assert (await office.adjust("BEFORE", "SA1", (1, 1, "2", "1")))[-7:] == "0000001"


async def test_a_cancelled_order_is_not_adjusted(office: Office) -> None:
    """Neither before nor after."""
    await office.sell("SA1", ("A", 10, "2"), ship=False)
    await office.one(orders.cancel, StepBy(number="SA1", who="test"))
    variants: tuple[ap.Variant, ...] = ("BEFORE", "AFTER")
    for variant in variants:
        with pytest.raises(Conflict):
            await office.adjust(variant, "SA1", (1, 1, "2", "1"))


async def test_at_most_one_is_open_per_line(office: Office) -> None:
    """Of many filed at once for one line exactly one is; other lines are free."""
    await office.sell("SA1", ("A", 10, "2"), ("B", 10, "3"))
    outcomes = await asyncio.gather(
        *(office.adjust("AFTER", "SA1", (1, 1, "2", "1")) for _ in range(AT_ONCE)),
        return_exceptions=True,
    )
    assert sum(isinstance(outcome, str) for outcome in outcomes) == 1
    batch = [adjustment("AFTER", "SA1", (2, 1, "3", "1")) for _ in range(3)]
    together = await office.run(lambda tx: flows.create(tx, batch))
    assert [isinstance(one, str) for one in together] == [True, False, False]


async def test_one_paper_is_passed_once_by_many_at_once(office: Office) -> None:
    """And completed once: one refund."""
    await office.sell("SA1", ("A", 10, "2"))
    number = await office.adjust("AFTER", "SA1", (1, 1, "2", "1"))
    actions: tuple[ap.Action, ...] = ("pass", "complete")
    for action in actions:
        outcomes = await asyncio.gather(
            *(office.act(number, action) for _ in range(AT_ONCE)), return_exceptions=True
        )
        assert sum(isinstance(outcome, str) for outcome in outcomes) == 1
    assert (await office.account("SA1")).refunded == 1
    await office.proven()


async def test_refunds_of_one_order_at_once_stay_within_what_was_paid(office: Office) -> None:
    """Adjustments of many lines and a return, all completed at the same instant."""
    units = [(unit, 2, "5", "1") for unit in (1, 2, 3)]
    await office.sell("SA1", ("A", 2, "5"), ("B", 2, "5"), ("C", 2, "5"))
    adjusted = [await office.adjust("AFTER", "SA1", unit) for unit in units]
    returned = await office.file("SA1", *((unit, 2, "5") for unit in (1, 2, 3)))
    await office.move(returned, "run", "pass")
    for number in adjusted:
        await office.act(number, "pass")
    await asyncio.gather(
        office.move(returned, "complete"), *(office.act(number, "complete") for number in adjusted)
    )
    account = await office.account("SA1")
    assert account.refunded == account.paid == 30
    await office.proven()


async def test_prices_changed_in_one_batch_add_up(office: Office) -> None:
    """Two adjustments of one order passed in one transaction change it one after the other."""
    await office.sell("SA1", ("A", 10, "2"), ("B", 4, "3"), ship=False)
    numbers = [
        await office.adjust("BEFORE", "SA1", (1, 3, "2", "1")),
        await office.adjust("BEFORE", "SA1", (2, 4, "3", "2")),
    ]

    async def work(tx: Tx) -> list[str | Refused]:
        return await flows.act(
            tx, [ap.Act(number=number, action="pass", actor=CPA) for number in numbers]
        )

    assert await office.run(work) == ["COMPLETE", "COMPLETE"]
    assert await parts(office, "SA1") == [(7, "2"), (4, "2"), (3, "1")]
    assert (await office.account("SA1")).paid == 14 + 8 + 3
    await office.proven()


async def test_the_same_create_again_is_the_first_one(office: Office) -> None:
    """Under one Idempotency-Key, although its own first one is open for the line."""
    await office.sell("SA1", ("A", 10, "2"))
    key = Key(connection_id=1, key="k", digest=b"a")
    first = await office.adjust("AFTER", "SA1", (1, 1, "2", "1"), key=key)
    assert await office.adjust("AFTER", "SA1", (1, 1, "2", "1"), key=key) == first


async def test_sums_come_from_all_lines(office: Office) -> None:
    """Σ price × pcount; balance = ask − sale."""
    await office.sell("SA1", ("A", 10, "2.5"), ("B", 3, "4"))
    await office.adjust("AFTER", "SA1", (1, 2, "2.5", "1.25"), (2, 3, "4", "3.9"))
    page: views.Listed = await office.one(views.page, Search(kind="AP"))
    ((_, sums),) = page.items
    assert (sums.price, sums.ask, sums.balance) == exact(17, "14.2", "-2.8")

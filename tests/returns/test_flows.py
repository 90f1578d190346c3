"""Returns on a real database: drafts, steps, goods, money, and many at once."""

from __future__ import annotations

import asyncio
from decimal import Decimal
from typing import TYPE_CHECKING

import pytest

from entrepot.catalogue import suites
from entrepot.errors import Conflict, Missing, NotAllowed, Refused
from entrepot.facts import Suite, SuitePart
from entrepot.orders import flows as orders
from entrepot.orders.rules import NewOrder, Wanted
from entrepot.papers.repeats import Key
from entrepot.papers.rules import Search
from entrepot.returns import flows, views
from entrepot.returns import rules as sr
from tests.papers.office import ADMIN, CPA, FINANCE, KEEPER, SALES, Office, body, exact

if TYPE_CHECKING:
    from entrepot.db import Tx

AT_ONCE = 24


async def detail(office: Office, number: str) -> views.Detail:
    """Return a return as it is now."""
    shown: views.Detail = await office.one(views.detail, number)
    return shown


async def left(office: Office, order: str) -> list[int]:
    """Return leftPcount of every part of an order."""
    found: views.Returnable = await office.one(views.of_order, order)
    return list(found.left)


async def test_a_return_goes_its_way(office: Office) -> None:
    """INVALID, RUN, FMS_PASS, RECEIVE, COMPLETE; each step by whom it belongs to, each in the log."""
    await office.sell("SA1", ("A", 3, "10"), discount="3", freight="5")
    number = await office.file("SA1", (1, 1, "10"))
    steps: tuple[tuple[sr.Action, object, str], ...] = (
        ("run", SALES, "RUN"),
        ("pass", CPA, "FMS_PASS"),
        ("receive", KEEPER, "RECEIVE"),
        ("complete", FINANCE, "COMPLETE"),
    )
    for action, actor, state in steps:
        assert await office.move(number, action, by=actor) == state  # type: ignore[arg-type]
    shown = await detail(office, number)
    said = [(line.before, line.after, line.what.partition("：")[0]) for line in shown.log]
    assert said == [
        ("RECEIVE", "COMPLETE", "退款流水号为"),
        ("FMS_PASS", "RECEIVE", "退货签收入库"),
        ("RUN", "FMS_PASS", "财务审核通过"),
        ("INVALID", "RUN", "确认执行"),
        ("", "INVALID", "创建退货单"),
    ]
    assert shown.shown.sums.total == 10 - 1 + 5
    assert (await office.account("SA1")).refunded == 14
    assert await office.on_hand("A") == 100 - 3 + 1
    await office.proven()


async def test_goods_are_signed_in_once(office: Office) -> None:
    """Signing in again succeeds and moves nothing, also when the money was given back since."""
    await office.sell("SA1", ("A", 2, "10"))
    number = await office.file("SA1", (1, 2, "10"))
    await office.move(number, "run")
    with pytest.raises(Conflict):
        await office.move(number, "receive", by=KEEPER)
    await office.move(number, "pass", by=CPA)
    assert await office.move(number, "receive", "receive", by=KEEPER) == "RECEIVE"
    await office.move(number, "complete", by=FINANCE)
    assert await office.move(number, "receive", by=KEEPER) == "COMPLETE"
    assert await office.on_hand("A") == 100


async def test_a_refund_without_receipt_moves_no_stock(office: Office) -> None:
    """COMPLETE from FMS_PASS; with refund_requires_receipt on, only from RECEIVE."""
    await office.sell("SA1", ("A", 2, "10"))
    number = await office.file("SA1", (1, 1, "10"))
    await office.move(number, "run")
    await office.move(number, "pass", by=CPA)
    await office.set(refund_requires_receipt="on")
    with pytest.raises(Conflict, match="FMS_PASS"):
        await office.move(number, "complete", by=FINANCE)
    await office.set(refund_requires_receipt="off")
    await office.move(number, "complete", by=FINANCE)
    assert await office.on_hand("A") == 98


async def test_of_two_drafts_for_the_last_piece_one_can_run(office: Office) -> None:
    """Both may exist."""
    await office.sell("SA1", ("A", 1, "10"))
    first, second = await office.file("SA1", (1, 1, "10")), await office.file("SA1", (1, 1, "10"))
    await office.move(second, "run")
    with pytest.raises(Conflict) as refusal:
        await office.move(first, "run")
    assert refusal.value.code == "too_many"
    assert await left(office, "SA1") == [0]
    with pytest.raises(Conflict):
        await office.file("SA1", (1, 1, "10"))
    await office.move(second, "refuse", by=CPA)
    assert await left(office, "SA1") == [1]
    assert await office.move(first, "run") == "RUN"


async def test_a_draft_s_amounts_are_worked_out_when_it_is_saved_and_again_when_it_runs(
    office: Office,
) -> None:
    """Another return has taken the freight in between, and this one is the last now."""
    await office.sell("SA1", ("A", 3, "10"), discount="10", freight="5")
    draft = await office.file("SA1", (1, 1, "10"))
    before = (await detail(office, draft)).shown.sums
    other = await office.file("SA1", (1, 2, "10"))
    await office.move(other, "run")
    await office.move(draft, "run")
    after = (await detail(office, draft)).shown.sums
    assert (before.discount, before.freight, before.total) == exact("3.33", 5, "11.67")
    assert (after.discount, after.freight, after.total) == exact("3.33", 0, "6.67")
    assert (await detail(office, other)).shown.sums.discount == Decimal("6.67")


async def test_an_edit_replaces_a_draft_s_content(office: Office) -> None:
    """Also its order; the number, the author and the time it was filed stay."""
    await office.sell("SA1", ("A", 2, "10"))
    await office.sell("SA2", ("B", 4, "5"), freight="1")
    number = await office.file("SA1", (1, 1, "10"))
    filed = (await detail(office, number)).shown.paper
    edit = sr.Edit(number=number, body=body("SA2", (2, 3, "5"), freight=False), actor=SALES)
    await office.one(flows.edit, edit)
    shown = await detail(office, number)
    paper, sums = shown.shown.paper, shown.shown.sums
    assert (paper.number, paper.creator, paper.created_at) == (number, SALES.id, filed.created_at)
    assert (paper.order_number, sums.loose) == ("SA2", 3)
    assert (sums.price, sums.total) == exact(15, 14)
    assert [line.what for line in shown.log] == ["修改退货单", "创建退货单"]
    assert [line.unit_id for line, _ in shown.lines] == [2]
    await office.move(number, "run")
    with pytest.raises(Conflict):
        await office.one(flows.edit, edit)


async def test_an_edit_that_is_refused_changes_nothing(office: Office) -> None:
    """Too many pieces, a depot there is not, somebody else's draft, a number there is not."""
    await office.sell("SA1", ("A", 2, "10"))
    number = await office.file("SA1", (1, 1, "10"))
    before = await detail(office, number)
    stranger = ADMIN.__class__(id=77, name="别人", role=SALES.role)
    wrong: tuple[tuple[sr.Edit, type[Refused]], ...] = (
        (sr.Edit(number=number, body=body("SA1", (1, 3, "10")), actor=SALES), Conflict),
        (sr.Edit(number=number, body=body("SA1", (1, 1, "10"), depot=41), actor=SALES), Missing),
        (sr.Edit(number=number, body=body("SA1", (1, 1, "10")), actor=stranger), NotAllowed),
        (sr.Edit(number="SR0", body=body("SA1", (1, 1, "10")), actor=SALES), Missing),
    )
    for edit, kind in wrong:
        with pytest.raises(kind):
            await office.one(flows.edit, edit)
    assert await detail(office, number) == before


async def test_a_deleted_draft_is_gone_and_its_number_stays_used(office: Office) -> None:
    """Only a draft can be deleted."""
    await office.sell("SA1", ("A", 2, "10"))
    number = await office.file("SA1", (1, 1, "10"))
    await office.move(number, "delete")
    with pytest.raises(Missing):
        await detail(office, number)
    page: views.Listed = await office.one(views.page, Search(kind="SR"))
    assert (page.total, page.items) == (0, [])
    assert await office.file("SA1", (1, 1, "10")) == f"{number[:-1]}2"


async def test_four_eyes_can_be_switched_off(office: Office) -> None:
    """Who filed a return passes and completes it only then."""
    await office.sell("SA1", ("A", 2, "10"))
    number = await office.file("SA1", (1, 1, "10"), by=ADMIN)
    await office.move(number, "run", by=ADMIN)
    with pytest.raises(NotAllowed) as refusal:
        await office.move(number, "pass", by=ADMIN)
    assert refusal.value.code == "four_eyes"
    await office.set(four_eyes="off")
    assert await office.move(number, "pass", "complete", by=ADMIN) == "COMPLETE"


async def test_many_returns_run_at_once_take_each_piece_once(office: Office) -> None:
    """24 drafts for 10 pieces, each run in a transaction of its own: 10 run, and their shares add up."""
    await office.sell("SA1", ("A", 10, "9.99"), discount="7.77", freight="3")
    drafts = [await office.file("SA1", (1, 1, "9.99")) for _ in range(AT_ONCE)]
    outcomes = await asyncio.gather(
        *(office.move(draft, "run") for draft in drafts), return_exceptions=True
    )
    ran = [n for n, outcome in zip(drafts, outcomes, strict=True) if outcome == "RUN"]
    assert len(ran) == 10
    assert all(isinstance(outcome, Conflict) for outcome in outcomes if outcome != "RUN")
    assert await left(office, "SA1") == [0]
    sums = [(await detail(office, number)).shown.sums for number in ran]
    assert sum(one.discount for one in sums) == Decimal("7.77")
    assert sorted(one.freight for one in sums) == [0] * 9 + [3]
    await asyncio.gather(*(office.move(n, "pass", "complete", by=ADMIN) for n in ran))
    account = await office.account("SA1")
    assert account.refunded == account.paid == Decimal("99.90") - Decimal("7.77") + 3
    await office.proven()


async def test_steps_of_one_batch_on_one_return_follow_each_other(office: Office) -> None:
    """Requests that arrive together are committed together, in order."""
    await office.sell("SA1", ("A", 1, "10"))
    number = await office.file("SA1", (1, 1, "10"))
    actions: tuple[sr.Action, ...] = ("run", "run", "pass", "complete")
    acts = [sr.Act(number=number, action=action, actor=ADMIN) for action in actions]
    outcomes = await office.run(lambda tx: flows.act(tx, acts))
    states = [one if isinstance(one, str) else one.code for one in outcomes]
    assert states == ["RUN", "wrong_state", "FMS_PASS", "COMPLETE"]


async def test_what_a_batch_has_refunded_before_counts(office: Office) -> None:
    """Two returns of one order completed in one transaction give back no more than was paid."""
    await office.sell("SA1", ("A", 2, "10"), paid="12")
    numbers = [await office.file("SA1", (1, 1, "10")) for _ in range(2)]
    for number in numbers:
        await office.move(number, "run", "pass")
    acts = [sr.Act(number=number, action="complete", actor=ADMIN) for number in numbers]
    await office.run(lambda tx: flows.act(tx, acts))
    totals = [(await detail(office, number)).shown.sums.total for number in numbers]
    assert totals == [10, 2]
    await office.proven()


async def test_an_adjustment_s_refund_counts_against_the_return_s(office: Office) -> None:
    """20 were paid; an AFTER gave 15 back; the return of everything gives the rest."""
    await office.sell("SA1", ("A", 10, "2"))
    number = await office.file("SA1", (1, 10, "2"))
    await office.move(number, "run", "pass")
    adjusted = await office.adjust("AFTER", "SA1", (1, 10, "2", "0.5"))
    for action in ("pass", "complete"):
        await office.act(adjusted, action)
    await office.move(number, "complete")
    assert (await detail(office, number)).shown.sums.total == 5
    assert (await office.account("SA1")).refundable == 0
    await office.proven()


async def test_a_suite_comes_back_as_its_parts(office: Office) -> None:
    """Two and a half pieces of a part left for every two suites: single returns bring all of it back."""

    async def make(tx: Tx) -> None:
        parts = (SuitePart(sku="B", num=Decimal("1.5")), SuitePart(sku="C", num=Decimal(1)))
        outcomes = await suites.replace(tx, [Suite(sku="BOX", name="箱", parts=parts)])
        assert not isinstance(outcomes[0], Refused)

    await office.run(make)
    await office.sell("SA1", ("BOX", 3, "30"))
    gone = [100 - await office.on_hand(sku) for sku in ("B", "C")]
    assert gone == [5, 3]
    for _ in range(3):
        new = sr.NewReturn(body=body("SA1", (0, 1, "30")), actor=SALES)
        number = await office.one(flows.create, new)
        await office.move(number, "run", "pass", "receive", "complete")
    assert [await office.on_hand(sku) for sku in ("B", "C")] == [100, 100]
    await office.proven()


async def test_the_same_create_again_files_nothing_again(office: Office) -> None:
    """Under one Idempotency-Key, one after the other, in one batch, and at the same instant."""
    await office.sell("SA1", ("A", 5, "10"))

    def new(key: str, content: bytes = b"a", pieces: int = 1) -> sr.NewReturn:
        guard = Key(connection_id=1, key=key, digest=content)
        return sr.NewReturn(body=body("SA1", (1, pieces, "10")), actor=SALES, key=guard)

    first = await office.one(flows.create, new("k1"))
    assert await office.one(flows.create, new("k1")) == first
    with pytest.raises(Conflict) as refusal:
        await office.one(flows.create, new("k1", b"b"))
    assert refusal.value.code == "key_taken"
    batch = [new("k2"), new("k2"), new("k2", b"b"), new("k3", pieces=6), new("k3", pieces=6)]
    outcomes = await office.run(lambda tx: flows.create(tx, batch))
    codes = [one if isinstance(one, str) else one.code for one in outcomes]
    assert codes == [codes[0], codes[0], "key_taken", "too_many", "too_many"]
    assert await office.one(flows.create, new("k3")) == f"{first[:-1]}3"
    at_once = await asyncio.gather(*(office.one(flows.create, new("k4")) for _ in range(AT_ONCE)))
    assert len(set(at_once)) == 1
    page: views.Listed = await office.one(views.page, Search(kind="SR"))
    assert page.total == 4


async def test_an_order_without_prices_can_not_be_returned(office: Office) -> None:
    """Orders of partners who tell no prices are no business of the back office; unknown ones say so."""
    bare = NewOrder(number="SA1", lines=(Wanted(name="A", qty=1),), digest=b"")
    await office.one(orders.place, bare)
    for number, code in (("SA1", "no_prices"), ("SA0", "unknown_order")):
        with pytest.raises((Conflict, Missing)) as refusal:
            await office.file(number, (1, 1, "10"))
        assert refusal.value.code == code

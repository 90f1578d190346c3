"""A discrepancy stands, once, from when it is seen until it agrees again or a person has resolved it."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from entrepot.discrepancies import flows, jobs, rules, views
from entrepot.discrepancies.flows import Resolve
from entrepot.discrepancies.rules import KINDS, Seen, Standing
from entrepot.discrepancies.views import Filter
from entrepot.errors import BadInput, Missing

if TYPE_CHECKING:
    from entrepot.db import Database, Tx

TENANT = 1
CONNECTION = 7


def seen(subject: str = "normal 1", stated: int = 5, **changes: Any) -> Seen:
    """Return a total that differs."""
    details = {"stated": stated, "stores": 3}
    fields = {"kind": "total", "connection_id": CONNECTION, "details": details, "text": "differs"}
    return Seen(**{"subject": subject, **fields, **changes})


@pytest.fixture
async def tx(database: Database) -> Any:
    """Give a transaction of a tenant."""
    async with database.transaction(TENANT) as tx:
        yield tx


async def standing(tx: Tx, **wanted: Any) -> list[Standing]:
    """Return what an operator is shown."""
    return await views.find(tx, Filter(**wanted))


async def test_what_is_seen_again_stands_once(tx: Tx) -> None:
    """The figures are the newest, the day it was opened stays."""
    await flows.see(tx, [seen()])
    (before,) = await standing(tx)
    await flows.see(tx, [seen(stated=6), seen("group 2"), seen(stated=9)])
    first, other = sorted(await standing(tx), key=lambda one: one.id)
    assert (first.id, first.opened_at) == (before.id, before.opened_at)
    assert first.details == {"stated": 9, "stores": 3}
    assert (other.subject, await views.count_open(tx)) == ("group 2", 2)


async def test_nothing_seen_is_no_statement(tx: Tx) -> None:
    await flows.see(tx, [])
    await flows.agree(tx, [])
    assert await flows.open_among(tx, []) == {}
    assert await standing(tx) == []


async def test_what_is_open_is_found_by_its_key(tx: Tx) -> None:
    """Of our own people's and of connections' alike; what is resolved is not open."""
    mine, theirs, gone = seen(connection_id=None), seen("group 2"), seen("group 3")
    await flows.see(tx, [mine, theirs, gone])
    await flows.agree(tx, [gone.key])
    found = await flows.open_among(tx, [mine.key, theirs.key, gone.key, seen("none").key])
    assert {key: one.details for key, one in found.items()} == {
        mine.key: mine.details,
        theirs.key: theirs.details,
    }


async def test_what_agrees_again_is_resolved_by_itself_and_may_open_anew(tx: Tx) -> None:
    """Nobody's name stands beside it; the same figures later are a new discrepancy."""
    await flows.see(tx, [seen(), seen("group 2"), seen(connection_id=None)])
    await flows.agree(tx, [seen().key, seen("nothing like it").key])
    assert {(one.connection_id, one.subject) for one in await standing(tx)} == {
        (CONNECTION, "group 2"),
        (None, "normal 1"),
    }
    (closed,) = [one for one in await standing(tx, only_open=False) if one.resolved_at]
    assert (closed.resolved_by, closed.reason) == ("", flows.AGREED)
    await flows.see(tx, [seen()])
    (again,) = [one for one in await standing(tx) if one.id == closed.id]
    assert (again.resolved_at, again.reason) == (None, "")


async def test_a_verdict_holds_while_the_figures_do(tx: Tx) -> None:
    """The mall shows two pieces for display: known, and not worth a look until it shows three."""
    await flows.see(tx, [seen()])
    (one,) = await standing(tx)
    assert await flows.resolve(tx, [Resolve(id=one.id, who="op", reason=" for display ")]) == [None]
    await flows.see(tx, [seen()])
    assert await standing(tx) == []
    (kept,) = await standing(tx, only_open=False)
    assert (kept.resolved_by, kept.reason) == ("op", "for display")
    await flows.see(tx, [seen(stated=6)])
    (opened,) = await standing(tx)
    assert (opened.resolved_at, opened.resolved_by, opened.reason) == (None, "", "")


async def test_a_verdict_needs_a_reason_and_a_discrepancy(tx: Tx) -> None:
    """The first of two verdicts stays, and is the one in the audit."""
    await flows.see(tx, [seen()])
    (one,) = await standing(tx)
    outcomes = await flows.resolve(
        tx,
        [
            Resolve(id=one.id, who="op", reason=" \t"),
            Resolve(id=one.id + 1, who="op", reason="why"),
            Resolve(id=one.id, who="op", reason="first"),
            Resolve(id=one.id, who="other", reason="second"),
        ],
    )
    assert [type(outcome) for outcome in outcomes] == [BadInput, Missing, type(None), type(None)]
    assert await flows.resolve(tx, [Resolve(id=one.id, who="late", reason="third")]) == [None]
    (kept,) = await standing(tx, only_open=False)
    assert (kept.resolved_by, kept.reason) == ("op", "first")
    audit = await tx.rows("SELECT who, what, subject, reason FROM audit WHERE tenant_id = $1")
    assert [tuple(dict(row.items()).values()) for row in audit] == [
        ("op", "discrepancy resolve", "total normal 1", "first")
    ]


async def test_discrepancies_are_found_by_kind_connection_and_document_page_by_page(
    tx: Tx,
) -> None:
    """Newest first; a page goes on where the one before ended."""
    await flows.see(tx, [seen(f"normal {n}") for n in range(5)])
    moved = seen("P1", kind="moved", connection_id=8, document="N1", order_id=3, note_id=4)
    await flows.see(tx, [moved])
    (one,) = await standing(tx, document="N1")
    assert (one.kind, one.order_id, one.note_id) == ("moved", 3, 4)
    assert await standing(tx, kind="moved") == [one] == await standing(tx, connections=(8,))
    assert await standing(tx, connections=()) == []
    pages, before = [], None
    while page := await standing(tx, limit=2, before=before):
        pages += page
        before = (page[-1].opened_at, page[-1].id)
    assert pages == await standing(tx)
    assert len({one.id for one in pages}) == 6


async def test_another_tenant_sees_nothing_of_it(database: Database, tx: Tx) -> None:
    await flows.see(tx, [seen()])
    async with database.transaction(TENANT + 1) as other:
        await flows.see(other, [seen(stated=1)])
        await flows.agree(other, [seen("normal 1").key])
        (theirs,) = await standing(other, only_open=False)
        outcomes = await flows.resolve(tx, [Resolve(id=theirs.id, who="op", reason="why")])
    assert isinstance(outcomes[0], Missing)
    assert len(await standing(tx)) == 1


async def test_many_at_once_neither_lose_one_nor_wait_for_each_other_in_a_ring(
    database: Database,
) -> None:
    """Whatever order they are named in."""
    subjects = [f"normal {n}" for n in range(40)]

    async def one(n: int) -> None:
        order = subjects if n % 2 else subjects[::-1]
        async with database.transaction(TENANT) as tx:
            await flows.see(tx, [seen(subject, stated=n) for subject in order])
        async with database.transaction(TENANT) as tx:
            await flows.agree(tx, [seen(subject).key for subject in order[:20]])

    await asyncio.gather(*(one(n) for n in range(8)))
    async with database.reading(TENANT) as tx:
        assert len(await standing(tx, only_open=False)) == 40


async def test_what_was_resolved_long_ago_is_dropped(database: Database) -> None:
    """Not what stands, what was resolved lately, nor a verdict on what is still seen."""
    subjects = ("old", "lately", "seen", "stands")
    async with database.transaction(TENANT) as tx:
        await flows.see(tx, [seen(subject) for subject in subjects])
        found = {one.subject: one for one in await standing(tx)}
        verdicts = [
            Resolve(id=found[subject].id, who="ann", reason="counted") for subject in subjects[:3]
        ]
        await flows.resolve(tx, verdicts)
        await tx.do(
            "UPDATE discrepancy SET opened_at = opened_at - interval '401 days',"
            " resolved_at = resolved_at - CASE WHEN subject = 'lately' THEN interval '1 day'"
            " ELSE interval '401 days' END, seen_at = seen_at - CASE WHEN subject = 'seen'"
            " THEN interval '1 day' ELSE interval '401 days' END WHERE tenant_id = $1"
        )
    ((schedule, drop),) = jobs.jobs(database).items()
    assert schedule.every == 86_400
    await drop(0)
    async with database.reading(TENANT) as tx:
        left = {one.subject for one in await standing(tx, only_open=False)}
    assert left == {"lately", "seen", "stands"}


@given(st.lists(st.tuples(st.sampled_from("ab"), st.sampled_from([None, 1, 2]), st.integers(0, 9))))
def test_each_subject_is_written_once_as_it_was_seen_last(rows: list[tuple[str, int, int]]) -> None:
    """In one order, whatever order they come in."""
    batch = [seen(subject, connection_id=number, stated=n) for subject, number, n in rows]
    kept = rules.once(batch)
    assert {one.key: one for one in kept} == {one.key: one for one in batch}
    assert [one.key for one in kept] == sorted({one.key for one in batch})


def test_every_kind_says_what_it_means() -> None:
    assert all(text.endswith(".") for text in KINDS.values())

"""Numbers: none twice, none lost."""

from __future__ import annotations

import asyncio
from datetime import date, timedelta
from typing import TYPE_CHECKING

import pytest

from entrepot import clock
from entrepot.errors import Conflict
from entrepot.papers import flows, rules
from tests.papers.office import SALES, Office

if TYPE_CHECKING:
    from collections.abc import Iterator

    from entrepot.db import Tx
    from entrepot.papers.rules import Paper

AT_ONCE = 40


@pytest.fixture(autouse=True)
def _time() -> Iterator[None]:
    yield
    clock.reset()


def paper() -> rules.NewPaper:
    """Return a paper about nothing in particular."""
    return rules.NewPaper(
        state="INVALID", order_id=1, order_number="SA1", customer_id=1, actor=SALES, what="x"
    )


async def take(office: Office, kind: str, count: int = 1) -> list[Paper]:
    """File some papers."""
    filed: list[Paper] = await office.run(
        lambda tx: flows.file(tx, kind, [paper() for _ in range(count)])
    )
    return filed


def test_a_number_is_its_kind_its_day_and_its_place_in_it() -> None:
    """As in the document: AP1903110000008. Past 9,999,999 a day it grows."""
    assert rules.number("AP", date(2019, 3, 11), 8) == "AP1903110000008"
    assert rules.number("SR", date(2019, 3, 12), 12_345_678) == "SR19031212345678"


async def test_kinds_and_tenants_count_for_themselves(office: Office) -> None:
    """Each from 1."""
    other = Office(office.db)
    await other.open()
    numbers = [
        (await take(office, "AP"))[0].number,
        (await take(office, "SR"))[0].number,
        (await take(other, "AP"))[0].number,
    ]
    assert [number[-7:] for number in numbers] == ["0000001"] * 3


async def test_numbers_taken_at_once_are_all_different_and_dense(office: Office) -> None:
    """Forty transactions, one to three papers each."""
    taken = await asyncio.gather(*(take(office, "AP", 1 + i % 3) for i in range(AT_ONCE)))
    found = sorted(p.number for papers in taken for p in papers)
    assert [int(number[-7:]) for number in found] == list(range(1, len(found) + 1))


async def test_a_create_that_fails_uses_no_number(office: Office) -> None:
    """The transaction's end decides."""

    async def fail(tx: Tx) -> None:
        await flows.file(tx, "AP", [paper()])
        raise Conflict("no", "no")

    with pytest.raises(Conflict):
        await office.run(fail)
    assert (await take(office, "AP"))[0].number.endswith("0000001")


async def test_a_day_begins_with_1_and_never_again(office: Office) -> None:
    """At midnight in Shanghai; a server whose clock is behind goes on with the later day."""
    first = (await take(office, "AP"))[0].number
    clock.move(timedelta(days=1))
    second = (await take(office, "AP"))[0].number
    clock.move(timedelta(days=-1))
    third = (await take(office, "AP"))[0].number
    assert first[2:8] < second[2:8] == third[2:8]
    assert [number[-7:] for number in (first, second, third)] == ["0000001", "0000001", "0000002"]


async def test_tenants_do_not_wait_for_each_other(office: Office) -> None:
    """One tenant's open transaction holds nobody else's numbers."""
    other = Office(office.db)
    await other.open()

    async def hold(tx: Tx) -> str:
        await flows.file(tx, "AP", [paper()])
        return (await asyncio.wait_for(take(other, "AP"), 30))[0].number

    assert (await office.run(hold)).endswith("0000001")

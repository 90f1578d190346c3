"""Any page of any search, against looking at every paper."""

from __future__ import annotations

import random
from functools import partial
from typing import TYPE_CHECKING

from entrepot.papers import flows, pages, rules
from entrepot.papers.rules import BLOCK, NewPaper, Paper, Search, Step
from tests.papers.office import BUYER, SALES, Office

if TYPE_CHECKING:
    from collections.abc import Sequence

    from entrepot.db import Tx

STATES = ("RUN", "PASS", "COMPLETE", "INVALID")
KIND = "AP"


def new(number: int, chance: random.Random) -> NewPaper:
    """Return a paper about an order whose number has a prefix, a date and digits, or is short."""
    order = chance.choice((f"SA1806{chance.randrange(100):02}{number:06}", f"t-{number % 97}"))
    variant = chance.choice(("BEFORE", "AFTER"))
    states = STATES if variant == "AFTER" else tuple(set(STATES) - {"PASS"})
    return NewPaper(
        variant=variant,
        state=chance.choice(sorted(states)),
        order_id=number,
        order_number=order,
        customer_id=BUYER + number % 2,
        actor=SALES,
        what="",
    )


async def filed(office: Office, count: int, chance: random.Random) -> None:
    """File so many papers, a few thousand in a transaction."""
    for start in range(0, count, 3000):
        batch = [new(start + i, chance) for i in range(min(3000, count - start))]
        await office.run(partial(flows.file, kind=KIND, new=batch))


async def everything(office: Office) -> list[Paper]:
    """Return all papers that are not deleted, newest first."""
    query = "SELECT * FROM paper WHERE tenant_id = $1 AND NOT deleted ORDER BY id DESC"
    rows = await office.run(lambda tx: tx.rows(query))
    return [pages.paper(row) for row in rows]


def met(paper: Paper, search: Search) -> bool:
    """Tell whether a paper meets a search, as its docstring says."""
    either = search.either in paper.number or search.either in paper.order_number
    return (
        paper.variant in (search.variants or ("BEFORE", "AFTER"))
        and paper.state in (search.states or STATES)
        and search.number in paper.number
        and search.order in paper.order_number
        and either
        and search.customer in ("么志勇" if paper.customer_id == BUYER else "")
    )


def drawn(known: Sequence[Paper], chance: random.Random) -> Search:
    """Return a search for parts of numbers that there are, and some that there are not."""

    def part(text: str) -> str:
        if chance.random() < 0.5:
            return ""
        start = chance.randrange(len(text))
        return text[start : start + chance.randint(1, 7)] + chance.choice(("", "", "", "9"))

    one = chance.choice(known)
    return Search(
        kind=KIND,
        variants=chance.choice(((), ("BEFORE",), ("AFTER",))),
        states=tuple(chance.sample(STATES, chance.randint(0, 3))),
        number=part(one.number),
        order=part(one.order_number),
        either=part(chance.choice((one.number, one.order_number))),
        customer=chance.choice(("", "", "", "志")),
        page=chance.choice((1, 1, 2, 3, 50, 400)),
        size=chance.choice((1, 25, 200)),
    )


async def check(office: Office, chance: random.Random, searches: int) -> None:
    """Compare searches with looking at every paper."""
    known = await everything(office)
    for _ in range(searches):
        search = drawn(known, chance)
        found = await office.run(partial(pages.find, search=search))
        wanted = [paper for paper in known if met(paper, search)]
        start = (search.page - 1) * search.size
        assert found.total == len(wanted), search
        assert list(found.papers) == wanted[start : start + search.size], search


async def test_every_search_finds_and_counts_what_looking_at_every_paper_does(
    office: Office,
) -> None:
    """Over two full blocks and a part of a third; again after states and orders changed and papers went."""
    chance = random.Random(5)
    await filed(office, 2 * BLOCK + 700, chance)
    await check(office, chance, 100)

    async def change(tx: Tx) -> None:
        every = [paper.number for paper in chance.sample(known, 4000)]
        locked = await flows.lock(tx, KIND, every)
        steps = [
            Step(
                paper=paper,
                action=((gone := chance.random() < 0.3) and "delete") or "refuse",
                to="DELETED" if gone else "INVALID",
                actor=SALES,
                what="",
                order_number=chance.choice((None, paper.order_number, f"新{paper.id:024}")),
            )
            for paper in locked.values()
        ]
        await flows.step(tx, KIND, steps)

    known = await everything(office)
    await office.run(change)
    await check(office, chance, 100)


async def test_bitmaps_made_anew_find_the_same(office: Office) -> None:
    """After a bulk load they are built from the papers."""
    chance = random.Random(6)
    await filed(office, BLOCK + 50, chance)
    await office.run(lambda tx: pages.rebuild(tx, KIND))
    await check(office, chance, 30)
    assert [paper.id for paper in (await everything(office))[:1]] == [BLOCK + 50]


async def test_a_tenant_without_papers_has_an_empty_page(office: Office) -> None:
    """And rebuilding nothing is no error."""
    await office.run(lambda tx: pages.rebuild(tx, KIND))
    for search in (
        Search(kind=KIND),
        Search(kind="SR", customer="x"),
        Search(kind="SR", number="1"),
    ):
        found = await office.run(partial(pages.find, search=search))
        assert (found.total, list(found.papers)) == (0, [])


async def test_a_keyword_means_itself(office: Office) -> None:
    """No character of it is a wildcard, and a long one just finds nothing."""
    await filed(office, 3, random.Random(1))
    for keyword in ("%", "_", "'", "AP%", "么", "\N{GRINNING FACE}", "x" * 500):
        for search in (Search(kind=KIND, number=keyword), Search(kind=KIND, either=keyword)):
            found = await office.run(partial(pages.find, search=search))
            assert found.total == 0


def test_slices_tell_which_texts_have_a_character_at_a_place() -> None:
    """Shorter texts have none there."""
    assert dict(rules.slices("n", ["ab", "", "b"])) == {
        "n/0/a": "100",
        "n/0/b": "001",
        "n/1/b": "100",
    }
    assert list(rules.slices("n", [])) == []
    assert dict(rules.slices("n", ["ab", "ac"])) == {"n/0/a": None, "n/1/b": "10", "n/1/c": "01"}


def test_a_probe_asks_for_every_way_a_keyword_may_lie_in_a_field() -> None:
    """One way per place it may begin at; longer than the field: none."""
    found = rules.probes(Search(kind=KIND, number="ab"), {"number": 3, "order": 0})
    assert [(p.way, p.key) for p in found] == [
        (1, "number/0/a"),
        (1, "number/1/b"),
        (2, "number/1/a"),
        (2, "number/2/b"),
    ]
    assert rules.probes(Search(kind=KIND, order="ab"), {"number": 3, "order": 1}) == []

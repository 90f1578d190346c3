"""What people read of returns, and of orders that they are about to return."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from msgspec import Struct

from entrepot.errors import Refused
from entrepot.money import ZERO
from entrepot.orders import accounts
from entrepot.orders.accounts import Customer
from entrepot.orders.prices import Account
from entrepot.papers import flows as papers
from entrepot.papers import pages
from entrepot.papers.rules import LogLine, Paper, Search, policy
from entrepot.people.rules import Policy
from entrepot.returns import rules
from entrepot.returns.flows import _q, claims, worked_out
from entrepot.returns.rules import KIND, Amounts, Body, Line

if TYPE_CHECKING:
    from entrepot.db import Row, Tx


class Sums(Struct, frozen=True, kw_only=True):
    """The money of a return, and where its goods go."""

    depot_id: int
    depot_name: str
    with_freight: bool
    price: Decimal
    discount: Decimal
    freight: Decimal
    total: Decimal
    cases: int
    loose: int


class Shown(Struct, frozen=True):
    """A return as a list shows it."""

    paper: Paper
    sums: Sums
    customer: Customer


class Listed(Struct, frozen=True):
    """A page of returns, and the settings that decide on buttons."""

    total: int
    items: Sequence[Shown]
    policy: Policy


class Goods(Struct, frozen=True, kw_only=True):
    """What a line is about, as people know it; ``picture`` is a URL or ``""``."""

    name: str
    unit: str
    guige: str
    pno: str
    picture: str


class Detail(Struct, frozen=True):
    """One return with its lines (each with its goods) and its log, newest line first."""

    shown: Shown
    lines: Sequence[tuple[Line, Goods]]
    log: Sequence[LogLine]


class Returnable(Struct, frozen=True):
    """An order, the pieces of each part that may still be returned, and its freight, 0 once claimed."""

    account: Account
    left: Sequence[int]
    freight: Decimal


class Calculation(Struct, frozen=True):
    """What a return that is not filed yet would give back."""

    lines: Sequence[Line]
    amounts: Amounts


async def page(tx: Tx, batch: Sequence[Search]) -> list[Listed]:
    """Return pages of returns, newest first."""
    eyes = policy(await papers.settings(tx))
    found = [await pages.find(tx, search) for search in batch]
    every = await shown(tx, {paper.id: paper for one in found for paper in one.papers})
    return [Listed(one.total, [every[paper.id] for paper in one.papers], eyes) for one in found]


async def detail(tx: Tx, batch: Sequence[str]) -> list[Detail | Refused]:
    """Return returns by number."""
    known = await papers.read(tx, KIND, batch)
    every = await shown(tx, {paper.id: paper for paper in known.values()})
    lines: dict[int, list[tuple[Line, Goods]]] = {paper_id: [] for paper_id in every}
    for row in await tx.rows(_q.lines, list(every)):
        lines[row["paper_id"]].append((_of(Line, row), _of(Goods, row)))
    log = await papers.logs(tx, KIND, every)
    return [
        Detail(every[paper.id], lines[paper.id], log[paper.id])
        if (paper := known.get(number)) is not None
        else papers.unknown(KIND, number)
        for number in batch
    ]


async def of_order(tx: Tx, batch: Sequence[str]) -> list[Returnable | Refused]:
    """Return orders by number, with what may still be returned of them."""
    found = await accounts.find(tx, batch)
    known = await accounts.read(tx, found.values())
    taken = await claims(tx, known)
    answers: list[Returnable | Refused] = []
    for number in batch:
        try:
            account = accounts.account_of(known, found.get(number), number)
        except Refused as refusal:
            answers.append(refusal)
            continue
        mine = taken[account.order_id]
        freight = ZERO if mine.freight else account.freight
        answers.append(Returnable(account, rules.left(account, mine), freight))
    return answers


async def calculate(tx: Tx, batch: Sequence[Body]) -> list[Calculation | Refused]:
    """Return what returns would give back; the customer and the depot do not matter to it."""
    settings = await papers.settings(tx)
    found = await accounts.find(tx, [body.order for body in batch])
    known = await accounts.read(tx, found.values())
    taken = await claims(tx, known)
    answers: list[Calculation | Refused] = []
    for body in batch:
        try:
            account = accounts.account_of(known, found.get(body.order), body.order)
            lines = rules.matched(account, body.lines)
            amounts = worked_out(account, lines, taken[account.order_id], body, settings)
        except Refused as refusal:
            answers.append(refusal)
            continue
        answers.append(Calculation(lines, amounts))
    return answers


async def shown(tx: Tx, known: Mapping[int, Paper]) -> dict[int, Shown]:
    """Return papers as lists show them, by id."""
    customers = {
        row["id"]: _of(Customer, row)
        for row in await tx.rows(_q.customers, [paper.customer_id for paper in known.values()])
    }
    sums = {row["paper_id"]: _of(Sums, row) for row in await tx.rows(_q.money, list(known))}
    return {
        paper_id: Shown(
            paper,
            sums[paper_id],
            customers.get(paper.customer_id) or Customer(id=paper.customer_id, name=""),
        )
        for paper_id, paper in known.items()
    }


def _of(shape: type[Struct], row: Row) -> Any:
    return shape(**{field: row[field] for field in shape.__struct_fields__})

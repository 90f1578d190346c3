"""Sales returns (销售退): worked out, filed, edited, run, passed, signed in and refunded.

A token acts for the person it was made for (``entrepot tokens create NAME --login LOGIN``).
"""

from __future__ import annotations

from datetime import datetime  # noqa: TC003 - msgspec reads the annotation
from decimal import Decimal
from typing import TYPE_CHECKING, Annotated, Literal

import msgspec
from msgspec import Meta, Struct

from entrepot.api import paperwork
from entrepot.api.batch import MOST, Batch, batch
from entrepot.api.desk import Desk
from entrepot.api.operation import asks, reads, writes
from entrepot.api.paging import Page
from entrepot.api.paperwork import Head, Numbered, PaperLogged, PapersWanted
from entrepot.api.words import RANGE, Body, Code, Outside, Pieces, Words
from entrepot.db import Tx
from entrepot.errors import Refused
from entrepot.money import plain
from entrepot.papers import flows as papers
from entrepot.papers.rules import policy
from entrepot.returns import flows, views
from entrepot.returns import rules as sr
from entrepot.returns.rules import Action, Amounts

if TYPE_CHECKING:
    from entrepot.people.rules import Policy

Number = Annotated[str, Meta(pattern=r"^SR[0-9]{13}$", max_length=15)]
"""A return's number."""
_UNPAYABLE = 10**15


class ReturnListed(Head, frozen=True, kw_only=True):
    """A return, what it gives back, and the depot its goods go to."""

    depot_id: int
    depot: str
    customer: str
    remark: str
    received_at: datetime | None
    with_freight: bool
    price: Decimal
    discount: Decimal
    freight: Decimal
    total: Decimal


class ReturnedLine(Struct, frozen=True, kw_only=True):
    """Pieces of the order's goods, what they cost on it, and what one gives back."""

    product_id: int
    unit_id: int
    name: str
    unit: str
    qty: int
    old_price: Decimal
    price: Decimal
    gift: int


class ReturnShown(ReturnListed, frozen=True, kw_only=True):
    """A return with its lines and its log, newest first."""

    lines: list[ReturnedLine]
    log: list[PaperLogged]


class ReturnLine(Body, frozen=True, kw_only=True):
    """Goods by the ids that the order's ``money.parts`` show; one piece gives back ``price``.

    Without ``old_price`` the order's lowest price that allows it is meant.
    """

    unit_id: Outside
    qty: Pieces
    price: Decimal
    product_id: Outside | None = None
    old_price: Decimal | None = None
    gift: Literal[0, 1, 2] = 0

    def __post_init__(self) -> None:
        """Refuse what nobody could owe."""
        super().__post_init__()
        if self.price * self.qty >= _UNPAYABLE:
            message = f"price × qty {RANGE}: below 10^15"
            raise ValueError(message)


class ReturnContent(Body, frozen=True, kw_only=True):
    """What a return says: of a shipped order, to a depot, with or without the order's freight.

    Without a ``customer_id`` it is for whoever the order is for.
    """

    order: Code
    depot_id: Outside
    lines: Annotated[list[ReturnLine], Meta(min_length=1, max_length=1000)]
    with_freight: bool = False
    customer_id: Outside | None = None
    remark: Words = ""


class ReturnsFiled(Body, frozen=True, kw_only=True):
    """Returns to be filed."""

    returns: Annotated[list[ReturnContent], Meta(min_length=1, max_length=MOST)]


class ReturnAct(Body, frozen=True, kw_only=True):
    """What is done with a return."""

    number: Number
    action: Action


class ReturnActs(Body, frozen=True, kw_only=True):
    """Acts on returns, in order."""

    acts: Annotated[list[ReturnAct], Meta(min_length=1, max_length=MOST)]


class WorkedOut(Struct, frozen=True, kw_only=True):
    """What a return that is not filed yet would give back; ``cases`` and ``loose`` count its pieces."""

    price: Decimal
    discount: Decimal
    freight: Decimal
    total: Decimal
    cases: int
    loose: int


class OfOrder(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which order."""

    order: Code


class Left(Struct, frozen=True, kw_only=True):
    """Pieces of an order that cost the same, and how many of them may still be returned."""

    product_id: int
    unit_id: int
    name: str
    unit: str
    qty: int
    price: Decimal
    gift: int
    left: int


class Returnable(Struct, frozen=True, kw_only=True):
    """What may still be returned of an order; ``freight`` 0: another return has claimed it."""

    order: str
    customer_id: int
    freight: Decimal
    parts: list[Left]


@reads("/returns", "returns")
async def list_returns(tx: Tx, desk: Desk, query: PapersWanted) -> Page[ReturnListed]:
    """List returns, newest first."""
    eyes = policy(await papers.settings(tx))
    found = await paperwork.found(tx, sr.KIND, query)
    shown = await views.shown(tx, {paper.id: paper for paper in found})
    return paperwork.page(found, query, lambda paper: _listed(desk, shown[paper.id], eyes))


@reads("/returns/returnable", "returns")
async def show_returnable(tx: Tx, desk: Desk, query: OfOrder) -> Returnable:
    """Show what may still be returned of an order."""
    del desk
    (found,) = await views.of_order(tx, [query.order])
    if isinstance(found, Refused):
        raise found
    account = found.account
    return Returnable(
        order=account.number,
        customer_id=account.customer_id,
        freight=plain(found.freight),
        parts=[
            Left(
                product_id=part.product_id,
                unit_id=part.unit_id,
                name=part.name,
                unit=part.unit,
                qty=part.qty,
                price=plain(part.price),
                gift=part.gift,
                left=left,
            )
            for part, left in zip(account.parts, found.left, strict=True)
        ],
    )


@reads("/returns/{number}", "returns", tagged=True)
async def show_return(tx: Tx, desk: Desk, number: Number) -> ReturnShown:
    """Show one return with its lines and its log."""
    eyes = policy(await papers.settings(tx))
    (found,) = await views.detail(tx, [number])
    if isinstance(found, Refused):
        raise found
    return ReturnShown(
        **msgspec.structs.asdict(_listed(desk, found.shown, eyes)),
        lines=[
            ReturnedLine(
                product_id=line.product_id,
                unit_id=line.unit_id,
                name=goods.name,
                unit=goods.unit,
                qty=line.qty,
                old_price=plain(line.old_price),
                price=plain(line.price),
                gift=line.gift,
            )
            for line, goods in found.lines
        ],
        log=paperwork.logged(found.log),
    )


@writes("POST", "/returns", "returns", several=True)
async def file_returns(tx: Tx, desk: Desk, body: ReturnsFiled) -> Batch[Numbered]:
    """File returns as drafts; each gets its number. A refused one uses none."""
    actor = desk.actor
    bodies = await _bodies(tx, body.returns)
    outcomes = await flows.create(tx, [sr.NewReturn(body=one, actor=actor) for one in bodies])
    return batch(outcomes, lambda number: Numbered(number=number, state="INVALID"), status=201)


@asks("/returns/calculate", "returns", several=True)
async def calculate_returns(tx: Tx, desk: Desk, body: ReturnsFiled) -> Batch[WorkedOut]:
    """Work out what returns would give back; nothing is filed."""
    del desk
    outcomes = await views.calculate(tx, await _bodies(tx, body.returns))
    return batch(
        [one if isinstance(one, Refused) else one.amounts for one in outcomes], _worked_out
    )


@writes("PUT", "/returns/{number}", "returns", tagged=True, of=show_return)
async def edit_return(tx: Tx, desk: Desk, number: Number, body: ReturnContent) -> ReturnShown:
    """Give a draft new content; its number stays."""
    (content,) = await _bodies(tx, [body])
    (outcome,) = await flows.edit(tx, [sr.Edit(number=number, body=content, actor=desk.actor)])
    if isinstance(outcome, Refused):
        raise outcome
    changed: ReturnShown = await show_return.handler(tx, desk, number)
    return changed


@writes("POST", "/returns/acts", "returns", several=True)
async def act_on_returns(tx: Tx, desk: Desk, body: ReturnActs) -> Batch[Numbered]:
    """Run, pass, refuse, receive, complete or delete returns, as the person's role and their states allow.

    To receive is to sign the goods in: they lie in stock at the depot from then on.
    """
    actor = desk.actor
    outcomes = await flows.act(
        tx, [sr.Act(number=one.number, action=one.action, actor=actor) for one in body.acts]
    )
    return batch(
        paperwork.numbered([one.number for one in body.acts], outcomes), lambda state: state
    )


async def _bodies(tx: Tx, contents: list[ReturnContent]) -> list[sr.Body]:
    whose = await paperwork.customers(tx, [one.order for one in contents])
    return [
        sr.Body(
            order=one.order,
            customer_id=whose.get(one.order, 0) if one.customer_id is None else one.customer_id,
            depot_id=one.depot_id,
            with_freight=one.with_freight,
            lines=tuple(sr.Wanted(**msgspec.structs.asdict(line)) for line in one.lines),
            remark=one.remark,
        )
        for one in contents
    ]


def _worked_out(amounts: Amounts) -> WorkedOut:
    return WorkedOut(
        price=plain(amounts.price),
        discount=plain(amounts.discount),
        freight=plain(amounts.freight),
        total=plain(amounts.total),
        cases=amounts.cases,
        loose=amounts.loose,
    )


def _listed(desk: Desk, shown: views.Shown, eyes: Policy) -> ReturnListed:
    sums, paper = shown.sums, shown.paper
    return ReturnListed(
        **msgspec.structs.asdict(paperwork.head(desk.caller, paper, eyes)),
        depot_id=sums.depot_id,
        depot=sums.depot_name,
        customer=shown.customer.name,
        remark=paper.remark,
        received_at=paper.received_at,
        with_freight=sums.with_freight,
        price=plain(sums.price),
        discount=plain(sums.discount),
        freight=plain(sums.freight),
        total=plain(sums.total),
    )

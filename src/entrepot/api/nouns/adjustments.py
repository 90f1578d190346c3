"""Price adjustments (调价单, 差价单): filed, passed, refused, completed and deleted by who has the right.

A token acts for the person it was made for (``entrepot tokens create NAME --login LOGIN``).
"""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Annotated

import msgspec
from msgspec import Meta, Struct

from entrepot.adjustments import flows, views
from entrepot.adjustments import rules as ap
from entrepot.adjustments.rules import Action, NewAdjustment, Totals, Variant, totals
from entrepot.api import paperwork
from entrepot.api.batch import MOST, Batch, batch
from entrepot.api.desk import Desk
from entrepot.api.operation import reads, writes
from entrepot.api.paging import Page
from entrepot.api.paperwork import Head, Numbered, PaperLogged, PapersWanted
from entrepot.api.words import RANGE, Body, Code, Outside, Pieces, Words
from entrepot.db import Tx
from entrepot.errors import BadInput, Refused
from entrepot.money import plain
from entrepot.papers import flows as papers
from entrepot.papers.rules import Paper, policy

if TYPE_CHECKING:
    from entrepot.people.rules import Policy

Number = Annotated[str, Meta(pattern=r"^AP[0-9]{13}$", max_length=15)]
"""An adjustment's number."""
_UNPAYABLE = 10**15


class AdjustmentListed(Head, frozen=True, kw_only=True):
    """An adjustment; ``price`` is what its lines cost, ``ask`` what they are to cost."""

    variant: Variant
    price: Decimal
    ask: Decimal
    balance: Decimal


class AdjustedLine(Struct, frozen=True, kw_only=True):
    """For ``qty`` pieces of the goods, ``ask`` instead of the order's ``price``."""

    product_id: int
    unit_id: int
    name: str
    unit: str
    qty: int
    price: Decimal
    ask: Decimal


class AdjustmentShown(AdjustmentListed, frozen=True, kw_only=True):
    """An adjustment with its lines and its log, newest first."""

    lines: list[AdjustedLine]
    log: list[PaperLogged]


class AdjustmentsWanted(PapersWanted, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which adjustments, newest first."""

    variant: Variant | None = None


class AdjustmentLine(Body, frozen=True, kw_only=True):
    """Goods by the ids that the order's ``money.parts`` show, their present price, and what is asked."""

    product_id: Outside
    unit_id: Outside
    qty: Pieces
    price: Decimal
    ask: Decimal

    def __post_init__(self) -> None:
        """Refuse what nobody could owe."""
        super().__post_init__()
        if max(self.price, self.ask) * self.qty >= _UNPAYABLE:
            message = f"price × qty {RANGE}: below 10^15"
            raise ValueError(message)


class AdjustmentWanted(Body, frozen=True, kw_only=True):
    """An adjustment of an order that has not left (``BEFORE``), or has (``AFTER``).

    Without a ``customer_id`` it is for whoever the order is for.
    """

    variant: Variant
    order: Code
    lines: Annotated[list[AdjustmentLine], Meta(min_length=1, max_length=1000)]
    customer_id: Outside | None = None


class AdjustmentsFiled(Body, frozen=True, kw_only=True):
    """Adjustments to be filed."""

    adjustments: Annotated[list[AdjustmentWanted], Meta(min_length=1, max_length=MOST)]


class AdjustmentAct(Body, frozen=True, kw_only=True):
    """What is done with an adjustment; to refuse takes a reason."""

    number: Number
    action: Action
    reason: Words = ""


class AdjustmentActs(Body, frozen=True, kw_only=True):
    """Acts on adjustments, in order."""

    acts: Annotated[list[AdjustmentAct], Meta(min_length=1, max_length=MOST)]


@reads("/adjustments", "adjustments")
async def list_adjustments(tx: Tx, desk: Desk, query: AdjustmentsWanted) -> Page[AdjustmentListed]:
    """List adjustments, newest first."""
    eyes = policy(await papers.settings(tx))
    found = await paperwork.found(tx, ap.KIND, query, query.variant)
    lines = await flows.lines(tx, [paper.id for paper in found])
    return paperwork.page(
        found, query, lambda paper: _listed(desk, paper, totals(lines[paper.id]), eyes)
    )


@reads("/adjustments/{number}", "adjustments", tagged=True)
async def show_adjustment(tx: Tx, desk: Desk, number: Number) -> AdjustmentShown:
    """Show one adjustment with its lines and its log."""
    eyes = policy(await papers.settings(tx))
    (found,) = await views.detail(tx, [number])
    if isinstance(found, Refused):
        raise found
    asked = totals([line for line, _ in found.lines])
    return AdjustmentShown(
        **msgspec.structs.asdict(_listed(desk, found.paper, asked, eyes)),
        lines=[
            AdjustedLine(
                product_id=line.product_id,
                unit_id=line.unit_id,
                name=goods.name,
                unit=goods.unit,
                qty=line.qty,
                price=plain(line.price),
                ask=plain(line.ask),
            )
            for line, goods in found.lines
        ],
        log=paperwork.logged(found.log),
    )


@writes("POST", "/adjustments", "adjustments", several=True)
async def file_adjustments(tx: Tx, desk: Desk, body: AdjustmentsFiled) -> Batch[Numbered]:
    """File adjustments; each gets its number. A refused one uses none."""
    actor = desk.actor
    whose = await paperwork.customers(tx, [new.order for new in body.adjustments])
    outcomes = await flows.create(
        tx,
        [
            NewAdjustment(
                variant=new.variant,
                order=new.order,
                customer_id=whose.get(new.order, 0) if new.customer_id is None else new.customer_id,
                lines=tuple(
                    ap.Line(
                        product_id=line.product_id,
                        unit_id=line.unit_id,
                        qty=line.qty,
                        price=line.price,
                        ask=line.ask,
                    )
                    for line in new.lines
                ),
                actor=actor,
            )
            for new in body.adjustments
        ],
    )
    return batch(outcomes, lambda number: Numbered(number=number, state="RUN"), status=201)


@writes("POST", "/adjustments/acts", "adjustments", several=True)
async def act_on_adjustments(tx: Tx, desk: Desk, body: AdjustmentActs) -> Batch[Numbered]:
    """Pass, refuse, complete or delete adjustments, as the person's role and their states allow."""
    actor = desk.actor
    for at, one in enumerate(body.acts):
        if one.action == "refuse" and not one.reason.strip():
            raise BadInput("reason_needed", "Say why.", path=f"acts[{at}].reason")
    outcomes = await flows.act(
        tx,
        [
            ap.Act(number=one.number, action=one.action, actor=actor, reason=one.reason)
            for one in body.acts
        ],
    )
    return batch(
        paperwork.numbered([one.number for one in body.acts], outcomes), lambda state: state
    )


def _listed(desk: Desk, paper: Paper, asked: Totals, eyes: Policy) -> AdjustmentListed:
    return AdjustmentListed(
        **msgspec.structs.asdict(paperwork.head(desk.caller, paper, eyes)),
        variant=paper.variant,  # type: ignore[arg-type]  # an adjustment's is one of the two
        price=plain(asked.price),
        ask=plain(asked.ask),
        balance=plain(asked.balance),
    )

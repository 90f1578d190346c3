"""Returns as facts: each step that is taken is announced in the transaction that takes it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from entrepot import facts
from entrepot.papers.told import tell
from entrepot.returns.rules import KIND

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from decimal import Decimal

    from entrepot.db import Tx
    from entrepot.orders.accounts import Entry
    from entrepot.papers.rules import Paper, Step
    from entrepot.returns.rules import Draft

_PLAIN: Mapping[str, type[facts.PaperFact]] = {
    "pass": facts.SalesReturnPassed,
    "refuse": facts.SalesReturnRefused,
    "delete": facts.SalesReturnDeleted,
}
"""Actions of which there is nothing to tell but that they were taken."""


async def drafted(
    tx: Tx, kind: type[facts.SalesReturnFiled], drafts: Sequence[tuple[Paper, Draft]]
) -> None:
    """Tell of drafts that were just filed or edited."""
    await tell(tx, KIND, [(paper, _draft(kind, paper, draft)) for paper, draft in drafts])


async def stepped(
    tx: Tx,
    steps: Sequence[Step],
    totals: Mapping[int, Decimal],
    depots: Mapping[int, int],
    refunds: Mapping[int, Entry],
) -> None:
    """Tell of steps; totals of confirmed returns, depots and refunds go by the paper's id."""
    news = []
    for step in steps:
        paper = step.paper
        about = {"number": paper.number, "order": paper.order_number}
        fact: facts.PaperFact
        if step.action == "run":
            fact = facts.SalesReturnConfirmed(**about, total=totals[paper.id])
        elif step.action == "receive":
            fact = facts.SalesReturnReceived(**about, depot_id=depots[paper.id])
        elif step.action == "complete":
            entry = refunds[paper.id]
            fact = facts.SalesReturnCompleted(**about, refunded=entry.amount, serial=entry.serial)
        else:
            fact = _PLAIN[step.action](**about)
        news.append((paper, fact))
    await tell(tx, KIND, news)


def _draft(kind: type[facts.SalesReturnFiled], paper: Paper, draft: Draft) -> facts.PaperFact:
    return kind(
        number=paper.number,
        order=draft.account.number,
        customer_id=draft.body.customer_id,
        depot_id=draft.body.depot_id,
        total=draft.amounts.total,
        lines=tuple(
            facts.ReturnedLine(
                product_id=line.product_id,
                unit_id=line.unit_id,
                qty=line.qty,
                price=line.price,
                gift=line.gift,
            )
            for line in draft.lines
        ),
    )

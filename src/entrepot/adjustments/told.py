"""Adjustments as facts: each step that is taken is announced in the transaction that takes it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import structs

from entrepot import facts
from entrepot.adjustments.rules import KIND, totals
from entrepot.money import ZERO
from entrepot.papers.told import tell

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from entrepot.adjustments.rules import Line
    from entrepot.db import Tx
    from entrepot.orders.accounts import Entry
    from entrepot.papers.rules import Paper, Step


async def filed(tx: Tx, papers: Sequence[tuple[Paper, Sequence[Line]]]) -> None:
    """Tell of adjustments that were just filed."""
    await tell(tx, KIND, [(paper, _filed(paper, lines)) for paper, lines in papers])


async def stepped(
    tx: Tx, steps: Sequence[Step], reasons: Mapping[str, str], refunds: Sequence[Entry]
) -> None:
    """Tell of steps; ``reasons`` of refusals and ``refunds`` go by the adjustment's number."""
    refunded = {entry.document: entry for entry in refunds if entry.kind == "refunded"}
    await tell(
        tx,
        KIND,
        [
            (step.paper, _stepped(step, reasons.get(step.paper.number, ""), refunded))
            for step in steps
        ],
    )


def _filed(paper: Paper, lines: Sequence[Line]) -> facts.Fact:
    return facts.AdjustmentFiled(
        number=paper.number,
        order=paper.order_number,
        variant=paper.variant,
        customer_id=paper.customer_id,
        balance=totals(lines).balance,
        lines=tuple(facts.AdjustedLine(**structs.asdict(line)) for line in lines),
    )


def _stepped(step: Step, reason: str, refunded: Mapping[str, Entry]) -> facts.Fact:
    paper = step.paper
    about = {"number": paper.number, "order": paper.order_number, "variant": paper.variant}
    if step.action == "refuse":
        return facts.AdjustmentRefused(**about, reason=reason)
    if step.action == "delete":
        return facts.AdjustmentDeleted(**about)
    if step.to != "COMPLETE":
        return facts.AdjustmentPassed(**about)
    refund = refunded.get(paper.number)
    return facts.AdjustmentCompleted(
        **about,
        refunded=refund.amount if refund else ZERO,
        serial=refund.serial if refund else "",
    )

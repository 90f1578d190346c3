"""What does not agree: opened, resolved, and counted by reconciliations. Pure."""

from __future__ import annotations

from typing import Any

import msgspec

from entrepot.facts.fact import Fact


class DiscrepancyFact(Fact, frozen=True, kw_only=True):
    """What becomes of a discrepancy; ``number`` is its document's, or its subject where it has none.

    ``about`` is its kind, ``subject`` what it is about within kind and ``connection`` (empty: our own
    people's), ``figures`` what differs.
    """

    id: str
    about: str
    connection: str
    subject: str
    text: str
    figures: dict[str, Any] = msgspec.field(default_factory=dict)

    def numbers(self) -> tuple[str, ...]:
        """Return the document's number and the subject."""
        return (self.number, self.subject)


class DiscrepancyOpened(DiscrepancyFact, frozen=True, kw_only=True):
    """Something does not agree (any more), and a person should look at it."""

    kind = "discrepancy_opened"


class DiscrepancyResolved(DiscrepancyFact, frozen=True, kw_only=True):
    """A discrepancy is no more: the figures agree again, or (``by_hand``) a person says why it may stand."""

    kind = "discrepancy_resolved"

    reason: str
    by_hand: bool


class ReconciliationDone(Fact, frozen=True, kw_only=True):
    """A partner's ``list`` (orders, stock, refunds) of a day was compared with ours.

    How many keys either side has, and how many differ; each that does is a discrepancy.
    """

    kind = "reconciliation_done"

    connection: str
    list: str
    day: str
    theirs: int
    ours: int
    differing: int

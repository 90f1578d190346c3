"""What happened, as small frozen structs: the words between nouns, courier and dialects. Pure.

A fact is written to the outbox in the transaction that made it true, and carries what was true then.
``kind`` is its stable name in the database and in ``deliveries list``.
"""

from __future__ import annotations

from entrepot.facts.discrepancies import (
    DiscrepancyFact,
    DiscrepancyOpened,
    DiscrepancyResolved,
    ReconciliationDone,
)
from entrepot.facts.dispatch import (
    DispatchCompleted,
    DispatchOffered,
    DispatchRefused,
    DispatchRequested,
    DispatchWithdrawn,
    NoteParked,
    NoteRefused,
    PackagesShipped,
    Parcel,
    Piece,
    Receiver,
    ReturnReceived,
    Transfer,
    WaybillChanged,
)
from entrepot.facts.fact import (
    PERSONAL,
    Fact,
    decode,
    echoes,
    encode,
    event,
    every,
    kinds,
    superseded_by,
)
from entrepot.facts.files import ExportFinished, ImportFinished
from entrepot.facts.goods import Goods, GoodsSaved, Spec, Suite, SuitePart, SuiteSaved
from entrepot.facts.levels import Level, Levels, LevelsTold, Sellable
from entrepot.facts.orders import (
    GoodsLine,
    OrderCancelled,
    OrderPlaced,
    OrderProcessed,
    OrderShipped,
)
from entrepot.facts.papers import (
    AdjustedLine,
    AdjustmentCompleted,
    AdjustmentDeleted,
    AdjustmentFact,
    AdjustmentFiled,
    AdjustmentPassed,
    AdjustmentRefused,
    PaperFact,
    ReturnedLine,
    SalesReturnCompleted,
    SalesReturnConfirmed,
    SalesReturnDeleted,
    SalesReturnEdited,
    SalesReturnFiled,
    SalesReturnPassed,
    SalesReturnReceived,
    SalesReturnRefused,
)


def events() -> list[str]:
    """Return every type of event that a subscriber may ask for, levels of stock among them."""
    return sorted([*map(event, kinds()), Levels.event])


__all__ = [
    "PERSONAL",
    "AdjustedLine",
    "AdjustmentCompleted",
    "AdjustmentDeleted",
    "AdjustmentFact",
    "AdjustmentFiled",
    "AdjustmentPassed",
    "AdjustmentRefused",
    "DiscrepancyFact",
    "DiscrepancyOpened",
    "DiscrepancyResolved",
    "DispatchCompleted",
    "DispatchOffered",
    "DispatchRefused",
    "DispatchRequested",
    "DispatchWithdrawn",
    "ExportFinished",
    "Fact",
    "Goods",
    "GoodsLine",
    "GoodsSaved",
    "ImportFinished",
    "Level",
    "Levels",
    "LevelsTold",
    "NoteParked",
    "NoteRefused",
    "OrderCancelled",
    "OrderPlaced",
    "OrderProcessed",
    "OrderShipped",
    "PackagesShipped",
    "PaperFact",
    "Parcel",
    "Piece",
    "Receiver",
    "ReconciliationDone",
    "ReturnReceived",
    "ReturnedLine",
    "SalesReturnCompleted",
    "SalesReturnConfirmed",
    "SalesReturnDeleted",
    "SalesReturnEdited",
    "SalesReturnFiled",
    "SalesReturnPassed",
    "SalesReturnReceived",
    "SalesReturnRefused",
    "Sellable",
    "Spec",
    "Suite",
    "SuitePart",
    "SuiteSaved",
    "Transfer",
    "WaybillChanged",
    "decode",
    "echoes",
    "encode",
    "event",
    "events",
    "every",
    "kinds",
    "superseded_by",
]

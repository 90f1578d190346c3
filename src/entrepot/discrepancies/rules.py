"""What a discrepancy is. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any

from msgspec import Struct

if TYPE_CHECKING:
    from collections.abc import Iterable

Key = tuple[int, str, str]
"""What stands once: (connection id or 0, kind, subject)."""

KINDS: Mapping[str, str] = {
    "total": "A mall's ERP states a total that is not the sum over the stores.",
    "orders_differ": "A partner's list of a day's orders is not ours (reconciliation).",
    "stock_differs": "A partner's list of stock is not what the ledger says (reconciliation).",
    "refunds_differ": "A partner's list of a day's refunds is not ours (reconciliation).",
    "moved": "An outlet shipped a piece that the books had at another place.",
    "found": "An outlet shipped pieces that the books did not have there.",
    "silent": "An outlet has not answered a note in time.",
    "not_taken": "A partner's order was turned away: goods or a store that nobody knows.",
    "other_content": "A partner's order came again under its number with other content.",
    "store_refused": "The ordering store will not hear of goods that have left, since its order is void.",
}
"""Every kind there is, and what it means."""


class Seen(Struct, frozen=True, kw_only=True):
    """Something that does not agree, as of now.

    ``subject`` is what it is about within its connection and kind (a listing, a piece code, a note's
    number); ``document`` the order's number. ``details`` hold the figures: a person's verdict holds for
    as long as they stay the same.
    """

    kind: str
    subject: str
    text: str
    connection_id: int | None = None
    document: str = ""
    order_id: int | None = None
    note_id: int | None = None
    details: Mapping[str, Any] = {}

    @property
    def key(self) -> Key:
        """Return what this discrepancy is known by."""
        return (self.connection_id or 0, self.kind, self.subject)


class Standing(Struct, frozen=True, kw_only=True):
    """A discrepancy as an operator sees it; open while ``resolved_at`` is None.

    ``opened_at`` is when it was first seen since it was last resolved, ``seen_at`` when last.
    ``resolved_by`` is empty where it resolved itself.
    """

    id: int
    kind: str
    connection_id: int | None
    subject: str
    document: str
    order_id: int | None
    note_id: int | None
    text: str
    details: Mapping[str, Any]
    opened_at: datetime
    seen_at: datetime
    resolved_at: datetime | None
    resolved_by: str
    reason: str


def once(batch: Iterable[Seen]) -> list[Seen]:
    """Return each subject once, as it was seen last, in the order in which they are written."""
    last = {seen.key: seen for seen in batch}
    return [last[key] for key in sorted(last)]

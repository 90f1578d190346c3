"""The audit log: who changed which setting, right or credential, and why."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import msgspec
from msgspec import Struct

from entrepot.api import paging
from entrepot.api.desk import Desk
from entrepot.api.operation import reads
from entrepot.api.paging import Number, Page, Paged
from entrepot.api.words import Code
from entrepot.db import Row, Tx, queries

_q = queries(__package__)


class Entry(Struct, frozen=True, kw_only=True):
    """One thing that somebody did to the set-up; secrets are not in it."""

    id: str
    at: datetime
    who: str
    what: str
    subject: str
    reason: str
    details: dict[str, Any]


class EntriesWanted(Paged, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which entries, newest first."""

    who: Code | None = None
    what: Code | None = None
    subject: Code | None = None


@reads("/audit", "audit")
async def list_audit(tx: Tx, desk: Desk, query: EntriesWanted) -> Page[Entry]:
    """List what was done to the set-up, newest first."""
    del desk
    (after,) = paging.start(query, tuple[Number]) or (None,)
    found = await tx.rows(_q.audit, after, query.limit + 1, query.who, query.what, query.subject)
    return paging.page(found, query, lambda row: (row["id"],), _entry)


def _entry(row: Row) -> Entry:
    return Entry(
        id=str(row["id"]),
        at=row["at"],
        who=row["who"],
        what=row["what"],
        subject=row["subject"],
        reason=row["reason"],
        details=msgspec.json.decode(row["details"]),
    )

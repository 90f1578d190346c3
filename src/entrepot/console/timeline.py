"""All that happened to a document, across partners, as one list: steps, calls, deliveries, stock."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

from msgspec import Struct

from entrepot.console import lists, sayings, vocabulary, words
from entrepot.console.words import _
from entrepot.db import queries

if TYPE_CHECKING:
    from collections.abc import Sequence

    from entrepot.console.visit import Visit
    from entrepot.db import Row, Tx

_q = queries("entrepot.console")
_MOST = 200
_LOG_ICONS = {
    "accepted": "inbox", "processed": "list-checks", "shipped": "truck", "cancelled": "ban",
    "oversold": "package-x", "parked": "circle-pause", "short": "package-open",
}  # fmt: skip


class Event(Struct, kw_only=True):
    """One thing that happened. ``colour`` as in the style sheet; ``delivery`` may be acted on."""

    at: datetime
    icon: str
    title: str
    colour: str = ""
    by: str = ""
    more: str = ""
    href: str = ""
    state: str = ""
    delivery: int | None = None


async def timeline(
    visit: Visit,
    tx: Tx,
    *,
    numbers: Sequence[str],
    log: Sequence[Row] = (),
    steps: Sequence[Event] = (),
    changes: bool = False,
) -> list[Event]:
    """Return what happened to the documents with these numbers, newest first.

    ``log`` are an order's own steps as stored, ``steps`` another document's, as events already; ``changes``
    asks for what was changed of goods, whose numbers are names.
    """
    wanted = list(numbers)
    events = [*steps, *(_logged(row) for row in log)]
    events += [_moved(row) for row in await tx.rows(_q.movements_of, wanted, _MOST)]
    events += [_delivered(row) for row in await tx.rows(_q.deliveries_of, wanted, _MOST)]
    events += [_audited(row) for row in await tx.rows(_q.audit_of, wanted, _MOST, changes)]
    if visit.seat.may("exchanges.see"):
        events += [_exchanged(row) for row in await tx.rows(_q.exchanges_of, wanted, _MOST)]
    return sorted(events, key=lambda event: event.at)[::-1]


def _logged(row: Row) -> Event:
    code, _sep, remark = row["what"].partition(": ")
    colour, word = vocabulary.state(code)
    if code not in vocabulary.STATES:
        word, remark = sayings.said(row["what"]), ""
        word = word[:1].upper() + word[1:]
    return Event(
        at=row["at"], icon=_LOG_ICONS.get(code, "circle-dot"), title=word, colour=colour,
        by=row["who"], more=sayings.said(remark),
    )  # fmt: skip


def _moved(row: Row) -> Event:
    title = _("%(kind)s: %(delta)s × %(sku)s at %(location)s") % {
        "kind": vocabulary.movement(row["kind"]), "delta": words.signed(row["delta"]),
        "sku": row["sku"], "location": row["location"],
    }  # fmt: skip
    more = _("%(on_hand)s on hand after it") % {"on_hand": row["on_hand"]}
    return Event(at=row["at"], icon="package", title=title, by=row["who"], more=more)


def _delivered(row: Row) -> Event:
    colour, _word = vocabulary.state(row["state"])
    title = _("To tell %(connection)s: %(what)s") % {
        "connection": row["connection"], "what": vocabulary.kind(row["kind"]),
    }  # fmt: skip
    return Event(
        at=row["created_at"], icon="send", title=title, colour=colour, state=row["state"],
        more=sayings.said(row["last_error"] or row["reason"] or ""), delivery=row["id"],
        href=f"/deliveries/{row['id']}",
    )  # fmt: skip


def _audited(row: Row) -> Event:
    title = vocabulary.audited(row["what"])
    icon = "eye" if row["what"].startswith("reveal") else "settings"
    return Event(at=row["at"], icon=icon, title=title, by=row["who"], more=row["reason"])


def _exchanged(row: Row) -> Event:
    inward = row["direction"] == "in"
    sentence = _("%(connection)s called") if inward else _("Called %(connection)s")
    status: Any = row["status"]
    bad = row["refused"] or status is None or status >= 400
    answer = status or _("no answer")
    return Event(
        at=row["at"], icon="arrow-down-left" if inward else "arrow-up-right",
        title=sentence % {"connection": row["connection"]}, colour="bad" if bad else "",
        by=f"{row['method']} {row['path'].partition('?')[0]} → {answer}",
        href=f"/exchanges/{lists.by_time(row)}",
    )  # fmt: skip

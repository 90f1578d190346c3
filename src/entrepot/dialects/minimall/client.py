"""What we call a mall with, who are the ERP, and what its answers mean. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec
from msgspec import Struct

from entrepot import decode, dialect
from entrepot.dialect import Delivered, Partner, Rejected, Request, Retry, Sent, Verdict
from entrepot.dialects.minimall import wire
from entrepot.dialects.minimall.wire import ErpSettings, StockRow
from entrepot.facts import Levels

if TYPE_CHECKING:
    from entrepot.facts import Fact

DAY = 86_400.0
_NO_ENVELOPE = "the answer is not JSON in the document's envelope"


class _Answer(Struct):
    """What we look at in an answer."""

    code: Any
    msg: Any = ""


def rows_per_call(_settings: ErpSettings) -> int:
    """Return how many rows one call may carry."""
    return wire.ROWS


def interval(settings: ErpSettings) -> float:
    """Return how often changes are sent, in seconds."""
    return dialect.seconds(settings.interval)


def full_every(_settings: ErpSettings) -> float:
    """Return how often everything is sent, in seconds."""
    return DAY


def drawn_on(settings: ErpSettings) -> tuple[str, ...]:
    """Return the locations that add up to a listing's total: the connection's, else its stores."""
    return settings.locations or settings.stores


def stores(settings: ErpSettings) -> tuple[str, ...]:
    """Return the stores that each get a row."""
    return wire.pick_up_stores(settings)


def request_for(subject: Fact | Levels, partner: Partner) -> Request | None:
    """Return the call that tells levels: a row for the total, where it has a code, and one a store."""
    if not isinstance(subject, Levels):
        return None
    settings: ErpSettings = partner.settings
    rows: list[StockRow] = []
    for level in subject.levels:
        if settings.total_store_code:
            rows.append(StockRow(level.type, level.key, level.total, settings.total_store_code))
        rows += [
            StockRow(level.type, level.key, pieces, store)
            for store, pieces in level.by_location.items()
        ]
    return Request(wire.PATH, wire.body(rows)) if rows else None


def verdict(sent: Sent) -> Verdict:
    """Judge a mall's answer: code 0 is done, another code is a refusal."""
    if not 200 <= sent.response.status < 300:
        return Retry(f"HTTP {sent.response.status}")
    try:
        answer = msgspec.json.decode(sent.response.body.removeprefix(b"\xef\xbb\xbf"), type=_Answer)
    except (msgspec.DecodeError, RecursionError, ValueError):
        return Retry(_NO_ENVELOPE)
    code = decode.number(answer.code)
    if code is None:
        return Retry(_NO_ENVELOPE)
    if code == wire.SUCCESS:
        return Delivered()
    return Rejected(str(answer.msg or "") or f"code {answer.code}")


def splits(_sent: Sent) -> bool:
    """Tell that a refused batch may hold good rows: a mall takes all or none."""
    return True

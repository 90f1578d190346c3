"""One trace a document: the requests that named it and every call to a partner that told of it.

Its id is made of the tenant and the document's number, so that nothing has to be carried from the request
through a shared transaction, the outbox and days of attempts: whoever handles the document knows it. Off
unless ``OTEL_EXPORTER_OTLP_ENDPOINT`` is set; the libraries are not even loaded.
"""

from __future__ import annotations

import importlib
import os
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from collections.abc import Mapping

Side = Literal["server", "client"]
_spans: Any = None


def begin(process: str) -> None:
    """Send the spans of this process from now on, where the environment says whereto."""
    global _spans  # noqa: PLW0603 - one sender per process
    if os.environ.get("OTEL_EXPORTER_OTLP_ENDPOINT"):
        _spans = importlib.import_module(f"{__name__}.spans").Spans(process)


def on() -> bool:
    """Tell whether anything is sent, so that nobody makes words for it in vain."""
    return _spans is not None


def end() -> None:
    """Send what has not been sent; blocks for as long as the exporter's time-out says."""
    global _spans  # noqa: PLW0603 - one sender per process
    if _spans is not None:
        _spans.close()
        _spans = None


def ended(
    side: Side,
    name: str,
    seconds: float,
    *,
    tenant_id: int,
    document: str = "",
    caller: str = "",
    failed: bool = False,
    **about: Any,
) -> None:
    """Tell of a request that was answered, or a call that ended, a moment ago and took so long.

    ``caller`` is the ``traceparent`` that a caller sent: its span is linked.
    """
    if _spans is not None:
        told: Mapping[str, Any] = {
            name: value for name, value in about.items() if value is not None
        }
        _spans.tell(side, name, seconds, (tenant_id, document), caller, failed, told)

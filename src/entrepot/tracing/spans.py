"""Spans by OpenTelemetry's SDK, sent as OTLP over HTTP."""

from __future__ import annotations

import hashlib
import re
from typing import TYPE_CHECKING, Any

from opentelemetry import trace
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.trace import Link, NonRecordingSpan, SpanContext, SpanKind, Status, StatusCode

from entrepot.clock import now

if TYPE_CHECKING:
    from collections.abc import Mapping

    from opentelemetry.context import Context

_PARENT = re.compile(r"^00-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})$")
_KINDS = {"server": SpanKind.SERVER, "client": SpanKind.CLIENT}
_SAMPLED = trace.TraceFlags(trace.TraceFlags.SAMPLED)


class Spans:
    """What one process sends; gathered and sent by a thread of its own."""

    def __init__(self, process: str, exporter: Any = None) -> None:
        named = Resource.create({"service.name": "entrepot", "entrepot.process": process})
        self._provider = TracerProvider(resource=named)
        self._provider.add_span_processor(BatchSpanProcessor(exporter or OTLPSpanExporter()))
        self._tracer = self._provider.get_tracer("entrepot")

    def close(self) -> None:
        """Send the rest."""
        self._provider.shutdown()

    def tell(
        self,
        side: str,
        name: str,
        seconds: float,
        subject: tuple[int, str],
        caller: str,
        failed: bool,
        about: Mapping[str, Any],
    ) -> None:
        """Make one span that ends now."""
        until = int(now().timestamp() * 1e9)
        tenant_id, document = subject
        attributes = {f"entrepot.{word}": value for word, value in about.items()}
        attributes |= {"entrepot.tenant": str(tenant_id), "entrepot.document": document}
        span = self._tracer.start_span(
            name,
            context=_context(tenant_id, document) if document else None,
            kind=_KINDS[side],
            attributes=attributes,
            links=_links(caller),
            start_time=until - int(seconds * 1e9),
        )
        if failed:
            span.set_status(Status(StatusCode.ERROR))
        span.end(until)


def trace_of(tenant_id: int, document: str) -> tuple[int, int]:
    """Return a document's trace id, and that of the span which all of its spans belong to."""
    digest = hashlib.sha256(f"{tenant_id}:{document}".encode()).digest()
    return int.from_bytes(digest[:16]), int.from_bytes(digest[16:24])


def _context(tenant_id: int, document: str) -> Context:
    trace_id, span_id = trace_of(tenant_id, document)
    root = SpanContext(trace_id, span_id, is_remote=True, trace_flags=_SAMPLED)
    return trace.set_span_in_context(NonRecordingSpan(root))


def _links(caller: str) -> list[Link]:
    hit = _PARENT.match(caller)
    if hit is None:
        return []
    flags = trace.TraceFlags(int(hit[3], 16))
    return [Link(SpanContext(int(hit[1], 16), int(hit[2], 16), is_remote=True, trace_flags=flags))]

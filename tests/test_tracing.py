"""A document has one trace, from the request that named it to every partner's answer."""

from __future__ import annotations

import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import TYPE_CHECKING

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import StatusCode

from entrepot import tracing
from entrepot.tracing import spans
from entrepot.tracing.spans import Spans

if TYPE_CHECKING:
    from collections.abc import Iterator

CALLER = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


class Collector(BaseHTTPRequestHandler):
    """Takes OTLP and remembers the names of spans."""

    names: list[str]

    def do_POST(self) -> None:
        """Take one batch."""
        told = ExportTraceServiceRequest()
        told.ParseFromString(self.rfile.read(int(self.headers["content-length"])))
        for resource in told.resource_spans:
            for scope in resource.scope_spans:
                self.names.extend(span.name for span in scope.spans)
        self.send_response(200)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def collector() -> Iterator[tuple[str, list[str]]]:
    """Give the address of a collector, and what it was told."""
    Collector.names = []
    server = HTTPServer(("127.0.0.1", 0), Collector)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}", Collector.names
    server.shutdown()
    thread.join()
    server.server_close()


def test_request_and_answer_are_of_one_trace() -> None:
    """Whichever process tells of them; another document, or another tenant's, has its own."""
    kept = InMemorySpanExporter()
    sender = Spans("test", kept)
    sender.tell("server", "goldshop POST /x", 0.5, (1, "SO1"), CALLER, False, {"status": 200})
    sender.tell("client", "goldshop order_shipped", 0.1, (1, "SO1"), "", True, {})
    sender.tell("server", "api place_orders", 0.1, (2, "SO1"), "nonsense", False, {})
    sender.tell("server", "api list_orders", 0.1, (1, ""), "", False, {})
    sender.close()
    request, call, other, listed = kept.get_finished_spans()
    assert request.context.trace_id == call.context.trace_id == spans.trace_of(1, "SO1")[0]
    assert len({one.context.trace_id for one in (request, other, listed)}) == 3
    assert request.parent is not None
    assert request.parent == call.parent
    assert listed.parent is None
    assert [f"{link.context.trace_id:032x}" for link in request.links] == [CALLER.split("-")[1]]
    assert other.links == ()
    assert (request.status.status_code, call.status.status_code) == (
        StatusCode.UNSET,
        StatusCode.ERROR,
    )
    assert request.attributes is not None
    assert request.attributes["entrepot.status"] == 200
    assert request.end_time is not None
    assert request.start_time is not None
    assert request.end_time - request.start_time == 500_000_000


def test_spans_go_to_the_collector_that_the_environment_names(
    collector: tuple[str, list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without one nothing is made; what waits is sent at the end of the process."""
    url, names = collector
    tracing.begin("test")
    tracing.ended("server", "nobody hears", 0.1, tenant_id=1)
    tracing.end()
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", url)
    tracing.begin("test")
    tracing.ended("client", "goldshop order_shipped", 0.1, tenant_id=1, document="SO1", status=None)
    tracing.end()
    tracing.ended("server", "too late", 0.1, tenant_id=1)
    assert names == ["goldshop order_shipped"]

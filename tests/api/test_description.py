"""The OpenAPI document and its page."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest

from entrepot import dialects, openapi
from entrepot.api import describe, docs, nouns
from entrepot.people import tokens

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.api.client import Client

OPERATIONS = nouns.operations()


def references(value: Any) -> Iterator[str]:
    """Yield every ``$ref`` in a document."""
    if isinstance(value, dict):
        if isinstance(value.get("$ref"), str):
            yield value["$ref"]
        for part in value.values():
            yield from references(part)
    elif isinstance(value, list):
        for part in value:
            yield from references(part)


def resolved(document: dict[str, Any], reference: str) -> Any:
    """Return what a ``$ref`` points to."""
    found: Any = document
    for part in reference.removeprefix("#/").split("/"):
        found = found[part]
    return found


def test_every_operation_is_described() -> None:
    """Each has a name of its own, a summary, a scope that exists, and answers that are typed."""
    document = describe.document(OPERATIONS, "/api/v1")
    entries = [entry for path in document["paths"].values() for entry in path.values()]
    assert len(entries) == len(OPERATIONS)
    assert len({entry["operationId"] for entry in entries}) == len(entries)
    for entry in entries:
        assert entry["summary"]
        ((scope,),) = (one["token"] for one in entry["security"])
        assert tokens.scope(scope) == scope
    for reference in references(document):
        assert resolved(document, reference)


def test_the_nouns_are_those_that_scopes_name() -> None:
    """A scope for every noun, and a noun for every scope."""
    assert {operation.noun for operation in OPERATIONS} <= set(tokens.NOUNS)


def test_decimals_are_numbers_in_replies_and_may_be_text_in_requests() -> None:
    """Exact amounts survive clients that only have floats."""
    schemas = describe.document(OPERATIONS, "/api/v1")["components"]["schemas"]
    assert schemas["Standing"]["properties"]["weight"] == {"type": "number"}
    read = schemas["Counted"]["properties"]["weight"]["anyOf"]
    assert {"type": "number"} in read[0]["anyOf"]
    price = schemas["SuiteWanted"]["properties"]["retail_price"]
    assert {"type": "number"} in price["anyOf"]
    assert (price["default"], "type" in price) == (0, False)


async def test_the_document_and_its_page_are_open_to_all(stranger: Client) -> None:
    """/api leads there; the page loads nothing from elsewhere."""
    for path in ("/api", "/api/", "/api/v1", "/api/v1/"):
        reply = await stranger.get(path)
        assert (reply.status, reply.headers["location"]) == (307, "/api/v1/docs")
    document = await stranger.get("/openapi.json")
    assert (document.status, document.json["openapi"]) == (200, "3.1.0")
    again = await stranger.get("/openapi.json", If_None_Match=document.headers["etag"])
    assert again.status == 304
    page = await stranger.get("/docs")
    assert page.headers["content-type"] == "text/html; charset=utf-8"
    assert "default-src 'none'" in page.headers["content-security-policy"]
    assert b"http" not in page.body
    for name in re.findall(r'(?:src|href)="docs/([^"]+)"', page.body.decode()):
        asset = await stranger.get(f"/docs/{name}")
        assert asset.status == 200, name
        assert asset.headers["content-type"].startswith(("text/css", "text/javascript"))
    assert (await stranger.call("POST", "/openapi.json")).status == 405
    assert (await stranger.get("/docs/../secret")).status == 404
    assert (await stranger.get("/apiculture")).status == 404


def test_a_checkout_without_the_vendored_page_links_the_document(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Any
) -> None:
    """The API works without Node ever having run."""
    monkeypatch.setattr(docs, "_VENDOR", tmp_path)
    page = docs.Docs("/api/v1", OPERATIONS).page("/api/v1/docs", "GET", {})
    assert page is not None
    assert b'href="openapi.json"' in page.body


@pytest.mark.parametrize(
    ("dialect", "role"),
    [(d, r) for d, dialect in dialects.discover().items() for r in dialect.roles],
)
def test_every_dialect_is_described_from_its_own_types(dialect: str, role: str) -> None:
    """Every route is in the document, with the body that its decoder takes; one at the root as ``/``."""
    spoken = dialects.discover()[dialect]
    document = openapi.of_role(spoken, role, spoken.roles[role])
    described = {
        (method.upper(), path) for path, entry in document["paths"].items() for method in entry
    }
    routes = spoken.roles[role].routes
    assert described == {(route.method, route.path or "/") for route in routes}
    for reference in references(document):
        assert resolved(document, reference)

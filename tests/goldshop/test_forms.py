"""Form-encoded calls: what one end sends so, the other end takes."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from entrepot import facts
from entrepot.conform import outgoing, samples
from entrepot.decode import Reader
from entrepot.dialect import Partner, convert_settings
from entrepot.dialects.goldshop import client, dialect, server, wire
from entrepot.facts import Level, Levels
from entrepot.gateway import Table

ERP = dialect.roles["erp"]
MINIAPP = Table(dialect.roles["miniapp"])
# Without \x1c to \x1f, which are blank to Python and not to the pattern of a required text.
LETTERS = st.characters(blacklist_categories=["Cs"], blacklist_characters="\0\x1c\x1d\x1e\x1f")
NAMES = st.text(LETTERS, min_size=1, max_size=200).filter(str.strip)
FORM = b"application/x-www-form-urlencoded"


def told(subject: Any, encoding: str) -> Any:
    """Return what a mini-program of ours reads when an ERP of ours tells it something."""
    settings = convert_settings(ERP, {"encoding": encoding})
    erp = Partner(tenant_id=1, id=1, name="it", dialect="goldshop", role="erp", settings=settings)
    request = client.erp_request(subject, erp)
    assert request is not None
    found = MINIAPP.find(request.method, request.path)
    assert isinstance(found, tuple)
    kind = dict(request.headers)["Content-Type"].encode()
    assert kind.startswith(FORM) == (encoding == "form")
    raw = MINIAPP.unfolded(found[0], request.body, kind)
    return MINIAPP.read(found[0], raw)


@pytest.mark.parametrize("one", samples.read(dialect.folder, "erp").outgoing, ids=lambda o: o.name)
def test_every_call_says_the_same_in_either_encoding(one: samples.Outgoing) -> None:
    """An ERP and a mini-program of ours understand each other whatever `encoding` is set to."""
    subject = outgoing.subject(one)
    assert told(subject, "form") == told(subject, "json")


@given(NAMES, st.integers(0, 999_999_999))
def test_any_style_and_number_come_through_a_form(name: str, pieces: int) -> None:
    """Signs that mean something in a form, in JSON or in both, Chinese, spaces."""
    levels = Levels(levels=(Level(listing_id=1, type="", key=name, total=pieces),))
    assert told(levels, "form") == wire.PushStocks((wire.StockLine(name, pieces),))  # type: ignore[arg-type]  # as decoded
    marked = told(facts.OrderShipped(number=name), "form")
    assert (marked.oriOrderNo, marked.orderSatus) == (name, wire.SHIPPED)


def test_a_form_with_an_order_is_an_order() -> None:
    """The head and the lines are JSON texts; a text that looks like JSON stays the text it is."""
    route = next(route for route in server.ERP if route.path == "/pickGoods/cancel")
    read = Reader(route.body)
    assert read.unfolded(b"oriOrderNo=%5B1%5D&remark=a+b") == b'{"oriOrderNo":"[1]","remark":"a b"}'
    assert read.unfolded(b"oriOrderNo=1&oriOrderNo=2") == b'{"oriOrderNo":"2"}'
    sent = Reader(wire.Send).unfolded(b"pickGoods=%7B%22a%22%3A1%7D&pickGoodsDtls=%5B%5D&x=%5B%5D")
    assert sent == b'{"pickGoods":{"a":1},"pickGoodsDtls":[],"x":"[]"}'


@pytest.mark.parametrize("body", [b'{"a":1}', b"\xef\xbb\xbf [1]", b'"text"', b"", b"  \n"])
def test_json_is_json_whatever_its_content_type_says(body: bytes) -> None:
    """Many stacks, curl first, say form and send JSON."""
    for route in server.MINIAPP:
        assert MINIAPP.unfolded(route, body, FORM) == body


def test_a_body_that_is_no_struct_has_no_fields_to_unfold() -> None:
    """A list cannot be a form: each name is a text of its own, and the type is wrong."""
    assert msgspec.json.decode(Reader(tuple[int, ...]).unfolded(b"a=%5B1%5D")) == {"a": "[1]"}

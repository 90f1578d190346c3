"""The other end of webhooks: what is signed now comes in, and nothing else does."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

import pytest

from entrepot import clock
from entrepot.dialect import Call, Partner, Problem, Reply, Request
from entrepot.dialects.webhooks import client, server, signature, wire
from entrepot.errors import BadInput

if TYPE_CHECKING:
    from collections.abc import Mapping

ONE, OTHER = {"secret": "whsec_YQ=="}, {"secret": "whsec_Yg=="}
BODY = b'{"type":"order.shipped","data":{"number":"SO1"}}'


async def nothing(*_: object) -> None:
    """Stand where a hub's flows are; a receiver has none."""


def call(headers: Mapping[str, str], *secrets: Mapping[str, str], body: bytes = BODY) -> Call:
    """Return a call as the gateway hands it over."""
    return Call(
        partner=Partner(tenant_id=1, id=1, name="r", dialect="webhooks", role="receiver"),
        do=nothing,
        ask=nothing,
        seal=bytes,
        raw=body,
        headers={name.lower().encode(): text.encode() for name, text in headers.items()},
        secrets=tuple(secrets),
    )


def signed(secret: Mapping[str, str] = ONE) -> dict[str, str]:
    """Return the headers of a call as a sender with this secret makes it."""
    return dict(client.sign(Request("", BODY), secret).headers)


async def test_what_is_signed_with_a_secret_that_counts_comes_in() -> None:
    """Also with the one before a rotation; one signature of several is enough."""
    await server.admit(call(signed(), ONE))
    await server.admit(call(signed(), OTHER, ONE))
    both = signed()
    strange = "v1,AAAA ä " + both[signature.SIGNATURE]
    await server.admit(call(both | {signature.SIGNATURE: strange}, {}, ONE))


@pytest.mark.parametrize("name", [signature.ID, signature.TIMESTAMP, signature.SIGNATURE])
async def test_a_missing_header_is_named(name: str) -> None:
    """Whoever wires a sender up is told what lacks."""
    headers = {key: text for key, text in signed().items() if key != name}
    with pytest.raises(BadInput, match=f"{name} is missing"):
        await server.admit(call(headers, ONE))


@pytest.mark.parametrize("text", ["1", "x", "²", "9" * 400, "-5"])
async def test_what_is_not_of_now_is_refused(text: str) -> None:
    """A call that somebody wrote down cannot be sent again later."""
    with pytest.raises(BadInput, match="within five minutes"):
        await server.admit(call(signed() | {signature.TIMESTAMP: text}, ONE))


@pytest.mark.parametrize(("off", "good"), [(-300, True), (-301, False), (300, True), (301, False)])
def test_five_minutes_are_the_limit_on_either_side(*, off: int, good: bool) -> None:
    """By the second."""
    now = int(clock.now().timestamp())
    headers = signature.headers([ONE["secret"]], "1", now + off, BODY)
    sent = {name.encode(): text.encode() for name, text in headers}
    with contextlib.nullcontext() if good else pytest.raises(BadInput, match="five minutes"):
        signature.admit(sent, BODY, [ONE], now)


async def test_another_secret_and_another_body_do_not_fit() -> None:
    """Nor does anything where no secret is known."""
    with pytest.raises(BadInput, match="No signature fits"):
        await server.admit(call(signed(), OTHER))
    with pytest.raises(BadInput, match="No signature fits"):
        await server.admit(call(signed(), ONE, body=BODY + b" "))
    with pytest.raises(BadInput, match="No secret is known"):
        await server.admit(call(signed(), {"secret": ""}))


async def test_an_event_is_kept_under_its_document() -> None:
    """One that names none is taken as well."""
    one = call({}, ONE)
    for data, number in (({"number": "SO1"}, "SO1"), ({"number": 7}, ""), ({}, "")):
        one.body = wire.Told(type="order.shipped", data=data)
        assert await server.event(one) == Reply(b'{"status":200}')
        assert one.document == number


def test_strangers_get_401_and_what_is_no_event_400() -> None:
    """Each says where it is wrong."""
    strange = wire.render(Problem("wrong_signature", "No signature fits.", signature.SIGNATURE))
    assert strange.status == 401
    assert strange.body == b'{"status":401,"error":"webhook-signature: No signature fits."}'
    wrong = wire.render(Problem("malformed", "data is missing", "data"))
    assert (wrong.status, wrong.body) == (400, b'{"status":400,"error":"data: data is missing"}')

"""The signature, the event and the verdicts of webhooks, as functions."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime

import msgspec
import pytest

from entrepot import clock, facts, ids
from entrepot.conform import samples
from entrepot.dialect import Delivered, Partner, Rejected, Request, Response, Retry, Sent
from entrepot.dialects import webhooks
from entrepot.dialects.webhooks import client, signature, wire
from entrepot.dialects.webhooks.wire import SenderSettings

SHIPPED = facts.OrderShipped(number="SO1")


def partner(**settings: object) -> Partner:
    """Return a subscriber."""
    own = msgspec.convert(settings, SenderSettings)
    return Partner(tenant_id=1, id=1, name="w", dialect="webhooks", role="sender", settings=own)


def test_the_specification_s_own_example_is_signed_alike() -> None:
    """The vector that Standard Webhooks publishes."""
    made = signature.signed(
        "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
        "msg_p5jXN8AQM9LWM0D4loKWxJek",
        1614265330,
        b'{"test": 2432232314}',
    )
    assert made == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


def test_a_secret_is_fresh_and_one_that_is_no_base64_is_used_as_written() -> None:
    """Whatever an operator sets, calls are signed."""
    assert signature.fresh() != signature.fresh()
    assert signature.signed("whsec_ä", "1", 1, b"").startswith("v1,")


def test_an_attempt_bears_its_id_its_time_and_a_signature_per_secret() -> None:
    """The event keeps its moment on every attempt; the attempt has its own."""
    key = ids.new()
    secrets = [{"secret": "whsec_YQ=="}, {"secret": "whsec_Yg=="}, {}]
    request = client.request_for(SHIPPED, partner())
    assert request is not None
    sent = client.finish(request, str(key), secrets)
    headers = dict(sent.headers)
    assert headers["webhook-id"] == str(key)
    now = int(headers["webhook-timestamp"])
    assert abs(now - clock.now().timestamp()) < 60
    assert headers["webhook-signature"].split(" ") == [
        signature.signed(one["secret"], str(key), now, sent.body) for one in secrets[:2]
    ]
    event = json.loads(sent.body)
    assert (event["type"], event["data"]) == ("order.shipped", {"number": "SO1"})
    happened = datetime.fromisoformat(event["timestamp"])
    assert happened == ids.made_at(key)
    assert happened.tzinfo == UTC


def test_what_a_partner_s_decoder_made_is_told_as_it_is() -> None:
    """Quantities and amounts of strict types of their own are numbers like any other."""

    class Positive(int):
        pass

    lines = (facts.GoodsLine(sku="G1", qty=Positive(2)),)
    fact = facts.OrderPlaced(number="SO1", customer="", lines=lines, details={"n": Positive(3)})
    again = facts.decode(fact.kind, facts.encode(fact))
    assert again == fact


def test_every_event_has_a_sample() -> None:
    """Whoever writes a subscriber finds the body of each call."""
    shown = {one.fact["kind"] for one in samples.read(webhooks.dialect.folder, "sender").outgoing}
    assert shown == {*facts.kinds(), facts.Levels.kind}
    readme = (webhooks.dialect.folder / "README.md").read_text(encoding="utf-8")
    assert set(re.findall(r"`([a-z_]+\.[a-z]+)`", readme)) >= set(facts.events())


def test_every_fact_is_an_event() -> None:
    """No kind is forgotten; what a subscriber did not ask for is not made."""
    assert set(wire.KINDS.values()) == set(facts.kinds())
    assert client.overhears(SenderSettings()) == set(facts.kinds())
    assert client.overhears(SenderSettings(active="off")) == frozenset()
    chosen = partner(events=["order.placed"])
    assert client.overhears(chosen.settings) == {"order_placed"}
    assert client.request_for(SHIPPED, chosen) is None
    assert client.request_for(facts.Levels(levels=()), partner()) is None
    with pytest.raises(ValueError, match=r"no event order\.eaten; known: "):
        SenderSettings(events=("order.eaten",))


@pytest.mark.parametrize(
    ("status", "verdict"),
    [(200, Delivered), (299, Delivered), (410, Rejected), (301, Retry), (404, Retry), (500, Retry)],
)
def test_an_answer_is_judged_by_its_status(status: int, verdict: type[object]) -> None:
    """Whatever its body says."""
    sent = Sent(SHIPPED, Request(""), Response(status, b"<html>"))
    assert isinstance(client.verdict(sent), verdict)


def test_who_calls_often_makes_us_wait_and_nobody_is_expected_to_call() -> None:
    """429 is a rate limit; a call to a subscription's own URL gets an error as JSON."""
    slow = client.verdict(Sent(SHIPPED, Request(""), Response(429, b"")))
    assert isinstance(slow, Retry)
    assert slow.slow_down

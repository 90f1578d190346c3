"""A role that calls wrongly, or takes an answer for what it is not, is caught at it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import msgspec

from entrepot.conform import outgoing
from entrepot.conform.samples import Answer, Outgoing
from entrepot.dialect import Delivered, Rejected, Reply, Request, Retry, Role, Sent, Settings
from tests.conform.notes import SAMPLES

if TYPE_CHECKING:
    from entrepot.dialect import Verdict

TELL = Outgoing(
    section="told",
    name="shipped",
    fact={"kind": "order_shipped", "number": "N1"},
    path="/told",
    body={"order": "N1"},
    answers=(
        Answer(verdict="delivered", body={"ok": True}),
        Answer(verdict="rejected", body={"ok": False}),
        Answer(verdict="retry", status=503, text="busy"),
    ),
)


def verdict(sent: Sent) -> Verdict:
    """Judge as a good role does."""
    if sent.response.status != 200:
        return Retry("no")
    try:
        answer = msgspec.json.decode(sent.response.body, type=dict[str, Any])
    except (msgspec.DecodeError, RecursionError, ValueError):
        return Retry("no JSON")
    return Delivered() if answer["ok"] else Rejected("no")


GOOD = Role(
    settings=Settings,
    render=lambda _problem: Reply(b""),
    listens=frozenset({"order_shipped"}),
    request_for=lambda _fact, _partner: Request("/told", b'{"order":"N1"}'),
    verdict=verdict,
)


def caught(role: Role, one: Outgoing = TELL) -> list[str]:
    """Return the checks that found something."""
    samples = msgspec.structs.replace(SAMPLES, outgoing=(one,))
    return [found.check for found in outgoing.check(role, samples) if found.problem]


def asking(request: Request | None) -> Role:
    """Return the good role with another call."""
    return replace(GOOD, request_for=lambda _fact, _partner: request)


def test_a_good_role_is_left_in_peace() -> None:
    assert caught(GOOD) == []


def test_a_call_that_is_not_as_documented() -> None:
    """None at all, another path, method, body or query, or a fact that the role does not listen to."""
    for request in (
        None,
        Request("/tell", b'{"order":"N1"}'),
        Request("/told", b'{"order":"N2"}'),
        Request("/told", b'{"order":"N1","more":1}'),
        Request("/told", b'{"order":"N1"}', method="PUT"),
        Request("/told", b'{"order":"N1"}', query="a=1"),
    ):
        assert caught(asking(request)) == ["request"]
    assert caught(replace(GOOD, listens=frozenset())) == ["listens"]


def test_queries_forms_and_empty_bodies_are_compared_too() -> None:
    """A query may be a pattern; a form is compared as pairs; no body means none."""

    def asked(**of: Any) -> Role:
        return asking(Request("/told", **of))

    pattern = msgspec.structs.replace(TELL, query="<~a=\\d>")
    assert caught(asked(body=b'{"order":"N1"}', query="a=1"), pattern) == []
    assert caught(asked(body=b'{"order":"N1"}', query="a=x"), pattern) == ["request"]
    form = msgspec.structs.replace(TELL, body=msgspec.UNSET, form={"order": "N1"})
    assert caught(asked(body=b"order=N1"), form) == []
    assert caught(asked(body=b"order=N2"), form) == ["request"]
    bare = msgspec.structs.replace(TELL, body=msgspec.UNSET)
    assert caught(asked(), bare) == []
    assert caught(asked(body=b"{}"), bare) == ["request"]


def test_a_verdict_that_takes_an_answer_for_another() -> None:
    """Whatever is no answer at all is tried again; one that trips over it is told so."""
    assert len(caught(replace(GOOD, verdict=lambda _sent: Delivered()))) == 12
    assert len(caught(replace(GOOD, verdict=lambda _sent: Retry("no")))) == 2
    assert len(caught(replace(GOOD, verdict=lambda _sent: Rejected("no")))) == 12

    def trips(sent: Sent) -> Verdict:
        return verdict(sent) if sent.response.body else Delivered(str(1 // 0))

    assert len(caught(replace(GOOD, verdict=trips))) == 3

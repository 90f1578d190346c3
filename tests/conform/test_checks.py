"""A server that does one thing wrong is caught at it, and one that does all right is left in peace."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from entrepot.conform.checks import Inspector
from tests.conform.notes import FORM, KEY, SAMPLES, Asked, Notes, said

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.conform.notes import Answer

OK = (200, said({"ok": True, "id": 1}))


def parsed(asked: Asked) -> Any:
    """Return a request's body where it is JSON."""
    try:
        return json.loads(asked.body)
    except ValueError:
        return None


async def caught(flaw: Any, *groups: str) -> dict[str, str]:
    """Return what the suite says is wrong, by check."""
    async with Notes(flaw) as notes, Inspector(notes.target, SAMPLES) as inspector:
        found = [one for group in groups for one in await getattr(inspector, group)()]
    return {one.check: one.problem for one in found if one.problem}


async def test_a_good_server_is_left_in_peace() -> None:
    """Every group is asked, each of them something, and there is nothing to say."""
    async with Notes() as notes, Inspector(notes.target, SAMPLES) as inspector:
        found = await inspector.everything()
    assert [(one.check, one.problem) for one in found if one.problem] == []
    assert len(found) > 100
    assert {one.section for one in found} >= {"notes"}


def replying(change: Callable[[dict[str, Any]], object]) -> Any:
    """Return a flaw that changes each good reply."""

    def flaw(_notes: Notes, _asked: Asked, answer: Answer) -> Answer:
        body = json.loads(answer[1] or b"{}")
        return (answer[0], said(change(body))) if body.get("ok") else answer

    return flaw


@pytest.mark.parametrize(
    "change",
    [
        lambda body: {**body, "more": 1},
        lambda body: {"id": body["id"], "ok": True},
        lambda body: {"ok": body["ok"]},
        lambda body: {**body, "id": str(body["id"])},
        lambda body: {**body, "ok": 1},
        lambda body: [body],
    ],
    ids=[
        "a key more",
        "another order",
        "a key less",
        "another type",
        "a truth that is 1",
        "a list",
    ],
)
async def test_a_reply_that_is_not_as_documented(change: Any) -> None:
    """Keys, their order, their types: with the document's own numbers and with fresh ones."""
    wrong = await caught(replying(change), "as_printed", "documented")
    assert wrong.keys() == {"as printed", "example"}


def always_good(_notes: Notes, asked: Asked, answer: Answer) -> Answer:
    return OK if asked.path == f"{KEY}/notes" and answer[0] == 200 else answer


def forgetful(notes: Notes, asked: Asked, answer: Answer) -> Answer:
    """Take what comes together twice: the second before the first is known."""
    asked_before = getattr(notes, "before", None)
    notes.before = asked.body  # type: ignore[attr-defined]  # this flaw's own memory
    again = b"exists" in answer[1] and asked_before == asked.body
    if again and not getattr(notes, "done", False):
        notes.done = True  # type: ignore[attr-defined]
        return OK
    return answer


async def test_a_document_taken_twice() -> None:
    """One after the other, and at the same instant."""
    wrong = await caught(always_good, "replay")
    assert wrong.keys() == {"the same again", "12 at the same instant"}
    assert "12 of 12 got the first reply" in wrong["12 at the same instant"]
    once = await caught(forgetful, "replay")
    assert len(once) == 1


async def test_a_document_that_nobody_gets_in() -> None:
    """All refused is as wrong as all taken."""
    refuse = (200, said({"ok": False, "error": "exists"}))
    wrong = await caught(lambda _n, _a, _answer: refuse, "replay")
    assert "none got the first reply" in wrong["12 at the same instant"]


async def test_a_documented_failure_that_does_not_come() -> None:
    """Also one that comes in other words."""

    def other_words(_notes: Notes, _asked: Asked, answer: Answer) -> Answer:
        return 200, answer[1].replace(b"nothing", b"something")

    for flaw in (always_good, other_words):
        assert (await caught(flaw, "errors")).keys() == {"an unknown article"}


async def test_a_server_that_does_not_answer() -> None:
    """A line that breaks is told as such, not as a reply."""
    wrong = await caught(lambda _notes, _asked, _answer: None, "documented")
    assert wrong["example"].startswith("no answer")


def breaking(start: bytes) -> Any:
    """Return a flaw that fails on bodies with these bytes."""

    def flaw(_notes: Notes, asked: Asked, answer: Answer) -> Answer:
        return (500, b"oops") if start in asked.body else answer

    return flaw


def blind(name: str) -> Any:
    """Return a flaw that accepts anything where ``name`` is at fault."""

    def flaw(_notes: Notes, _asked: Asked, answer: Answer) -> Answer:
        return OK if name.encode() in answer[1] else answer

    return flaw


def refusing(picky: Callable[[Asked], bool]) -> Any:
    """Return a flaw that refuses what is unusual and right."""

    def flaw(_notes: Notes, asked: Asked, answer: Answer) -> Answer:
        return (200, said({"ok": False, "error": "no"})) if picky(asked) else answer

    return flaw


def speechless(_notes: Notes, _asked: Asked, answer: Answer) -> Answer:
    """Refuse without naming what is at fault."""
    body = json.loads(answer[1] or b"{}")
    return (answer[0], said({"ok": False, "error": "bad"})) if body.get("ok") is False else answer


@pytest.mark.parametrize(
    ("flaw", "checks"),
    [
        (breaking(b'"a\\u0000b"'), {"number: NUL", "unknown field: a NUL", "remark: NUL"}),
        (breaking(b"1e400"), {"lines[0].qty: 1e400", "unknown field: 1e400"}),
        (breaking(b"[" * 50_000), {"body: 100,000 open brackets", "body: 100,000 nested brackets"}),
        (breaking(b"\xd6\xd0"), {"body: GBK"}),
        (blind("lines[0].qty"), {"lines[0].qty: 0", "lines[0].qty: a sign", "lines[0].qty: 10^30"}),
        (
            blind("number"),
            {"number: left out", "number: null", "number: blank", "number: a number"},
        ),
        (speechless, {"number: left out", "lines[1].sku: empty", "lines: a word"}),
        (refusing(lambda a: a.body.startswith(b"\xef\xbb\xbf")), {"a BOM"}),
        (
            refusing(lambda a: "content-type" not in a.headers),
            {"Content-Type missing"},
        ),
        (
            refusing(lambda a: a.headers.get("content-type") == "text/plain"),
            {"Content-Type text/plain"},
        ),
        (refusing(lambda a: b'"qty": "' in a.body), {"lines[0].qty: as text"}),
        (refusing(lambda a: b".0}" in a.body), {"lines[0].qty: as a float"}),
        (refusing(lambda a: b"aFieldNobodyKnows" in a.body), {"unknown field: a null"}),
        (refusing(lambda a: a.body.startswith(b"number=")), {"a form", "a form in UTF-8"}),
        (refusing(lambda a: b'"remark": null' in a.body), {"remark: null"}),
        (
            lambda _n, a, answer: (
                OK if a.headers.get("content-type", "").startswith(FORM) else answer
            ),
            {"a form with a NUL", "a form with GBK", "a form with a word for lines"},
        ),
        (
            lambda _n, a, answer: (200, answer[1]) if len(a.body) > 4_500_000 else answer,
            {"body: 5 MB"},
        ),
        (
            lambda _n, a, answer: (200, b"<html>") if b'{"a":{"a":' in a.body else answer,
            {"body: 100,000 nested objects"},
        ),
    ],
)
async def test_a_server_that_is_not_careful(flaw: Any, checks: set[str]) -> None:
    """It breaks, believes, is silent about the reason, or refuses what is right."""
    wrong = await caught(flaw, "hostility")
    assert checks <= wrong.keys()
    assert len(wrong) < 100  # of some hundred and fifty


@pytest.mark.parametrize(
    ("flaw", "check"),
    [
        (lambda _n, _a, answer: (200, answer[1]) if answer[0] == 404 else answer, "unknown path"),
        (lambda _n, a, answer: OK if a.method == "PUT" else answer, "method PUT"),
        (lambda _n, _a, answer: OK if answer[0] == 401 else answer, "wrong token"),
        (lambda _n, _a, answer: (answer[0], answer[1].replace(b"405", b"5")), "method GET"),
        (
            lambda _n, a, answer: (
                answer if a.path.startswith(KEY) else (404, b'{"error":"no key"}')
            ),
            "unknown key: 404 without a hint",
        ),
    ],
)
async def test_a_door_that_stands_open_or_tells_too_much(flaw: Any, check: str) -> None:
    """Paths, methods, tokens, keys; and an envelope that bears another number than HTTP says."""
    assert check in await caught(flaw, "doors")

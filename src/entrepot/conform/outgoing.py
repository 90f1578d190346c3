"""Do our own calls look as documented, and are answers judged by the rules? Pure.

The rules: what is no 2xx, and what is no envelope, is retried, whatever the dialect.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl

import msgspec

from entrepot import facts
from entrepot.conform import matching
from entrepot.conform.checks import Finding
from entrepot.dialect import Delivered, Partner, Rejected, Response, Retry, Sent, convert_settings

if TYPE_CHECKING:
    from collections.abc import Iterator

    from entrepot.conform.samples import Answer, Outgoing, Samples
    from entrepot.dialect import Request, Role

_MEANS: dict[str, type[object]] = {"delivered": Delivered, "rejected": Rejected, "retry": Retry}
_NEVER_AN_ANSWER = (
    (500, b""),
    (502, b"<html>Bad Gateway</html>"),
    (503, b'{"msg":"busy","code":200}'),
    (404, b"not found"),
    (401, b""),
    (302, b""),
    (200, b"<html>login</html>"),
    (200, b'{"msg":"\xb2\xd9\xd7\xf7"'),
    (200, b"["),
    (200, b"[" * 100_000),
)


def check(role: Role, samples: Samples) -> Iterator[Finding]:
    """Yield a finding per documented call, per documented answer, and per answer that is none."""
    for one in samples.outgoing:
        settings = convert_settings(role, one.settings)
        partner = Partner(
            tenant_id=1,
            id=1,
            name="them",
            dialect="",
            role="",
            settings=settings,
            secrets=one.secrets,
        )
        about = subject(one)
        request = role.request_for(about, partner)
        yield _finding(one, "request", _request_differs(one, request))
        if request is None:
            continue
        heard = role.listens if role.overhears is None else role.overhears(settings)
        if about.kind != "stock" and about.kind not in heard:
            yield _finding(one, "listens", f"the role does not listen to {about.kind}")
        for answer in one.answers:
            response = Response(answer.status, answer_bytes(answer))
            sent = Sent(about, request, response, answer.unsure)
            yield _finding(
                one, f"answer {response.body[:60]!r}", _judged(role, sent, answer.verdict)
            )
        for status, body in _NEVER_AN_ANSWER:
            if role.overhears is not None and 200 <= status < 300:
                continue  # who only listens may say what it likes, as long as it has taken it
            sent = Sent(about, request, Response(status, body))
            yield _finding(one, f"HTTP {status} {body[:20]!r}", _judged(role, sent, "retry"))


def subject(one: Outgoing) -> Any:
    """Return the fact (or the levels) that a documented call tells."""
    fields = dict(one.fact)
    kind = fields.pop("kind")
    if kind == facts.Levels.kind:
        return msgspec.convert(fields, facts.Levels)
    return facts.decode(kind, msgspec.json.encode(fields))


def _request_differs(one: Outgoing, request: Request | None) -> str:
    if request is None:
        return "no request is made of it"
    line = f"{request.method} {request.path}" + (f"?{request.query}" if request.query else "")
    wanted = f"{one.method} {one.path}" + (f"?{one.query}" if one.query else "")
    if not request.query or not one.query.startswith("<"):
        if line != wanted:
            return f"is {line}, not {wanted}"
    elif matching.difference(one.query, request.query, status=0):
        return f"the query is {request.query}, not {one.query}"
    if one.form is not None:
        pairs = dict(parse_qsl(request.body.decode(), keep_blank_values=True))
        return matching.difference(dict(one.form), pairs, status=0)
    if one.body is msgspec.UNSET:
        return "" if not request.body else f"has a body: {request.body[:100]!r}"
    return matching.difference(one.body, json.loads(request.body), status=0)


def answer_bytes(answer: Answer) -> bytes:
    """Return the body of a documented answer."""
    if answer.text is not None:
        return answer.text.encode()
    return json.dumps(answer.body, ensure_ascii=False).encode()


def _judged(role: Role, sent: Sent, wanted: str) -> str:
    try:
        verdict = role.verdict(sent)
    except Exception as error:  # noqa: BLE001 - whatever a dialect trips over is a finding
        return f"the verdict raised {type(error).__name__}: {error}"
    return "" if isinstance(verdict, _MEANS[wanted]) else f"{verdict}, not {wanted}"


def _finding(one: Outgoing, check: str, problem: str) -> Finding:
    return Finding(section=one.section, call=one.name, check=check, problem=problem)

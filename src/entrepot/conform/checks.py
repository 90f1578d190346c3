"""Asks a server everything that a dialect's samples, and the rules common to all dialects, demand.

The rules: documented requests get documented replies; the same document again makes no second one, also
at the same instant; what is malformed, hostile or addressed wrongly gets the dialect's envelope, names
the field at fault, and never a 5xx.
"""

from __future__ import annotations

import asyncio
import json
import secrets
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Self

import msgspec
from msgspec import Struct

from entrepot.conform import hostile, matching
from entrepot.conform.samples import Expected, Sample
from entrepot.courier import http
from entrepot.courier.addresses import networks
from entrepot.courier.http import Caller
from entrepot.dialect import Request

if TYPE_CHECKING:
    from entrepot.conform.hostile import Case
    from entrepot.conform.samples import Samples

GROUPS = ("as_printed", "documented", "errors", "replay", "hostility", "doors")
"""What an inspector can ask, each by its method, in the order in which it should be asked."""

_AT_ONCE = 12
_LIMIT = 30.0
_ANYWHERE = networks(["0.0.0.0/0", "::/0"])  # whoever runs the checks says where


class Target(Struct, frozen=True, kw_only=True):
    """Whom to ask: the base URL the document's paths follow, and the secrets its callers hold.

    ``sign`` makes a request one of an authenticated caller (dialects that sign); ``key_in_url`` tells that
    the base URL ends in a hub's connection key, so that a wrong one can be tried.
    """

    base_url: str
    secrets: Mapping[str, str] = {}
    sign: Callable[[Request, Mapping[str, str]], Request] | None = None
    key_in_url: bool = False


class Finding(Struct, frozen=True, kw_only=True):
    """One thing asked: where in the document it stands, and what differs (``""``: nothing)."""

    section: str
    call: str
    check: str
    problem: str = ""


class Got(Struct, frozen=True):
    """A reply as received."""

    status: int
    text: str
    body: Any

    @classmethod
    def of(cls, status: int, raw: bytes) -> Self:
        """Return a reply as read; a body that is no JSON is None."""
        text = raw.decode("utf-8", "replace")
        try:
            return cls(status, text, json.loads(text))
        except ValueError:
            return cls(status, text, None)


class Inspector:
    """Asks one server about one role; use as an async context manager."""

    def __init__(self, target: Target, samples: Samples) -> None:
        self._target = target
        self._samples = samples
        self._caller = Caller()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        self._caller.sweep(idle=0)
        await asyncio.sleep(0)  # closing takes one turn of the loop

    async def everything(self) -> list[Finding]:
        """Run all checks; ``as_printed`` first, since the document's numbers serve only once."""
        return await self.of(GROUPS)

    async def of(self, groups: Sequence[str]) -> list[Finding]:
        """Run some groups of checks, see ``GROUPS``."""
        return [finding for group in groups for finding in await getattr(self, group)()]

    async def silence(self) -> str:
        """Return why nobody answers at the base URL; ``""`` where somebody does, whatever is said."""
        got = await self._exchange(self._target.base_url, Request("/", b"", method="GET"))
        return "" if got.status else got.text

    async def as_printed(self) -> list[Finding]:
        """Every example with the document's own numbers, once, in its order."""
        findings, ran, known = [], set[str](), {"fresh": ""}
        for sample in self._samples.calls.values():
            for name in (*sample.first, sample.name):
                if name not in ran:
                    ran.add(name)
                    one = self._samples.calls[name]
                    findings.append(
                        self._judged(one, "as printed", await self._plain(one, known), known)
                    )
        return findings

    async def documented(self) -> list[Finding]:
        """Every example with a fresh number."""
        findings = []
        for sample in self._samples.calls.values():
            known = await self._before(sample)
            findings.append(
                self._judged(sample, "example", await self._plain(sample, known), known)
            )
            await self._after(sample, known)
        return findings

    async def errors(self) -> list[Finding]:
        """Every documented failure."""
        findings = []
        for sample in self._samples.calls.values():
            for wrong in sample.errors:
                known = await self._before(sample, wrong.first)
                body = self._body(sample, known)
                for path, new in wrong.set.items():
                    body = matching.changed(body, path, matching.filled(new, known))
                for path in wrong.remove:
                    body = matching.without(body, path)
                got = await self._send(sample, hostile.encoded(body), known)
                expected = wrong.reply or self._samples.envelope.failure
                problem = differs(_fill(expected, known), got)
                findings.append(_finding(sample, wrong.why, problem))
                if wrong.first is None:
                    await self._after(sample, known)
        return findings

    async def replay(self) -> list[Finding]:
        """The same document again, and many times at the same instant."""
        findings = []
        for sample in self._samples.calls.values():
            if not sample.replays:
                continue
            known = await self._before(sample)
            raw = hostile.encoded(self._body(sample, known))
            first = await self._send(sample, raw, known)
            problem = differs(_fill(sample.reply, known), first)
            again = _fill(sample.again or sample.reply, known)
            problem = problem or differs(again, await self._send(sample, raw, known))
            findings.append(_finding(sample, "the same again", problem))
            await self._after(sample, known)
            findings.append(await self._together(sample))
        return findings

    async def hostility(self) -> list[Finding]:
        """Malformed and hostile bodies, and the odd ones that are still right."""
        findings = []
        for sample in self._samples.calls.values():
            if sample.body is msgspec.UNSET:
                continue
            fields, empty = sample.fields, sample.optional_body
            cases = [*hostile.cases(sample.body, fields, optional_body=empty)]
            cases += hostile.forms(sample.body, fields) if sample.form else ()
            findings += [await self._tried(sample, case) for case in cases]
        return findings

    async def doors(self) -> list[Finding]:
        """Wrong paths, methods, keys and credentials, in the envelope with HTTP's own number."""
        http = self._samples.envelope.http
        got = await self._exchange(self._target.base_url, Request("/nowhere", b"{}"))
        lost = Sample(section="", name="", path="/nowhere", reply=Expected(body=http, status=404))
        findings = [self._judged(lost, "unknown path", got, {})]
        for sample in self._samples.calls.values():
            known = await self._before(sample)
            raw = hostile.encoded(self._body(sample, known))
            got = await self._send(sample, raw, known, below="/no/where")
            findings.append(
                _finding(sample, "unknown path", differs(Expected(body=http, status=404), got))
            )
            for method in self._unknown_methods(sample):
                got = await self._send(sample, raw, known, method=method)
                problem = differs(Expected(body=http, status=405), got)
                findings.append(_finding(sample, f"method {method}", problem))
            if sample.bearer:
                got = await self._send(sample, raw, known, bearer="wrong")
                expected = self._samples.envelope.unauthorized or Expected(body=http, status=401)
                findings.append(_finding(sample, "wrong token", differs(expected, got)))
            if self._target.key_in_url:
                url = self._target.base_url.rpartition("/")[0] + "/not-a-key"
                got = await self._send(sample, raw, known, base=url)
                hint = (
                    "" if (got.status, got.text) == (404, "") else f"{got.status} {got.text[:100]}"
                )
                findings.append(_finding(sample, "unknown key: 404 without a hint", hint))
            await self._after(sample, known)
        return findings

    async def _together(self, sample: Sample) -> Finding:
        known = await self._before(sample)
        raw = hostile.encoded(self._body(sample, known))
        got = await asyncio.gather(*(self._send(sample, raw, known) for _ in range(_AT_ONCE)))
        reply = _fill(sample.reply, known)
        again = _fill(sample.again or sample.reply, known)
        good = [one for one in got if not differs(reply, one)]
        others = [one for one in got if differs(reply, one)]
        problems = [problem for one in others if (problem := differs(again, one))]
        if sample.once and len(good) != 1:
            problems.append(f"{len(good)} of {_AT_ONCE} got the first reply, not exactly one")
        if not good:
            problems.append("none got the first reply")
        await self._after(sample, known)
        return _finding(sample, f"{_AT_ONCE} at the same instant", "; ".join(problems[:3]))

    async def _tried(self, sample: Sample, case: Case) -> Finding:
        """Send one case; one that may be good gets a number of its own."""
        good = case.answer in ("success", "accepted", "calm")
        known = await self._before(sample, None if good else ())
        body = self._body(sample, known) if good else sample.body
        got = await self._send(sample, case.make(body), known, content_type=case.content_type)
        problem = self._told(sample, case, got, known)
        if good:
            await self._after(sample, known)
        return _finding(sample, case.name, problem)

    def _told(self, sample: Sample, case: Case, got: Got, known: Mapping[str, Any]) -> str:
        envelope = self._samples.envelope
        malformed = sample.malformed or envelope.malformed or envelope.failure
        if case.answer == "success":
            return differs(_fill(sample.reply, known), got)
        if case.answer == "accepted":
            return differs(_outline(sample.reply), got)
        if case.answer == "too_large":
            return differs(Expected(body=envelope.http, status=413), got)
        if case.answer == "missing":
            return differs(sample.missing or malformed, got, case.at)
        if case.answer == "malformed":
            return differs(malformed, got, case.at)
        if got.status >= 500:
            return f"answered {got.status}: {got.text[:200]}"
        return "" if isinstance(got.body, dict) else f"not in an envelope: {got.text[:200]}"

    async def _before(self, sample: Sample, first: tuple[str, ...] | None = None) -> dict[str, Any]:
        """Run what must come first; return what is known since."""
        known: dict[str, Any] = {"fresh": secrets.token_hex(5)}
        for name in sample.first if first is None else first:
            one = self._samples.calls[name]
            await self._plain(one, known)
        return known

    async def _after(self, sample: Sample, known: dict[str, Any]) -> None:
        for name in sample.after:
            await self._plain(self._samples.calls[name], known)

    async def _plain(self, sample: Sample, known: dict[str, Any]) -> Got:
        """Send a sample as it is, and keep what its reply says."""
        got = await self._send(sample, hostile.encoded(self._body(sample, known)), known)
        for name, path in sample.keep.items():
            if matching.has(got.body, path):
                known[name] = matching.value(got.body, path)
        return got

    def _body(self, sample: Sample, known: Mapping[str, Any]) -> Any:
        if sample.body is msgspec.UNSET:
            return sample.body
        body = matching.filled(sample.body, known)
        for path in sample.fresh:
            for at in matching.places(body, path):
                body = matching.changed(body, at, f"{matching.value(body, at)}{known['fresh']}")
        return body

    def _unknown_methods(self, sample: Sample) -> list[str]:
        known = {one.method for one in self._samples.calls.values() if one.path == sample.path}
        return [method for method in ("GET", "PUT", "DELETE", "PATCH") if method not in known]

    def _judged(self, sample: Sample, check: str, got: Got, known: Mapping[str, Any]) -> Finding:
        return _finding(sample, check, differs(_fill(sample.reply, known), got))

    async def _send(
        self,
        sample: Sample,
        raw: bytes,
        known: Mapping[str, Any],
        *,
        content_type: str = hostile.JSON,
        method: str = "",
        below: str = "",
        bearer: str = "",
        base: str = "",
    ) -> Got:
        """Send one request as a caller of this role would, with what is to be wrong about it."""
        target = self._target
        sent = {"Content-Type": content_type} if content_type else {}
        sent |= sample.headers
        if sample.bearer:
            sent["Authorization"] = f"Bearer {bearer or target.secrets[sample.bearer]}"
        request = Request(
            path=matching.filled(sample.path, known) + below,
            body=raw,
            method=method or sample.method,
            headers=tuple(sent.items()),
            query=matching.filled(sample.query, known),
        )
        if target.sign is not None:
            request = target.sign(request, target.secrets)
        return await self._exchange(base or target.base_url, request)

    async def _exchange(self, base_url: str, request: Request) -> Got:
        try:
            target = http.Target.of(base_url, _ANYWHERE)
            response, _ = await self._caller.call(target, request, {}, _LIMIT)
        except (http.CallFailed, ValueError) as failure:
            return Got(0, f"no answer: {failure}", None)
        return Got.of(response.status, response.body)


def _finding(sample: Sample, check: str, problem: str) -> Finding:
    return Finding(section=sample.section, call=sample.name, check=check, problem=problem)


def differs(expected: Expected, got: Got, names: str = "") -> str:
    """Return what is wrong with a reply, ``""`` for nothing."""
    if not got.status:
        return got.text
    if got.status != expected.status:
        return f"HTTP {got.status}, not {expected.status}: {got.text[:200]}"
    return matching.difference(expected.body, got.body, status=got.status, names=names)


def _fill(expected: Expected, known: Mapping[str, Any]) -> Expected:
    return Expected(status=expected.status, body=matching.filled(expected.body, known))


def _outline(expected: Expected) -> Expected:
    """Return a reply's envelope with any contents: lists and objects in it may differ."""
    body = expected.body
    if isinstance(body, dict):
        body = {key: _any(part) for key, part in body.items()}
    return Expected(status=expected.status, body=body)


def _any(part: Any) -> Any:
    if isinstance(part, list):
        return "<array>"
    return "<object>" if isinstance(part, dict) else part

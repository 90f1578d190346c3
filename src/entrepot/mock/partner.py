"""A scripted partner: hears a call, judges it by the dialect's own wire, answers by script or sample."""

from __future__ import annotations

import asyncio
from datetime import datetime
from typing import TYPE_CHECKING, Any

import msgspec
from msgspec import Struct

from entrepot import clock
from entrepot.conform.checks import Got, differs
from entrepot.dialect import Call, Partner, Problem, Reply, convert_settings
from entrepot.errors import Refused
from entrepot.gateway import Table
from entrepot.mock.rules import Answer, Heard, answered, chosen, concrete, script, shown
from entrepot.people.rules import Actor
from entrepot.people.rules import Role as Rights

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from entrepot.conform.samples import Samples
    from entrepot.dialect import Role
    from entrepot.mock.rules import Rule

_ANYBODY = Actor(id=1, name="mock", role=Rights.ADMIN)


class Received(Struct, frozen=True, kw_only=True):
    """One call and what became of it. ``problem``: what the dialect's wire objects to, ``""`` for nothing."""

    at: datetime
    heard: Heard
    status: int
    problem: str


class _WellFormed(Exception):
    """The call came so far that a hub would now touch its data."""


class _NoData:
    """Stands where a hub has its database."""

    def __getattr__(self, _name: str) -> Any:
        raise _WellFormed


class MockPartner:
    """Plays one role of a dialect. A changed script file holds from the next call on."""

    def __init__(
        self,
        role: Role,
        samples: Samples,
        *,
        secrets: Mapping[str, str] | None = None,
        file: Path | None = None,
        tell: Callable[[Received], None] = lambda _: None,
    ) -> None:
        self._role = role
        self._samples = samples
        self._table = Table(role)
        self._tell = tell
        self._file = file
        self._read_at = 0
        self._rules: tuple[Rule, ...] = ()
        self._used: list[int] = []
        self._partner = Partner(
            tenant_id=0,
            id=0,
            name="mock",
            dialect="",
            role="",
            settings=convert_settings(role, {}),
            secrets=secrets or {},
        )
        self.script()

    def script(self) -> None:
        """Read the script where it is new; raises BadInput."""
        if self._file is None:
            return
        at = self._file.stat().st_mtime_ns
        if at != self._read_at:
            self._rules = script(self._file.read_bytes())
            self._used = [0] * len(self._rules)
            self._read_at = at

    @property
    def too_large(self) -> Answer:
        """Return the dialect's own refusal of a body that is over the limit."""
        return _worded(self._role.render(Problem("too_large", "请求体过大", status=413)))[1]

    async def answer(self, heard: Heard) -> Answer:
        """Return what a call gets, after its delay, and tell what was received."""
        refused = await self._refusal(heard)
        problem, usual = ("", self._usual(heard)) if refused is None else refused
        try:
            self.script()
        except (OSError, Refused) as error:
            problem = f"{error}; the script before stays. {problem}"
        index = chosen(self._rules, self._used, heard)
        if index is not None:
            self._used[index] += 1
        answer = answered(None if index is None else self._rules[index], usual)
        self._tell(
            Received(
                at=clock.now(),
                heard=heard,
                status=0 if answer.drop else answer.status,
                problem=problem,
            )
        )
        await asyncio.sleep(answer.delay)
        return answer

    def _usual(self, heard: Heard) -> Answer:
        """Return the answer of the dialect's sample of this call."""
        sample = shown(self._samples, heard)
        if sample is None:
            return Answer(status=200)
        body = concrete(sample.reply.body)
        return Answer(status=sample.reply.status, body=msgspec.json.encode(body))

    async def _refusal(self, heard: Heard) -> tuple[str, Answer] | None:
        """Return what the dialect's own end says of a call that is not as documented; None: it is.

        The role's handler runs as in a hub, up to where it would touch data.
        """
        found = self._table.find(heard.method, heard.path)
        if isinstance(found, Problem):
            return _worded(self._role.render(found))
        route, values = found
        call = self._call(heard)
        try:
            if self._role.admit is not None:
                await self._role.admit(call)
            call.do = call.ask = _reached
            call.path = values
            content_type = heard.headers.get(b"content-type", b"")
            call.raw = self._table.unfolded(route, heard.body, content_type)
            call.body = self._table.read(route, call.raw)
            reply = await route.handler(call)
        except _WellFormed:
            return None
        except Refused as refusal:
            return _worded(self._role.render(Problem.of(refusal)))
        return None if self._good(heard, reply) else _worded(reply)

    def _good(self, heard: Heard, reply: Reply) -> bool:
        """Tell whether what a handler answered without any data is what the sample shows."""
        if not isinstance(reply.body, bytes):
            return True  # a stream is begun for good calls only
        sample = shown(self._samples, heard)
        return sample is not None and not differs(sample.reply, Got.of(reply.status, reply.body))

    def _call(self, heard: Heard) -> Call:
        return Call(
            partner=self._partner,
            do=_reached,
            ask=_known,
            seal=lambda plain: plain,
            raw=heard.body,
            query=heard.query,
            headers=heard.headers,
            secrets=(self._partner.secrets,),
            db=_NoData(),
        )


async def _reached(*_: object) -> Any:
    raise _WellFormed


async def _known(*_: object) -> Actor:
    """Let everybody in whom the dialect asks the hub about."""
    return _ANYBODY


def _worded(reply: Reply) -> tuple[str, Answer]:
    """Return a dialect's own refusal and its words."""
    body = reply.body if isinstance(reply.body, bytes) else b""
    return body.decode() or f"HTTP {reply.status}", Answer(status=reply.status, body=body)

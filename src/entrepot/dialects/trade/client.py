"""The other end: a typed client of the platform's calls, and calls that the courier makes for us.

``Client`` asks and waits for the answer; a screen, the traffic and the tests use it. ``Asked`` is a fact
that the courier delivers until the platform has answered. Pure, but for the ``send`` it is given.
"""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import quote, urlencode

import msgspec

from entrepot.dialect import Delivered, Partner, Rejected, Request, Response, Retry, Sent, Verdict
from entrepot.dialects.trade import envelope, wire, words
from entrepot.errors import Refused
from entrepot.facts import Fact

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping, Sequence

    from entrepot.facts import Levels

T = TypeVar("T")


def _number(value: object) -> object:
    """Return a number of the wire's as the plain one it is."""
    return Decimal(value) if isinstance(value, Decimal) else int(value)  # type: ignore[call-overload]


_json = msgspec.json.Encoder(decimal_format="number", enc_hook=_number)


class Answer(msgspec.Struct, frozen=True):
    """The envelope, its ``data`` not yet looked at."""

    code: int
    msg: str = ""
    data: msgspec.Raw = msgspec.Raw(b"null")


class Said(Refused):
    """The platform answered with a failure: ``number`` is its code, ``text`` its message."""

    def __init__(self, answer: Answer) -> None:
        super().__init__("partner_said_no", answer.msg, number=answer.code)
        self.number = answer.code


class Unreadable(Exception):
    """The platform answered with something else than its envelope."""


class Asked(Fact, frozen=True, kw_only=True):
    """A call of the platform's API that is to be made for certain. ``number`` names its document."""

    kind = "trade_call"

    method: str
    path: str
    body: str = ""


class Client:
    """The platform's calls, as the person that ``token`` stands for."""

    def __init__(self, send: Callable[[Request], Awaitable[Response]], token: str) -> None:
        self._send = send
        self._token = token

    async def create_ap(self, body: wire.ApCreate) -> str:
        """File an adjustment (DD-1); return its number."""
        return await self._call("PUT", "/v2/order/ap", str, body)

    async def pass_ap(self, number: str) -> None:
        """Pass one (DD-2)."""
        await self._call("POST", f"/v2/order/ap/pass/{_part(number)}", type(None))

    async def refuse_ap(self, number: str, reason: str) -> None:
        """Refuse one (DD-3)."""
        await self._call("POST", f"/v2/order/ap/refuse/{_part(number)}", type(None), reason)

    async def complete_ap(self, number: str) -> None:
        """Complete one (DD-4)."""
        await self._call("POST", f"/v2/order/ap/complete/{_part(number)}", type(None))

    async def delete_ap(self, number: str) -> None:
        """Delete one."""
        await self._call("DELETE", f"/v2/order/ap/{_part(number)}", type(None))

    async def list_ap(
        self, **filters: str | int | Sequence[str]
    ) -> words.Listing[words.ApButtons, words.ApRow]:
        """Return a page (DD-5); ``filters`` are the query's parameters."""
        shape = words.Listing[words.ApButtons, words.ApRow]
        return await self._call("GET", "/v2/order/ap", shape, filters=filters)

    async def show_ap(self, number: str) -> words.ApDetail:
        """Return one (DD-6)."""
        return await self._call("GET", f"/v2/order/ap/detail/{_part(number)}", words.ApDetail)

    async def log_ap(self, number: str) -> words.Listing[Any, words.LogRow]:
        """Return its log (DD-7)."""
        shape = words.Listing[Any, words.LogRow]
        return await self._call("GET", f"/v2/order/ap/log/{_part(number)}", shape)

    async def create_sr(self, body: wire.SrBody) -> None:
        """File a return (DD-51); its number is found in the list."""
        await self._call("POST", "/order/sr", type(None), body)

    async def edit_sr(self, number: str, body: wire.SrBody) -> None:
        """Edit a draft (DD-52)."""
        await self._call("PUT", f"/order/sr/{_part(number)}", type(None), body)

    async def list_sr(
        self, **filters: str | int | Sequence[str]
    ) -> words.Listing[words.SrButtons, words.SrRow]:
        """Return a page (DD-53); ``filters`` are the query's parameters."""
        shape = words.Listing[words.SrButtons, words.SrRow]
        return await self._call("GET", "/order/sr", shape, filters=filters)

    async def show_sr(self, number: str) -> words.SrDetail:
        """Return one (DD-54)."""
        return await self._call("GET", f"/order/sr/detail/{_part(number)}", words.SrDetail)

    async def set_status(self, number: str, status: str) -> None:
        """Move one on: RUN, FMS_PASS, INVALID, COMPLETE (DD-55)."""
        body = wire.SrStatus(status)
        await self._call("PUT", f"/order/sr/status/{_part(number)}", type(None), body)

    async def delete_sr(self, number: str) -> None:
        """Delete a draft (DD-56)."""
        await self._call("DELETE", f"/order/sr/{_part(number)}", type(None))

    async def show_order(self, number: str) -> words.SrRow:
        """Return what may be returned of an order (DD-57)."""
        return await self._call("GET", f"/order/sr/detail/sa/{_part(number)}", words.SrRow)

    async def calculate(self, body: wire.Calculate) -> words.SrRow:
        """Return what a return would give back (DD-58)."""
        return await self._call("PUT", "/order/sr/calculatediscount", words.SrRow, body)

    async def _call(
        self,
        method: str,
        path: str,
        shape: type[T],
        body: object = None,
        filters: Mapping[str, object] | None = None,
    ) -> T:
        query = urlencode(filters or {}, doseq=True)
        raw = b"" if body is None else _json.encode(body)
        request = Request(path, raw, method, _headers(self._token), query)
        answer = read(await self._send(request))
        if answer is None:
            raise Unreadable(f"{method} {path}")
        if answer.code != envelope.SUCCESS:
            raise Said(answer)
        return msgspec.json.decode(answer.data, type=shape)


def request(fact: Fact | Levels, partner: Partner) -> Request | None:
    """Return the call a fact asks for, as the person the connection's ``login`` names."""
    if not isinstance(fact, Asked):
        return None
    settings: wire.ClientSettings = partner.settings
    token = partner.secrets.get(settings.login, "")
    return Request(fact.path, fact.body.encode(), fact.method, _headers(token))


def verdict(sent: Sent) -> Verdict:
    """Judge the platform's answer: 100000 is done, another code in its envelope is a refusal."""
    if not 200 <= sent.response.status < 300:
        return Retry(f"HTTP {sent.response.status}")
    answer = read(sent.response)
    if answer is None:
        return Retry("the answer is not JSON in the document's envelope")
    if answer.code == envelope.SUCCESS:
        return Delivered()
    return Rejected(answer.msg or f"code {answer.code}")


def asked(number: str, method: str, path: str, body: object = None) -> Asked:
    """Return a call for the courier to make."""
    raw = "" if body is None else _json.encode(body).decode()
    return Asked(number=number, method=method, path=path, body=raw)


def read(response: Response) -> Answer | None:
    """Return the envelope of an answer, or None for what is none."""
    try:
        return msgspec.json.decode(response.body, type=Answer)
    except (msgspec.DecodeError, RecursionError, ValueError):
        return None


def _headers(token: str) -> tuple[tuple[str, str], ...]:
    return (("Content-Type", "application/json"), ("Authorization", f"Bearer {token}"))


def _part(number: str) -> str:
    return quote(number, safe="")

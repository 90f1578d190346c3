"""One HTTP call to a partner: small, bounded, and honest about what it does not know.

HTTP/1.1 on asyncio's own transports, replies parsed by llhttp (httptools). docs/decisions/courier-http.md
says why no general client is used: a call here needs no redirects, cookies, proxies or streams; it needs
the resolved address checked, one limit on its whole time, one on what it reads, and to cost little.
"""

from __future__ import annotations

import asyncio
import base64
import ipaddress
import socket
import ssl
import zlib
from collections import deque
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, unquote, urlsplit

import httptools
from msgspec import Struct

from entrepot import clock
from entrepot.courier.addresses import Network, permitted
from entrepot.dialect import Response

if TYPE_CHECKING:
    from collections.abc import Mapping

    from entrepot.dialect import Request

REPLY_LIMIT = 1024 * 1024
_HEAD_LIMIT = 64 * 1024
_IDLE = 15.0
_KEPT = 64
_DROPPED = "the connection was closed before an answer came"


class CallFailed(Exception):
    """No readable answer. ``unsure``: the partner may have acted on the call all the same."""

    def __init__(self, reason: str, *, unsure: bool) -> None:
        super().__init__(reason)
        self.reason = reason
        self.unsure = unsure


class Target(Struct, frozen=True, eq=False):
    """A partner's URL, taken apart once: where to connect, and what each call begins with.

    Connections are kept for one target, not for another that looks the same: it may be another tenant's.
    """

    host: str
    port: int
    tls: bool
    path: str
    query: str
    head: str
    networks: tuple[Network, ...] = ()
    authorization: str = ""

    @classmethod
    def of(cls, url: str, networks: tuple[Network, ...] = (), token: str = "") -> Target:
        """Parse ``url``; raises ValueError for one that can't be called.

        Calls show the bearer ``token``, else the URL's name and password, else what their dialect says.
        """
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            message = f"{url!r} is no http:// or https:// URL"
            raise ValueError(message)
        tls = parts.scheme == "https"
        port = parts.port or (443 if tls else 80)
        host = _ascii(parts.hostname)
        shown = f"[{host}]" if ":" in host else host
        if port != (443 if tls else 80):
            shown = f"{shown}:{port}"
        head = f"Host: {shown}\r\nUser-Agent: entrepot\r\nAccept-Encoding: identity\r\n"
        shows = f"Bearer {token}" if token else ""
        if parts.username is not None and not token:
            pair = f"{unquote(parts.username)}:{unquote(parts.password or '')}"
            shows = f"Basic {base64.b64encode(pair.encode()).decode()}"
        path = _quoted(parts.path.rstrip("/"))
        return cls(host, port, tls, path, parts.query, head, networks, shows)

    def bytes_of(self, request: Request, extra: Mapping[str, str]) -> bytes:
        """Return the request as sent."""
        path = (
            request.path if request.path.startswith("/") or not request.path else f"/{request.path}"
        )
        query = "&".join(part for part in (self.query, request.query) if part)
        target = (self.path + _quoted(path)) or "/"
        if query:
            target += "?" + quote(query, safe="%/?:@!$&'()*+,;=~-._")
        lines = [*request.headers, *extra.items()]
        if self.authorization:
            others = [(k, v) for k, v in lines if k.lower() != "authorization"]
            lines = [("Authorization", self.authorization), *others]
        headers = "".join(f"{k}: {v}\r\n" for k, v in lines)
        length = f"Content-Length: {len(request.body)}\r\n"
        if "\r" in target or "\n" in target or headers.count("\n") != len(lines):
            message = "a header holds a line break"
            raise ValueError(message)
        head = f"{request.method} {target} HTTP/1.1\r\n{self.head}{headers}{length}\r\n"
        return head.encode("utf-8") + request.body


class Caller:
    """Makes calls, keeps connections for the next ones; one per process."""

    def __init__(self, tls: ssl.SSLContext | None = None) -> None:
        self._tls = tls
        self._kept: dict[Target, deque[_Wire]] = {}

    async def call(
        self, target: Target, request: Request, extra: Mapping[str, str], limit: float
    ) -> tuple[Response, bool]:
        """Send and read the answer to its end within ``limit`` seconds, connecting included.

        A kept connection that turns out to be closed is replaced once; then the flag beside the answer
        is True: the partner may have seen the call twice. Raises CallFailed.
        """
        try:
            data = target.bytes_of(request, extra)
        except (ValueError, UnicodeError) as error:
            raise CallFailed(f"not a valid request: {error}", unsure=False) from error
        deadline = asyncio.get_running_loop().time() + limit
        kept = self._take(target)
        if kept is not None:
            try:
                return await self._exchange(target, kept, data, deadline), False
            except CallFailed as failure:
                if failure.reason != _DROPPED:
                    raise
        try:
            fresh = await self._connect(target, deadline)
        except CallFailed as failure:
            raise CallFailed(failure.reason, unsure=kept is not None) from failure.__cause__
        return await self._exchange(target, fresh, data, deadline), kept is not None

    def sweep(self, idle: float = _IDLE) -> None:
        """Close the connections that nothing has used for ``idle`` seconds."""
        for target, wires in list(self._kept.items()):
            for wire in [wire for wire in wires if not wire.usable(idle)]:
                wires.remove(wire)
                wire.drop()
            if not wires:
                del self._kept[target]

    def _take(self, target: Target) -> _Wire | None:
        """Return a kept connection that is still open and not about to be closed as idle."""
        wires = self._kept.get(target)
        while wires:
            wire = wires.pop()
            if wire.usable(_IDLE):
                return wire
            wire.drop()
        return None

    async def _exchange(
        self, target: Target, wire: _Wire, data: bytes, deadline: float
    ) -> Response:
        try:
            response = await wire.send(data, deadline)
        except BaseException:
            wire.drop()
            raise
        if wire.reusable:
            wires = self._kept.setdefault(target, deque(maxlen=_KEPT))
            if len(wires) == _KEPT:
                wires.popleft().drop()
            wires.append(wire)
        else:
            wire.drop()
        return response

    async def _connect(self, target: Target, deadline: float) -> _Wire:
        try:
            async with asyncio.timeout_at(deadline):
                return await self._reach(target)
        except TimeoutError:
            raise CallFailed("timed out connecting", unsure=False) from None
        except ssl.SSLError as error:
            raise CallFailed(f"TLS: {error.reason or error}", unsure=False) from error
        except (OSError, UnicodeError) as error:
            raise CallFailed(f"could not connect: {error}", unsure=False) from error

    async def _reach(self, target: Target) -> _Wire:
        """Connect to the first permitted address that takes the call."""
        loop = asyncio.get_running_loop()
        found = await _resolve(target)
        addresses = [address for address in found if permitted(address, target.networks)]
        if not addresses:
            reason = (
                f"{target.host} leads to {', '.join(found)}, which allowed_networks does not hold"
            )
            raise CallFailed(reason, unsure=False)
        failure: OSError | None = None
        for address in addresses:
            try:
                _, wire = await loop.create_connection(
                    _Wire,
                    address,
                    target.port,
                    ssl=self._context() if target.tls else None,
                    server_hostname=target.host if target.tls else None,
                )
            except OSError as error:  # ssl.SSLError is one
                failure = error
            else:
                return wire
        raise failure or OSError("no address")

    def _context(self) -> ssl.SSLContext:
        if self._tls is None:
            self._tls = ssl.create_default_context()
        return self._tls


async def _resolve(target: Target) -> list[str]:
    try:
        return [str(ipaddress.ip_address(target.host.partition("%")[0]))]
    except ValueError:
        pass
    loop = asyncio.get_running_loop()
    infos = await loop.getaddrinfo(target.host, target.port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(info[4][0]) for info in infos))


class _Wire(asyncio.Protocol):
    """One connection; one call at a time."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._transport: Any = None
        self._parser: Any = None
        self._answer: asyncio.Future[Response] | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._idle_since = clock.ticks()
        self._open = True
        self._begun = False
        self._fresh()

    def _fresh(self) -> None:
        self._headers: dict[str, str] = {}
        self._chunks: list[bytes] = []
        self._size = 0
        self._head_size = 0
        self._head_done = False
        self._unzip: Any = None
        self.reusable = False

    def usable(self, idle: float) -> bool:
        """Tell whether the next call may use it."""
        return self._open and clock.ticks() - self._idle_since < idle

    def drop(self) -> None:
        """Close at once."""
        if self._transport is not None:
            self._transport.abort()
        self._open = False

    async def send(self, data: bytes, deadline: float) -> Response:
        """Write a request and return its answer."""
        self._fresh()
        self._begun = False
        self._parser = httptools.HttpResponseParser(self)
        self._answer = self._loop.create_future()
        self._timer = self._loop.call_at(deadline, self._fail, "timed out waiting for the answer")
        try:
            self._transport.write(data)
            return await self._answer
        finally:
            self._timer.cancel()
            self._answer = None

    # What asyncio tells us.

    def connection_made(self, transport: Any) -> None:
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        if self._answer is None:  # nobody asked: not a connection to go on with
            self.drop()
            return
        self._begun = True
        if not self._head_done:
            self._head_size += len(data)
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserError as error:
            self._fail(f"not an HTTP answer: {error}")
        if not self._head_done and self._head_size > _HEAD_LIMIT:
            self._fail("its headers are longer than 64 KiB")

    def connection_lost(self, error: Exception | None) -> None:
        self._open = False
        if self._answer is None or self._answer.done():
            return
        if self._head_done and error is None and self._ends_with_connection():
            self._finish()
        elif self._begun:
            self._fail("the connection was cut in the middle of the answer")
        else:
            self._fail(_DROPPED)

    # What the parser tells us.

    def on_header(self, name: bytes, value: bytes) -> None:
        self._headers[name.decode("latin-1").lower()] = value.decode("latin-1")

    def on_headers_complete(self) -> None:
        self._head_done = True
        coding = self._headers.get("content-encoding", "").strip().lower()
        if coding in ("gzip", "x-gzip", "deflate"):
            self._unzip = zlib.decompressobj(wbits=47)
        elif coding not in ("", "identity"):
            self._fail(f"its content encoding {coding[:40]!r} is not known")

    def on_body(self, body: bytes) -> None:
        if not self._open:
            return
        if self._unzip is not None:
            try:
                body = self._unzip.decompress(body, REPLY_LIMIT + 1 - self._size)
            except zlib.error:
                self._fail("its compressed answer is damaged")
                return
        self._size += len(body)
        if self._size > REPLY_LIMIT:
            self._fail("its answer is longer than 1 MiB")
        else:
            self._chunks.append(body)

    def on_message_complete(self) -> None:
        if 100 <= self._parser.get_status_code() < 200:
            self._fresh()
        else:
            self.reusable = self._parser.should_keep_alive() and self._open
            self._finish()

    def _ends_with_connection(self) -> bool:
        return "content-length" not in self._headers and "transfer-encoding" not in self._headers

    def _finish(self) -> None:
        if self._unzip is not None and self._chunks and not self._unzip.eof:
            self._fail("its compressed answer is cut off")
        if self._answer is not None and not self._answer.done():
            self._idle_since = clock.ticks()
            status = self._parser.get_status_code()
            self._answer.set_result(Response(status, b"".join(self._chunks), self._headers))

    def _fail(self, reason: str) -> None:
        if self._answer is not None and not self._answer.done():
            self._answer.set_exception(CallFailed(reason, unsure=True))
            self.drop()


def _ascii(host: str) -> str:
    return host if host.isascii() else host.encode("idna").decode()


def _quoted(path: str) -> str:
    return quote(path, safe="%/:@!$&'()*+,;=~-._")

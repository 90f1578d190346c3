"""The console's own door: static files, who is there, where they may go, and the headers of every answer.

A plain ASGI layer around the Litestar application, so that no page can be reached past it.
"""

from __future__ import annotations

import hmac
import os
from http.cookies import CookieError, SimpleCookie
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from entrepot.console import assets, words
from entrepot.console import seat as seats
from entrepot.console.paths import parts_of

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    from entrepot.console.hub import Hub
    from entrepot.console.seat import Seat

    Scope = Mapping[str, Any]
    Receive = Callable[[], Awaitable[Mapping[str, Any]]]
    Send = Callable[[Mapping[str, Any]], Awaitable[None]]

OPEN = frozenset({"/sign-in", "/language"})
"""What may be asked without signing in."""
STAGES = {"code": "/sign-in/code", "enrol": "/sign-in/password"}
"""Where a session that is not complete must go first."""
_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; "
    "connect-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
)
_HEADERS = (
    (b"content-security-policy", _POLICY.encode()),
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"same-origin"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"permissions-policy", b"camera=(), microphone=(), geolocation=()"),
)


class Door:
    """Answers static files itself and lets signed-in people through to the pages."""

    def __init__(self, hub: Hub, pages: Any) -> None:
        self._hub = hub
        self._pages = pages
        self._local = hub.settings.only_local

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request; the ASGI entry."""
        path: str = scope["path"]
        headers = dict(scope["headers"])
        if path.startswith(assets.PREFIX):
            gzipped = b"gzip" in headers.get(b"accept-encoding", b"")
            await _reply(send, *assets.answer(path, gzipped=gzipped))
            return
        cookies = _cookies(headers)
        secure = is_secure(self._hub, scope)
        client = scope.get("client")
        found = None
        if cookie := cookies.get(cookie_name(secure=secure)):
            address = client[0] if client else ""
            found = await seats.find(self._hub, cookie, address=address, local=self._local)
        elsewhere = _elsewhere(path, found)
        if elsewhere is not None:
            await self._turn_away(scope, headers, elsewhere, send)
            return
        seat_token = seats.seat.set(found)
        accepted = headers.get(b"accept-language", b"").decode("latin-1")
        preferred = cookies.get("language") or (found.locale if found else None)
        locale_token = words.locale.set(words.chosen(preferred, accepted))
        try:
            await self._pages(scope, receive, _dressed(send, found, secure=secure))
        finally:
            seats.seat.reset(seat_token)
            words.locale.reset(locale_token)

    async def _turn_away(
        self, scope: Scope, headers: Mapping[bytes, bytes], to: str, send: Send
    ) -> None:
        """Send somebody to where they must go first, coming back afterwards."""
        if to == "/sign-in":
            wanted = scope["path"]
            if headers.get(b"hx-request"):
                wanted = parts_of(headers.get(b"hx-current-url", b"/").decode("latin-1")).path
            elif scope["query_string"]:
                wanted += "?" + scope["query_string"].decode("latin-1")
            if scope["method"] == "GET" and wanted != "/":
                to += "?next=" + quote(wanted, safe="/")
        if headers.get(b"hx-request"):
            await _reply(send, 200, [(b"hx-redirect", to.encode())], b"")
        else:
            await _reply(send, 303, [(b"location", to.encode()), *_HEADERS], b"")


def cookie_name(*, secure: bool) -> str:
    """Return the session cookie's name; over TLS it is bound to this host and path."""
    return "__Host-entrepot" if secure else "entrepot"


def set_cookie(name: str, value: str, *, secure: bool, seconds: int | None = None) -> str:
    """Return a Set-Cookie header's value; without ``seconds`` it ends with the browser."""
    parts = [f"{name}={value}", "Path=/", "HttpOnly", "SameSite=Lax"]
    if secure:
        parts.append("Secure")
    if seconds is not None:
        parts.append(f"Max-Age={seconds}")
    return "; ".join(parts)


def is_secure(hub: Hub, scope: Scope) -> bool:
    """Tell whether the browser speaks TLS to us, directly or by the public address we were told."""
    return scope.get("scheme") == "https" or hub.settings.url.startswith("https://")


def veiled(secret: str) -> str:
    """Return a CSRF token in a form that is new on every page, so that compression tells nothing of it."""
    plain = bytes.fromhex(secret)
    veil = os.urandom(len(plain))
    return (veil + bytes(a ^ b for a, b in zip(veil, plain, strict=True))).hex()


def unveiled_equals(given: str, secret: str) -> bool:
    """Tell whether a veiled token is the secret's."""
    try:
        both = bytes.fromhex(given)
    except ValueError:
        return False
    half = len(both) // 2
    if not both or len(both) % 2:
        return False
    plain = bytes(a ^ b for a, b in zip(both[:half], both[half:], strict=True))
    return hmac.compare_digest(plain, bytes.fromhex(secret))


def _elsewhere(path: str, found: Seat | None) -> str | None:
    """Return where this visitor must go instead, if not where they want."""
    if found is None:
        return None if path in OPEN else "/sign-in"
    goal = STAGES.get(found.stage)
    if goal is None:
        return "/" if path in ("/sign-in", *STAGES.values()) else None
    return None if path in (goal, "/sign-out", "/language") else goal


def _cookies(headers: Mapping[bytes, bytes]) -> dict[str, str]:
    jar: SimpleCookie = SimpleCookie()
    try:
        jar.load(headers.get(b"cookie", b"").decode("latin-1"))
    except CookieError:
        return {}
    return {name: morsel.value for name, morsel in jar.items()}


def _dressed(send: Send, found: Seat | None, *, secure: bool) -> Send:
    """Add the security headers, no caching, and the cookie of a rotated session."""

    async def dressed(message: Mapping[str, Any]) -> None:
        if message["type"] == "http.response.start":
            headers = [*message.get("headers", ()), *_HEADERS]
            if not any(name == b"cache-control" for name, _ in headers):
                headers.append((b"cache-control", b"no-store"))
            if secure:
                headers.append((b"strict-transport-security", b"max-age=31536000"))
            if found is not None and found.token is not None:
                value = seats.cookie_of(found.tenant_id, found.session_id, found.token)
                cookie = set_cookie(cookie_name(secure=secure), value, secure=secure)
                if not any(
                    n == b"set-cookie" and cookie_name(secure=secure).encode() in v
                    for n, v in headers
                ):
                    headers.append((b"set-cookie", cookie.encode()))
            message = {**message, "headers": headers}
        await send(message)

    return dressed


async def _reply(send: Send, status: int, headers: list[tuple[bytes, bytes]], body: bytes) -> None:
    length = (b"content-length", str(len(body)).encode())
    await send({"type": "http.response.start", "status": status, "headers": [*headers, length]})
    await send({"type": "http.response.body", "body": body})

"""One request of a person: what they asked, who they are, and the ways to answer.

``get`` and ``post`` make a page function into a Litestar handler that needs a right.
"""

from __future__ import annotations

import base64
import gzip
import hmac
import json
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal
from urllib.parse import urlencode

from litestar import Request, Response
from litestar.datastructures import UploadFile
from litestar.handlers import HTTPRouteHandler

from entrepot.console import door, paths, refusals, render
from entrepot.console.attention import queue
from entrepot.console.seat import seat
from entrepot.errors import BadInput, Missing, NotAllowed, Refused

if TYPE_CHECKING:
    from contextlib import AbstractAsyncContextManager

    from entrepot.console.hub import Hub
    from entrepot.console.seat import Seat
    from entrepot.db import Row, Tx

Method = Literal["GET", "POST"]
Path = str | tuple[str, ...]
Page = Callable[["Visit"], Awaitable[Response[Any]]]
_FLASH = "said"
_WORTH_PACKING = 700
_STATUS: Mapping[type[Refused], int] = {BadInput: 400, NotAllowed: 403, Missing: 404}


class Query(dict[str, str]):
    """The address's query; what is not there is ``""``, so that templates may just ask."""

    def __missing__(self, name: str) -> str:
        return ""


class Visit:
    """What a page function gets."""

    def __init__(self, request: Request[Any, Any, Any]) -> None:
        self.request = request
        self.hub: Hub = request.app.state.hub
        self.query = Query(request.query_params.items())
        self.path: Mapping[str, Any] = request.path_params
        self.htmx = request.headers.get("hx-request") == "true"
        self.form: Mapping[str, str] = {}
        self.files: Mapping[str, UploadFile] = {}
        self.saved: Sequence[Row] = ()

    @property
    def seat(self) -> Seat:
        """The person; pages that need no sign-in must not ask."""
        found = seat.get()
        if found is None:
            raise NotAllowed("not_allowed")
        return found

    @property
    def who(self) -> str:
        """How this person is written down in logs of documents."""
        return self.seat.name or self.seat.login

    def need(self, right: str) -> None:
        """Raise NotAllowed where the person lacks a right; ``""`` is everyone's."""
        if right and not self.seat.may(right):
            raise NotAllowed("not_allowed", f"Needs the right {right}.")

    def reading(self) -> AbstractAsyncContextManager[Tx]:
        """Open reading statements of this person's tenant."""
        return self.hub.db.reading(self.seat.tenant_id)

    def transaction(self) -> AbstractAsyncContextManager[Tx]:
        """Open a transaction of this person's tenant."""
        return self.hub.db.transaction(self.seat.tenant_id)

    async def do(self, flow: Any, command: object) -> Any:
        """Run one command of a flow; returns after the commit, raises its refusal."""
        return await self.hub.together.do(flow, self.seat.tenant_id, command)

    async def read_form(self) -> None:
        """Read the body's fields and check that the form is ours."""
        data = await self.request.form()
        self.form = {name: value for name, value in data.items() if isinstance(value, str)}
        self.files = {n: value for n, value in data.items() if isinstance(value, UploadFile)}
        given = self.request.headers.get("x-csrf-token") or self.form.get("_csrf", "")
        found = seat.get()
        if found is not None and not door.unveiled_equals(given, found.csrf):
            raise NotAllowed("form_expired")

    def reason(self) -> str:
        """Return the form's reason; raises BadInput where there is none."""
        reason = self.form.get("reason", "").strip()
        if not reason:
            raise BadInput("reason_missing", path="reason")
        return reason

    def connections(self) -> list[tuple[str, str]]:
        """Return (name, name) of this tenant's connections, for a filter."""
        names = (c.partner.name for c in self.hub.registry.of(self.seat.tenant_id))
        return [(name, name) for name in sorted(names)]

    def connection_id(self, field: str) -> int | None:
        """Return the id of the connection a filter names; 0: the hub's own; None: no such filter."""
        name = self.query.get(field)
        if not name:
            return None
        known = self.hub.registry.of(self.seat.tenant_id)
        return next(
            (c.partner.id for c in known if c.partner.name == name), 0 if name == "-" else -1
        )

    def show(self, template: str, *, status: int = 200, **context: Any) -> Response[bytes]:
        """Answer with a page (or, asked by htmx, its part)."""
        said = None
        if not self.htmx or "hx-boosted" in self.request.headers or self.wants_main:
            said = self._said()
        context |= {"visit": self, "said": said, "htmx": self.htmx}
        body = render.page(template, context).encode()
        response = self._packed(body, "text/html; charset=utf-8", status)
        if said is not None:
            self.keep(response, _FLASH, "", 0)
        return response

    def keep(
        self, response: Response[Any], name: str, value: str, seconds: int | None = None
    ) -> None:
        """Set a cookie that scripts cannot read."""
        secure = door.is_secure(self.hub, self.request.scope)
        response.set_cookie(
            name, value, max_age=seconds, path="/", secure=secure, httponly=True, samesite="lax"
        )

    def data(self, value: object) -> Response[bytes]:
        """Answer with JSON, for charts."""
        body = json.dumps(value, ensure_ascii=False).encode()
        return self._packed(body, "application/json", 200)

    def nothing(self) -> Response[bytes]:
        """Answer that nothing is new; htmx leaves the page as it is."""
        return Response(content=b"", status_code=204)

    def go(self, to: str, said: str = "", *, bad: bool = False) -> Response[bytes]:
        """Go to another page, saying something there once; the same page is only drawn anew."""
        response: Response[bytes]
        here = paths.parts_of(self.request.headers.get("hx-current-url", "")).path
        if self.htmx and not (self.wants_main and paths.parts_of(to).path == here):
            response = Response(content=b"", headers={"hx-redirect": to})
        else:
            response = Response(content=b"", status_code=303, headers={"location": to})
        if said:
            self.keep(response, _FLASH, self._signed(said, bad=bad), 60)
        return response

    def refused(self, refusal: Refused) -> Response[bytes]:
        """Answer a refusal: beside the form, on the page the form was on, or as a page of its own."""
        sentence = refusals.sentence(refusal)
        if self.request.method == "GET":
            return self.show(
                "error.html", status=_STATUS.get(type(refusal), 409), sentence=sentence
            )
        denied = refusal.code == "not_allowed"
        if self.htmx and not self.wants_main:
            status = 403 if denied else 422
            return self.show("said.html", status=status, sentence=sentence, field=refusal.path)
        if denied:
            return self.show("error.html", status=403, sentence=sentence)
        return self.back(sentence, bad=True)

    def missing(self, sentence: str) -> Response[bytes]:
        """Answer that nothing is at this address, whatever was to be done there."""
        return self.show("error.html", status=404, sentence=sentence)

    def back(self, said: str = "", *, bad: bool = False, otherwise: str = "/") -> Response[bytes]:
        """Go back to where the form was."""
        headers = self.request.headers
        asked = self.form.get("_back", ""), headers.get("hx-current-url"), headers.get("referer")
        parts = paths.parts_of(next((address for address in asked if address), ""))
        path = parts.path + (f"?{parts.query}" if parts.query else "")
        if not path.startswith("/") or path.startswith(("//", "/\\")):
            path = otherwise
        return self.go(path, said, bad=bad)

    @property
    def wants_main(self) -> bool:
        """Whether the main part of a page is to be drawn anew, not the whole page."""
        return self.request.headers.get("hx-target", "").endswith("#main")

    @property
    def here(self) -> str:
        """This page's own address."""
        url = self.request.url
        return url.path + (f"?{url.query}" if url.query else "")

    @property
    def filtered(self) -> str:
        """The filters of this list as a query, without its page; ``""``: none."""
        kept = {k: v for k, v in self.query.items() if v and k not in ("before", "page")}
        return urlencode(kept)

    def paged(self, page: int) -> str:
        """Return this list's address at another page, for lists that have numbered ones."""
        kept = {k: v for k, v in self.query.items() if v and k != "page"}
        return f"{self.request.url.path}?{urlencode(kept | {'page': str(page)})}"

    @property
    def section(self) -> str:
        """The address of the part of the console this page belongs to."""
        return "/" + self.request.url.path.split("/")[1]

    attention = 0

    @property
    def theme(self) -> str:
        """``light``, ``dark`` or ``""``: as the system has it."""
        chosen = self.request.cookies.get("theme", "")
        return chosen if chosen in ("light", "dark") else ""

    def _packed(self, body: bytes, media_type: str, status: int) -> Response[bytes]:
        headers = {"vary": "accept-encoding"}
        accepted = self.request.headers.get("accept-encoding", "")
        if len(body) > _WORTH_PACKING and "gzip" in accepted:
            body = gzip.compress(body, 5, mtime=0)
            headers["content-encoding"] = "gzip"
        return Response(content=body, media_type=media_type, status_code=status, headers=headers)

    def _signed(self, text: str, *, bad: bool) -> str:
        plain = json.dumps([text[:600], bad], ensure_ascii=False)
        mark = self.hub.vault.fingerprint("said " + plain)
        return base64.urlsafe_b64encode(mark + plain.encode()).decode().rstrip("=")

    def _said(self) -> tuple[str, bool] | None:
        """Return what the last page wanted said here: (text, whether it is bad news)."""
        packed = self.request.cookies.get(_FLASH)
        if not packed:
            return None
        try:
            raw = base64.urlsafe_b64decode(packed + "=" * (-len(packed) % 4))
            plain = raw[16:].decode()
            if not hmac.compare_digest(raw[:16], self.hub.vault.fingerprint("said " + plain)):
                return None
            text, bad = json.loads(plain)
        except ValueError:
            return None
        return str(text), bool(bad)


def get(path: Path, right: str = "") -> Callable[[Page], HTTPRouteHandler]:
    """Make a function the page at ``path``, for those with a right (``""``: everyone signed in)."""
    return _handler("GET", path, right)


def post(path: Path, right: str = "") -> Callable[[Page], HTTPRouteHandler]:
    """Make a function the act behind the forms of ``path``; the form is read and checked before."""
    return _handler("POST", path, right)


def _handler(method: Method, path: Path, right: str) -> Callable[[Page], HTTPRouteHandler]:
    patterns = (path,) if isinstance(path, str) else path
    chosen = {one: names for pattern in patterns for one, names in paths.spread(pattern).items()}
    by_template = {paths.untyped(one): names for one, names in chosen.items()}

    def made(page: Page) -> HTTPRouteHandler:
        async def handle(request: Request[Any, Any, Any]) -> Response[Any]:
            visit = Visit(request)
            visit.path = {**visit.path, **by_template[request.scope["path_template"]]}
            try:
                if method == "POST":
                    await visit.read_form()
                visit.need(right)
                found = seat.get()
                if method == "GET" and found is not None and found.stage == "full":
                    visit.attention = await queue.total(visit.hub, found.tenant_id)
                response = await page(visit)
                if method == "POST" and found is not None:
                    queue.forget(found.tenant_id)
                return response
            except Refused as refusal:
                return visit.refused(refusal)

        handle.__doc__ = page.__doc__
        handle.__name__ = page.__name__
        handler = HTTPRouteHandler(
            list(chosen),
            http_method=method,
            name=f"{page.__module__}.{page.__name__}",
            opt={"right": right},
        )
        return handler(handle)

    return made

"""The one door for partners: key → connection, credentials, limits, decode, verb, answer, record.

A small ASGI app beside the web framework, because partners' traffic is what the hub exists for. It
knows no dialect: a role's table says which handler a path has and how refusals are worded.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import structlog
from msgspec import structs

from entrepot import clock, decode, ids, metrics, tracing
from entrepot.connections.rules import accepts
from entrepot.dialect import Call, Problem, Reply, Role, Route
from entrepot.errors import BadInput, Refused
from entrepot.patience import Patience

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    from entrepot.connections.exchanges import Recorder
    from entrepot.connections.registry import Registry
    from entrepot.connections.rules import Connection
    from entrepot.db import Database
    from entrepot.together import Together
    from entrepot.vault import Vault

    Scope = Mapping[str, Any]
    Receive = Callable[[], Awaitable[Mapping[str, Any]]]
    Send = Callable[[Mapping[str, Any]], Awaitable[None]]

PREFIX = "/c/"
_NOWHERE = Reply(b"", 404)
_KEPT = 64 * 1024
_BOM = b"\xef\xbb\xbf"
_FORM = b"application/x-www-form-urlencoded"
_log = structlog.get_logger()


class Table:
    """A role's routes, ready to be looked up."""

    def __init__(self, role: Role) -> None:
        self._fixed: dict[str, dict[str, Route]] = {}
        self._patterns: list[tuple[re.Pattern[str], dict[str, Route]]] = []
        self._readers: dict[int, decode.Reader] = {}
        for route in role.routes:
            self._methods(route.path)[route.method] = route
            if route.body is not None:
                self._readers[id(route)] = decode.Reader(route.body)

    def find(self, method: str, path: str) -> tuple[Route, Mapping[str, str]] | Problem:
        """Return the route and the values in its path, or what HTTP says of it."""
        methods, values = self._fixed.get(path), {}
        if methods is None:
            for pattern, candidates in self._patterns:
                if hit := pattern.fullmatch(path):
                    methods, values = candidates, hit.groupdict()
                    break
        if methods is None:
            return Problem("unknown_path", "接口不存在", status=404)
        route = methods.get(method)
        if route is None:
            return Problem("wrong_method", "请求方法不支持", status=405)
        return route, values

    def read(self, route: Route, raw: bytes) -> Any:
        """Return the decoded body; raises BadInput."""
        if route.body is None or (route.optional_body and not raw.strip()):
            return None
        return self._readers[id(route)].read(raw)

    def unfolded(self, route: Route, raw: bytes, content_type: bytes) -> bytes:
        """Return a form as JSON, where the route takes forms; raises BadInput.

        JSON is told by its first character, since partners send it under any Content-Type.
        """
        if not route.form or not content_type.lower().startswith(_FORM):
            return raw
        start = raw.removeprefix(_BOM).lstrip()[:1]
        json = start in (b"", b"{", b"[", b'"')
        return raw if json else self._readers[id(route)].unfolded(raw)

    def _methods(self, path: str) -> dict[str, Route]:
        if "{" not in path:
            return self._fixed.setdefault(path, {})
        pattern = re.compile(re.sub(r"\\\{(\w+)\\\}", r"(?P<\1>[^/]+)", re.escape(path)))
        for known, methods in self._patterns:
            if known.pattern == pattern.pattern:
                return methods
        self._patterns.append((pattern, {}))
        return self._patterns[-1][1]


class _Line:
    """What the requests of one connection share, as long as it does not change."""

    __slots__ = ("ask", "connection", "do", "secrets", "surface", "table")

    def __init__(self, connection: Connection, table: Table, together: Together) -> None:
        partner = connection.partner
        tenant_id = partner.tenant_id
        self.connection = connection
        self.table = table
        self.surface = f"{partner.dialect} {partner.role}"
        # Those of a rotation's overlap end with time, so that they are asked for at each request.
        lasting = all(known.expires_at is None for known in connection.generations)
        self.secrets = connection.secrets(clock.now()) if lasting else None
        self.do = lambda flow, command: together.do(flow, tenant_id, command)
        self.ask = lambda flow, command: together.ask(flow, tenant_id, command)


class Gateway:
    """Answers everything below ``/c/{key}``."""

    def __init__(
        self,
        db: Database,
        registry: Registry,
        together: Together,
        recorder: Recorder,
        vault: Vault,
        *,
        body_limit: int,
        read_timeout: float,
    ) -> None:
        self._db = db
        self._registry = registry
        self._together = together
        self._recorder = recorder
        self._vault = vault
        self._body_limit = body_limit
        self._patience = Patience(read_timeout)
        self._tables: dict[int, Table] = {}
        self._lines: dict[int, _Line] = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request; the ASGI entry."""
        started = clock.ticks()
        key, slash, rest = scope["path"][len(PREFIX) :].partition("/")
        connection = self._registry.called(key)
        if connection is None:
            await _send(send, _NOWHERE)
            return
        line, method, path = self._line(connection), scope["method"], slash + rest
        headers = dict(scope["headers"])
        raw, problem = await self._body(headers, receive)
        call = self._call(line, scope, headers, raw)
        found = line.table.find(method, path)
        reply = await self._answer(line, call, found, problem, scope)
        kept = await _send(send, reply, call.id)
        partner, taken = connection.partner, clock.ticks() - started
        route = "other" if isinstance(found, Problem) else f"{method} {found[0].path}"
        document = decode.kept(call.document)
        metrics.request(line.surface, route, reply.status, taken)
        if tracing.on():
            tracing.ended(
                *("server", f"{partner.dialect} {route}", taken),
                tenant_id=partner.tenant_id,
                document=document,
                caller=headers.get(b"traceparent", b"").decode("latin-1"),
                failed=reply.status >= 500,
                status=reply.status,
                connection=partner.name,
            )
        self._recorder.record(
            partner.tenant_id,
            partner.id,
            "in",
            id=call.id,
            method=method,
            path=decode.kept(f"{path}?{call.query}" if call.query else path),
            status=reply.status,
            refused=reply.refused,
            seconds=taken,
            request=raw,
            reply=kept,
            document=document,
            also=call.also,
        )
        await self._recorder.room()

    def _line(self, connection: Connection) -> _Line:
        """Return what requests of a connection share; made anew when the connection has changed."""
        line = self._lines.get(connection.partner.id)
        if line is None or line.connection is not connection:
            role = connection.role
            table = self._tables.get(id(role))
            if table is None:
                table = self._tables[id(role)] = Table(role)
            line = _Line(connection, table, self._together)
            self._lines[connection.partner.id] = line
        return line

    def _call(self, line: _Line, scope: Scope, headers: dict[bytes, bytes], raw: bytes) -> Call:
        connection = line.connection
        return Call(
            id=ids.new(),
            partner=connection.partner,
            do=line.do,
            ask=line.ask,
            seal=self._vault.seal,
            fingerprint=self._vault.fingerprint,
            raw=raw,
            query=scope["query_string"].decode("latin-1"),
            headers=headers,
            secrets=line.secrets or connection.secrets(clock.now()),
            db=self._db,
        )

    async def _answer(
        self,
        line: _Line,
        call: Call,
        found: tuple[Route, Mapping[str, str]] | Problem,
        problem: Problem | None,
        scope: Scope,
    ) -> Reply:
        role: Role = line.connection.role
        problem = self._stopped(line.connection, call, scope) or problem
        if problem is not None:
            return _refused(role, problem)
        if isinstance(found, Problem):
            return _refused(role, found)
        route, values = found
        try:
            if role.admit is not None:
                await role.admit(call)
            call.path = {name: _segment(value) for name, value in values.items()}
            content_type = call.headers.get(b"content-type", b"")
            call.raw = line.table.unfolded(route, call.raw, content_type)
            call.body = line.table.read(route, call.raw)
            return await route.handler(call)
        except Refused as refusal:
            number = call.path.get(route.number) or decode.glimpse(call.raw, route.number)
            call.document = call.document or number
            return _refused(role, Problem.of(refusal))
        except Exception:  # noqa: BLE001 - a partner gets an envelope whatever breaks
            _log.exception(
                "gateway.failed",
                connection=call.partner.name,
                path=route.path,
                request=call.id,
            )
            return _refused(role, Problem("internal", "系统繁忙，请稍后重试", status=500))

    def _stopped(self, connection: Connection, call: Call, scope: Scope) -> Problem | None:
        """Return why this caller may not come in, if so."""
        client = scope.get("client")
        if not connection.admits(client[0] if client else ""):
            return Problem("forbidden", "来源地址不允许", status=403)
        if connection.role.own_auth:
            return None
        given = call.headers.get(b"authorization", b"").decode("latin-1")
        kind, _, token = given.partition(" ")
        presented = token.strip() if kind.lower() == "bearer" else None
        if not accepts(call.secrets, presented):
            return Problem("unauthorized", "身份验证失败", status=401)
        return None

    async def _body(
        self, headers: dict[bytes, bytes], receive: Receive
    ) -> tuple[bytes, Problem | None]:
        """Read the body within its size and time limits; one that came whole is not waited on."""
        chunks: list[bytes] = []
        size = 0
        try:
            with self._patience.limit():
                while True:
                    message = await receive()
                    if message["type"] == "http.disconnect":
                        return _kept(chunks), Problem("cut_off", "请求未完整送达", status=400)
                    chunks.append(message.get("body", b""))
                    size += len(chunks[-1])
                    if size > self._body_limit:
                        return _kept(chunks), Problem("too_large", "请求体过大", status=413)
                    if (
                        not message.get("more_body")
                        or headers.get(b"content-length") == b"%d" % size
                    ):
                        return chunks[0] if len(chunks) == 1 else b"".join(chunks), None
        except TimeoutError:
            return _kept(chunks), Problem("too_slow", "请求超时", status=408)


def _refused(role: Role, problem: Problem) -> Reply:
    return structs.replace(role.render(problem), refused=True)


def _segment(value: str) -> str:
    if not decode.storable(value):
        raise BadInput("bad_character", "路径含有非法字符")
    return value


def _kept(chunks: list[bytes]) -> bytes:
    """Return as much of a refused body as is recorded."""
    return b"".join(chunks)[:_KEPT]


async def _send(send: Send, reply: Reply, request_id: int = 0) -> bytes:
    """Send a reply; return what is kept of its body."""
    body = reply.body
    headers = [*reply.headers]
    if request_id:
        headers.append((b"x-request-id", b"%d" % request_id))
    if isinstance(body, bytes):
        headers.append((b"content-length", b"%d" % len(body)))
        await send({"type": "http.response.start", "status": reply.status, "headers": headers})
        await send({"type": "http.response.body", "body": body})
        return body
    await send({"type": "http.response.start", "status": reply.status, "headers": headers})
    kept = b""
    async for chunk in body:
        if len(kept) < _KEPT:
            kept += chunk
        await send({"type": "http.response.body", "body": chunk, "more_body": True})
    await send({"type": "http.response.body", "body": b""})
    return kept

"""The door of the native API: who comes in, which operation it is, what is answered.

A plain ASGI app: path → token → limits → operation → arguments → one transaction → reply. Whatever
goes wrong becomes a problem document; nothing that can be sent becomes a 5xx.
"""

from __future__ import annotations

import hashlib
from functools import cached_property
from typing import TYPE_CHECKING, Any, cast

import structlog

from entrepot import clock, decode, ids, metrics, tracing
from entrepot.api import access, answer, docs, nouns, once, problems
from entrepot.api.answer import Answer
from entrepot.api.desk import Caller, Desk, Hub
from entrepot.api.operation import Created
from entrepot.api.problems import Stopped
from entrepot.api.table import Table
from entrepot.db import queries
from entrepot.errors import NotAllowed, Refused
from entrepot.patience import Patience
from entrepot.people import tokens

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    from entrepot.api.operation import Operation
    from entrepot.db import Tx

    Scope = Mapping[str, Any]
    Receive = Callable[[], Awaitable[Mapping[str, Any]]]
    Send = Callable[[Mapping[str, Any]], Awaitable[None]]

PREFIX = "/api/v1"
_TRACED = 50  # documents of a batch whose traces are told of it
_q = queries(__package__)
_log = structlog.get_logger()


def create_app(hub: Hub) -> Api:
    """Return the ASGI application that answers everything below ``/api``."""
    return Api(hub)


class Api:
    """Answers everything below ``/api``; its operations are read when the first request comes."""

    def __init__(self, hub: Hub) -> None:
        self._hub = hub
        self._patience = Patience(hub.settings.read_timeout)

    @cached_property
    def _parts(self) -> tuple[Table, docs.Docs]:
        operations = nouns.operations()
        return Table(operations), docs.Docs(PREFIX, operations)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request; the ASGI entry."""
        request_id = str(ids.new())
        started = clock.ticks()
        limits: dict[str, str] = {}
        trail = _Trail()
        try:
            reply = await self._answer(scope, receive, limits, trail)
        except Stopped as stopped:
            reply = answer.of_problem(stopped.problem, stopped.headers)
        except Refused as refusal:
            reply = answer.of_problem(problems.of(refusal))
        except Exception as error:  # noqa: BLE001 - a caller gets a problem document whatever breaks
            _log.exception("api.failed", path=scope["path"], request=request_id)
            reply = answer.of_problem(problems.of_fault(error))
        trail.end(reply.status, clock.ticks() - started, scope)
        await _send(
            send, reply.with_headers({**limits, "x-request-id": request_id}), scope["method"]
        )

    async def _answer(
        self, scope: Scope, receive: Receive, limits: dict[str, str], trail: _Trail
    ) -> Answer:
        path: str = scope["path"]
        query = scope["query_string"].decode("latin-1")
        headers = {
            name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]
        }
        if not decode.storable(path):
            raise Stopped(400, "bad_character", "The path holds a character that no name here has.")
        method = "GET" if scope["method"] == "HEAD" else scope["method"]
        table, pages = self._parts
        if (page := pages.page(path, method, headers)) is not None:
            return page
        caller = await self._caller(headers.get("authorization", ""), limits)
        operation, values = table.find(method, path.removeprefix(PREFIX))
        desk = Desk(hub=self._hub, caller=caller)
        trail.operation, trail.desk = operation.name, desk
        desk.require(operation.scope)
        raw = await self._body(receive) if method != "GET" else b""
        if operation.body is not None:
            _check_encoding(headers)
        arguments = operation.arguments(values, query, raw)
        if method == "GET":
            async with self._hub.db.reading(caller.tenant_id) as tx:
                return await _shown(operation, tx, desk, arguments, headers)
        reply = await self._write(
            operation, desk, arguments, headers, f"{method} {path}?{query}", raw
        )
        if operation.reloads:
            await self._hub.registry.load()
        return reply

    async def _caller(self, header: str, limits: dict[str, str]) -> Caller:
        """Return who holds the token shown; raises Stopped for nobody, and for who calls too often."""
        kind, _, token = header.partition(" ")
        found = tokens.tenant_of(token.strip()) if kind.lower() == "bearer" else None
        if found is None or found[0] not in self._hub.registry.tenants:
            raise _stranger()
        try:
            caller = cast("Caller", await self._hub.together.do(access.admit, *found))
        except NotAllowed:
            raise _stranger() from None
        if caller.limit:
            left = access.WINDOW - int(clock.now().timestamp()) % access.WINDOW
            limits["ratelimit-limit"] = str(caller.limit)
            limits["ratelimit-remaining"] = str(max(caller.limit - caller.used, 0))
            limits["ratelimit-reset"] = str(left)
            if caller.used > caller.limit:
                text = f"This token may call {caller.limit} times a minute."
                raise Stopped(429, "too_many_calls", text, Retry_After=str(left))
        return caller

    async def _write(
        self,
        operation: Operation,
        desk: Desk,
        arguments: dict[str, Any],
        headers: Mapping[str, str],
        target: str,
        raw: bytes,
    ) -> Answer:
        async def work(tx: Tx) -> Answer:
            if (wanted := headers.get("if-match")) and operation.of is not None:
                await _compare(operation.of, tx, desk, arguments, wanted)
            return await _done(operation, tx, desk, arguments)

        tenant_id, vault = desk.caller.tenant_id, self._hub.vault
        if (key := headers.get("idempotency-key")) is None:
            return await self._hub.db.run(tenant_id, work)
        claim = once.Claim(
            token_id=desk.caller.token_id,
            key=once.checked(key),
            digest=hashlib.sha256(f"{target}\n".encode() + raw).digest(),
        )
        return await self._hub.db.run(tenant_id, lambda tx: once.once(tx, vault, claim, work))

    async def _body(self, receive: Receive) -> bytes:
        """Read the body within its size and time limits."""
        settings, body, more = self._hub.settings, b"", True
        try:
            with self._patience.limit():
                chunks, size = [], 0
                while more:
                    message = await receive()
                    chunks.append(message.get("body", b""))
                    more = message.get("more_body", False)
                    size += len(chunks[-1])
                    if size > settings.body_limit:
                        text = f"A body may have {settings.body_limit} bytes."
                        raise Stopped(413, "too_large", text)
                body = b"".join(chunks)
        except TimeoutError:
            raise Stopped(408, "too_slow", "The body did not arrive in time.") from None
        return body


class _Trail:
    """What is known of a request for counting and tracing it."""

    def __init__(self) -> None:
        self.operation = "other"
        self.desk: Desk | None = None

    def end(self, status: int, seconds: float, scope: Scope) -> None:
        """Count the request, and add it to the traces of the documents it was about."""
        metrics.request("api", self.operation, status, seconds)
        if self.desk is None:
            return
        parent = next((value for name, value in scope["headers"] if name == b"traceparent"), b"")
        for document in self.desk.documents[:_TRACED] or [""]:
            tracing.ended(
                *("server", f"api {self.operation}", seconds),
                tenant_id=self.desk.caller.tenant_id,
                document=document,
                caller=parent.decode("latin-1"),
                failed=status >= 500,
                status=status,
            )


async def _shown(
    operation: Operation,
    tx: Tx,
    desk: Desk,
    arguments: dict[str, Any],
    headers: Mapping[str, str],
) -> Answer:
    """Answer a reading operation; a document that the caller has already is not sent again."""
    reply = await _done(operation, tx, desk, arguments)
    etag = reply.headers.get("etag")
    if etag and answer.matches(headers.get("if-none-match", ""), etag):
        return Answer(status=304, headers={"etag": etag})
    return reply


async def _done(operation: Operation, tx: Tx, desk: Desk, arguments: dict[str, Any]) -> Answer:
    """Run an operation and encode its reply."""
    content = await operation.handler(tx, desk, **arguments)
    headers, status = {}, operation.status
    if isinstance(content, Created):
        headers["location"] = PREFIX + content.location
        content = content.content
    if operation.several and any(one.status >= 400 for one in content.outcomes):
        status = 207
    reply = answer.of(content, status, headers)
    return reply.with_headers({"etag": answer.tag(reply.body)}) if operation.tagged else reply


async def _compare(
    shown: Operation, tx: Tx, desk: Desk, arguments: Mapping[str, Any], wanted: str
) -> None:
    """Refuse (412) where the document is not the one that the caller saw."""
    named = {name: arguments[name] for name in shown.places}
    await tx.rows(_q.queue_up, f"{shown.path}:{sorted(named.items())}")
    present = await _done(shown, tx, desk, named)
    if not answer.matches(wanted, present.headers["etag"]):
        text = "The document has changed since you read it; read it again."
        raise Stopped(412, "changed_since", text, path="If-Match")


def _check_encoding(headers: Mapping[str, str]) -> None:
    """Refuse a compressed body. Any Content-Type will do: what comes is read as JSON."""
    if headers.get("content-encoding", "identity").lower() != "identity":
        raise Stopped(415, "compressed", "Send the body as it is, not compressed.")


def _stranger() -> Stopped:
    text = (
        "Show a valid token: Authorization: Bearer ent_… (entrepot tokens create NAME --scope S)."
    )
    return Stopped(401, "unauthorized", text, WWW_Authenticate='Bearer realm="entrepot"')


async def _send(send: Send, reply: Answer, method: str) -> None:
    headers = [
        (name.lower().encode(), value.encode("latin-1")) for name, value in reply.headers.items()
    ]
    headers += [(b"content-length", str(len(reply.body)).encode())] if reply.status != 304 else []
    await send({"type": "http.response.start", "status": reply.status, "headers": headers})
    await send({"type": "http.response.body", "body": b"" if method == "HEAD" else reply.body})

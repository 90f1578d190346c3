"""The OpenAPI document of the native API, made of its operations."""

from __future__ import annotations

import inspect
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from entrepot import __version__, openapi
from entrepot.api import events
from entrepot.api.answer import Octets
from entrepot.api.problems import Problem

if TYPE_CHECKING:
    from entrepot.api.operation import Operation

_PROBLEMS = {
    400: "The request does not decode; `path` names the place.",
    401: "No valid token.",
    403: "The token lacks the scope.",
    404: "There is no such thing.",
    408: "The body did not arrive in time.",
    409: "Its state does not allow this, or the first request with this key is still at work.",
    412: "It has changed since you read it.",
    413: "The body is too large.",
    415: "The body is compressed.",
    422: "The request is understood and cannot be fulfilled; `code` says why.",
    429: "Too many calls; `Retry-After` says when to go on.",
}
_FAULT = "Our own fault or a pause in our service; nothing was changed. Try again."
_KEY = {
    "name": "Idempotency-Key",
    "in": "header",
    "required": False,
    "description": (
        "Makes it safe to send this request again: it is done once, and answered alike for 24 hours."
    ),
    "schema": {"type": "string", "pattern": "^[\\x21-\\x7e]{1,255}$"},
}
_LIMITS = {
    "RateLimit-Limit": "Calls this token may make a minute.",
    "RateLimit-Remaining": "Calls left in this minute.",
    "RateLimit-Reset": "Seconds until the next minute begins.",
}
_FILES: dict[Any, dict[str, Any]] = {
    bytes: {"text/csv": {"schema": {"type": "string"}}},
    Octets: {"application/octet-stream": {}},
}
_ABOUT = """\
Everything the hub does, for programs. Ids are text (they exceed what JavaScript counts exactly); amounts and
weights are exact decimal numbers; times are ISO 8601 in UTC. Lists come in pages: ask with `after` for the
page behind `next`. What is created or moved is sent as a batch, done in one transaction, and answered item by
item: 207 where some were refused. Errors are `application/problem+json` with a stable `code`. An
`Idempotency-Key` makes any write safe to send again; `If-Match` makes it one of what you have seen. Subscribe
at `/webhooks` to be called when something happens: what with stands under Webhooks below."""


def document(operations: tuple[Operation, ...], prefix: str) -> dict[str, Any]:
    """Return the document; ``prefix`` is the path of the server entry."""
    bodies = [o.body for o in operations if o.body is not None and not o.raw]
    replies = [o.reply for o in operations if o.reply not in _FILES]
    schemas = openapi.Schemas(bodies, [*replies, Problem])
    paths: dict[str, dict[str, Any]] = {}
    for operation in operations:
        entry = _operation(operation, schemas)
        paths.setdefault(operation.path, {})[operation.method.lower()] = entry
    problem = {"application/problem+json": {"schema": schemas.of(Problem)}}
    refusals = {
        str(status): {"description": text, "content": problem} for status, text in _PROBLEMS.items()
    }
    return {
        "openapi": openapi.VERSION,
        "info": {"title": "Entrepot", "version": __version__, "description": _ABOUT},
        "servers": [{"url": prefix}],
        "tags": [{"name": noun} for noun in sorted({operation.noun for operation in operations})],
        "paths": dict(sorted(paths.items())),
        "webhooks": events.described(schemas),
        "components": {
            "schemas": schemas.components,
            "responses": refusals | {"fault": {"description": _FAULT, "content": problem}},
            "headers": {
                name: {"description": text, "schema": {"type": "integer"}}
                for name, text in _LIMITS.items()
            },
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}},
        },
    }


def _operation(operation: Operation, schemas: openapi.Schemas) -> dict[str, Any]:
    summary, _, rest = inspect.cleandoc(operation.handler.__doc__ or "").partition("\n")
    entry: dict[str, Any] = {
        "operationId": operation.name,
        "tags": [operation.noun],
        "summary": summary.rstrip(".").replace("`", ""),
        "security": [{"token": [operation.scope]}],
    }
    if rest.strip():
        entry["description"] = rest.strip().replace("``", "`")
    if places := _parameters(operation):
        entry["parameters"] = places
    if operation.body is not None:
        content: dict[str, Any] = {"application/octet-stream": {}}
        if not operation.raw:
            content = {"application/json": {"schema": schemas.of(operation.body)}}
        entry["requestBody"] = {"required": True, "content": content}
    entry["responses"] = _responses(operation, schemas)
    return entry


def _parameters(operation: Operation) -> list[dict[str, Any]]:
    found = openapi.path_parameters(operation.path, operation.places)
    if operation.query is not None:
        found += openapi.parameters(operation.query, "query")
    if operation.method != "GET":
        found.append(_KEY)
    if operation.of is not None:
        found.append(_etag_header("If-Match", "Change it only if this is still its ETag."))
    elif operation.tagged:
        found.append(_etag_header("If-None-Match", "Answer 304 if this is still its ETag."))
    return found


def _etag_header(name: str, text: str) -> dict[str, Any]:
    schema = {"type": "string"}
    return {"name": name, "in": "header", "required": False, "description": text, "schema": schema}


def _responses(operation: Operation, schemas: openapi.Schemas) -> dict[str, Any]:
    headers = {name: {"$ref": f"#/components/headers/{name}"} for name in _LIMITS}
    if operation.tagged:
        headers["ETag"] = {"schema": {"type": "string"}, "required": True}  # type: ignore[dict-item]
    done = {
        "description": HTTPStatus(operation.status).phrase,
        "headers": headers,
        "content": _FILES[operation.reply]
        if operation.reply in _FILES
        else {"application/json": {"schema": schemas.of(operation.reply)}},
    }
    found: dict[str, Any] = {str(operation.status): done}
    if operation.several:
        found["207"] = {**done, "description": "Some items were refused, each with its own problem"}
    if operation.tagged and operation.method == "GET":
        found["304"] = {"description": "You have it already"}
    for status in _refusals(operation):
        found[str(status)] = {"$ref": f"#/components/responses/{status}"}
    found["5XX"] = {"$ref": "#/components/responses/fault"}
    return found


def _refusals(operation: Operation) -> list[int]:
    found = {400, 401, 403, 404, 409, 422, 429}
    if operation.method != "GET":
        found |= {408, 413}
    if operation.body is not None:
        found |= {415}
    if operation.of is not None:
        found |= {412}
    return sorted(found)

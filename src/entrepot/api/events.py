"""What the hub calls subscribers with, as the ``webhooks`` of the OpenAPI document."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from entrepot import facts

if TYPE_CHECKING:
    from entrepot.openapi import Schemas

_MARK = "Fact."
_HEADERS = {
    "webhook-id": "The delivery's id, the same however often it is sent.",
    "webhook-timestamp": "When this attempt was made, in seconds since 1970.",
    "webhook-signature": "`v1,` and base64 of HMAC-SHA256 over id, timestamp and body, joined by dots.",
}


def described(schemas: Schemas) -> dict[str, Any]:
    """Return every type of event with the body of its call; the facts join ``schemas``.

    What is personal is sent only where a subscription asks for it, so it may be missing.
    """
    schemas.add([*facts.every(), facts.LevelsTold], _MARK)
    for fact in facts.every():
        shape = schemas.components[_MARK + fact.__name__]
        shape["required"] = [name for name in shape["required"] if name not in facts.PERSONAL]
    told: dict[str, type] = {facts.event(fact.kind): fact for fact in facts.every()}
    told[facts.Levels.event] = facts.LevelsTold
    return {name: {"post": _call(name, shape, schemas)} for name, shape in sorted(told.items())}


def _call(name: str, shape: type, schemas: Schemas) -> dict[str, Any]:
    said, _, rest = (
        schemas.components[_MARK + shape.__name__].get("description", name).partition("\n")
    )
    body = {
        "type": "object",
        "required": ["type", "data", "timestamp"],
        "properties": {
            "type": {"const": name},
            "data": schemas.of(shape),
            "timestamp": {"type": "string", "format": "date-time"},
        },
    }
    return {
        "operationId": f"tell {name}",
        "tags": ["webhooks"],
        "summary": said.rstrip(".").replace("`", ""),
        **({"description": rest.strip()} if rest.strip() else {}),
        "parameters": [
            {
                "name": header,
                "in": "header",
                "required": True,
                "description": text,
                "schema": {"type": "string"},
            }
            for header, text in _HEADERS.items()
        ],
        "requestBody": {"required": True, "content": {"application/json": {"schema": body}}},
        "responses": {
            "2XX": {"description": "It is taken."},
            "410": {"description": "No more of it; anything else is tried again."},
        },
    }

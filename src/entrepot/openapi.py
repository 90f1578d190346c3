"""Describes HTTP operations as OpenAPI 3.1, from the same msgspec types that read and write their bodies.

The native API and every dialect's routes are described by this one module: a type that a decoder is made
of cannot say anything else here than there.
"""

from __future__ import annotations

import re
import typing
from typing import TYPE_CHECKING, Any

import msgspec

from entrepot.decode import MOST, Exact, Whole

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from entrepot.dialect import Dialect, Role, Route

    Schema = dict[str, Any]

VERSION = "3.1.0"
_REF = "#/components/schemas/{name}"
_DECIMAL = {"type": "string", "format": "decimal"}  # how msgspec describes a Decimal
_READ = {"anyOf": [{"type": "number"}, {"type": "string", "pattern": r"^-?\d{1,15}(\.\d{1,4})?$"}]}
_WRITTEN = {"type": "number"}


class Schemas:
    """The schemas of a document's types, each described once."""

    def __init__(self, read: Iterable[Any], written: Iterable[Any] = ()) -> None:
        self.components: dict[str, Schema] = {}
        self._by_type: dict[Any, Schema] = {}
        self._describe(read, _READ)
        self._describe(written, _WRITTEN)

    def of(self, shape: Any) -> Schema:
        """Return the schema (mostly a reference) of one of the types given at the start."""
        return self._by_type[shape]

    def add(self, written: Iterable[Any], mark: str) -> None:
        """Describe more types that are written; their names begin with ``mark`` and clash with no others."""
        self._describe(written, _WRITTEN, mark)

    def _describe(self, shapes: Iterable[Any], decimal: Schema, mark: str = "") -> None:
        """Describe types whose decimals are ``decimal``; one that has any goes in one direction only."""
        wanted = list(dict.fromkeys(shapes))
        found, components = msgspec.json.schema_components(
            wanted, schema_hook=_own, ref_template=_REF.replace("{", mark + "{")
        )
        for bare, schema in _plain(components, decimal).items():
            name = mark + bare
            if self.components.setdefault(name, schema) != schema:
                message = f"{name} is read and written, and holds a decimal: make it two types"
                raise TypeError(message)
        self._by_type |= dict(zip(wanted, _plain(found, decimal), strict=True))


def parameters(shape: Any, place: str) -> list[dict[str, Any]]:
    """Return the fields of a struct as parameters (``place``: ``query``, ``header``)."""
    found = []
    for field in msgspec.structs.fields(shape):
        schema = _plain(msgspec.json.schema(without_none(field.type), schema_hook=_own), _READ)
        entry = {"name": field.encode_name, "in": place, "required": field.required}
        if text := schema.pop("description", ""):
            entry["description"] = text
        if field.default not in (msgspec.NODEFAULT, None, ()):
            schema["default"] = field.default
        found.append({**entry, "schema": schema})
    return found


def path_parameters(path: str, shapes: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return the ``{names}`` of a path as parameters; a name without a type is any text."""
    found = []
    for name in re.findall(r"\{(\w+)\}", path):
        schema = msgspec.json.schema(shapes.get(name, str))
        entry = {"name": name, "in": "path", "required": True}
        if text := schema.pop("description", ""):
            entry["description"] = text
        found.append({**entry, "schema": schema})
    return found


def of_role(dialect: Dialect, name: str, role: Role) -> dict[str, Any]:
    """Describe what partners may call at one end of a dialect.

    A dialect answers whatever is wrong in its own envelope, so every reply is its JSON.
    """
    schemas = Schemas(shape for route in role.routes for shape in _shapes(route))
    paths: dict[str, dict[str, Any]] = {}
    for route in role.routes:
        operation: dict[str, Any] = {
            "operationId": f"{route.method} {route.path}",
            "responses": {
                status: {"description": text, "content": {"application/json": {}}}
                for status, text in (("200", "The envelope."), ("4XX", "Refused."))
            },
        }
        if places := [*path_parameters(route.path, {}), *_asked(route)]:
            operation["parameters"] = places
        if route.method not in ("GET", "DELETE", "HEAD"):
            known = [schemas.of(shape) for shape in _shapes(route)]
            shape = {"anyOf": known} if len(known) > 1 else next(iter(known), {})
            content = {"application/json": {"schema": shape}}
            operation["requestBody"] = {"required": not route.optional_body, "content": content}
        paths.setdefault(route.path or "/", {})[route.method.lower()] = operation
    return {
        "openapi": VERSION,
        "info": {"title": f"{dialect.label} · {name}", "version": "1"},
        "paths": paths,
        "components": {"schemas": schemas.components},
    }


def _shapes(route: Route) -> tuple[Any, ...]:
    """Return the types that a route's body may have; none: any JSON."""
    return route.shapes if route.body is None else (route.body,)


def _asked(route: Route) -> list[dict[str, Any]]:
    return [] if route.query is None else parameters(route.query, "query")


def without_none(shape: Any) -> Any:
    """Return ``X | None`` as ``X``: an absent parameter is not a null one."""
    if type(None) in typing.get_args(shape):
        kept = [part for part in typing.get_args(shape) if part is not type(None)]
        return typing.Union[tuple(kept)]  # noqa: UP007 - made at run time
    return shape


def _own(kind: Any) -> Schema:
    """Describe what msgspec does not know."""
    if kind is object:
        return {}
    if issubclass(kind, Whole):
        digits = {"type": "string", "pattern": r"^\d{1,32}$"}
        return {"anyOf": [{"type": "integer", "minimum": kind.least, "maximum": MOST}, digits]}
    if issubclass(kind, Exact):
        return _READ
    raise NotImplementedError(kind)


def _plain(schema: Any, decimal: Schema) -> Any:
    """Return a schema with decimals as they are on the wire and docstrings without their indentation."""
    if isinstance(schema, dict) and schema.items() >= _DECIMAL.items():
        more = {key: value for key, value in schema.items() if key not in _DECIMAL}
        if "default" in more:
            more["default"] = float(more["default"])
        return {**decimal, **more}
    if isinstance(schema, list | tuple):
        return [_plain(part, decimal) for part in schema]
    if isinstance(schema, dict):
        return {key: _text(key, _plain(part, decimal)) for key, part in schema.items()}
    return schema


def _text(key: str, value: Any) -> Any:
    if key == "description" and isinstance(value, str):
        return re.sub(r"``(.+?)``", r"`\1`", re.sub(r"\n +", "\n", value))
    return value

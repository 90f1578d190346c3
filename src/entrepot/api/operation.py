"""One operation of the API: an async function, and how a request becomes its arguments.

The function's annotations are the one truth: they decode the request, encode the reply and make the
OpenAPI document. ``body`` and ``query`` are those of the request, every other parameter behind the
first two (the transaction and the desk) is a ``{name}`` of the path.
"""

from __future__ import annotations

import re
import typing
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Generic, TypeVar, get_type_hints
from urllib.parse import parse_qsl

import msgspec
from msgspec import Struct, structs

from entrepot import decode
from entrepot.api import words
from entrepot.api.problems import Stopped
from entrepot.errors import BadInput
from entrepot.openapi import without_none

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    Handler = Callable[..., Awaitable[Any]]

T = TypeVar("T")

_EXACT = 2**53
_AT = re.compile(r"^(.*?)(?: - at `\$\.?(.*)`)?$", re.DOTALL)


class Created(Struct, Generic[T], frozen=True):
    """A reply about something that was made; ``location`` is its path below the API's own."""

    content: T
    location: str


class Operation:
    """A method and path, its function, and the types of what goes in and out; ``bytes`` is a file.

    ``scope`` is what the caller's token must hold. ``tagged`` replies carry an ETag; with ``of`` (the
    operation that shows what this one changes) ``If-Match`` is honoured. ``reloads``: connections
    change, so the process reads them anew before it answers.
    """

    def __init__(
        self,
        handler: Handler,
        method: str,
        path: str,
        noun: str,
        *,
        scope: str,
        status: int = 200,
        tagged: bool = False,
        of: Operation | None = None,
        reloads: bool = False,
        several: bool = False,
    ) -> None:
        self.handler, self.method, self.path, self.noun = handler, method, path, noun
        self.scope, self.status, self.tagged, self.of = scope, status, tagged, of
        self.reloads, self.several = reloads, several
        self.name = handler.__name__
        hints = get_type_hints(handler, include_extras=True)
        self.reply = hints.pop("return")
        if typing.get_origin(self.reply) is Created:
            (self.reply,) = typing.get_args(self.reply)
        _tx, _desk, *names = hints
        self.body = hints.get("body")
        self.query = hints.get("query")
        self.places = {name: hints[name] for name in names if name not in ("body", "query")}
        if set(self.places) != set(re.findall(r"\{(\w+)\}", path)):
            message = f"{self.name} takes {set(self.places)}, its path is {path}"
            raise TypeError(message)
        self.raw = self.body is bytes
        typed = self.body is not None and not self.raw
        self._decoder = _Decoder(self.body) if typed else None

    def arguments(self, values: Mapping[str, str], query: str, raw: bytes) -> dict[str, Any]:
        """Return the handler's arguments; raises BadInput or Stopped naming what is wrong where."""
        found = {name: _converted(text, self.places[name], name) for name, text in values.items()}
        asked = _asked(self.query, query)
        if self.query is not None:
            found["query"] = asked
        if self.raw:
            found["body"] = raw
        if self._decoder is not None:
            found["body"] = self._decoder.decode(raw)
        return found


def reads(path: str, noun: str, **more: Any) -> Callable[[Handler], Operation]:
    """Make an operation of a function that only reads: ``(tx, desk, …)``."""
    return lambda handler: Operation(handler, "GET", path, noun, scope=f"{noun}:read", **more)


def writes(method: str, path: str, noun: str, **more: Any) -> Callable[[Handler], Operation]:
    """Make an operation of a function that changes something, in one transaction: ``(tx, desk, …)``."""
    return lambda handler: Operation(handler, method, path, noun, scope=f"{noun}:write", **more)


def asks(path: str, noun: str, **more: Any) -> Callable[[Handler], Operation]:
    """Make an operation of a function that works something out of a body and changes nothing."""
    return lambda handler: Operation(handler, "POST", path, noun, scope=f"{noun}:read", **more)


class _Decoder:
    """Decodes bodies of one type, strictly."""

    def __init__(self, shape: Any) -> None:
        self._shape = shape
        self._decode = msgspec.json.Decoder(shape).decode

    def decode(self, raw: bytes) -> Any:
        """Return the typed body; raises BadInput or Stopped."""
        raw = decode.checked(raw)
        try:
            return self._decode(raw)
        except msgspec.ValidationError as error:
            if "got `float`" not in str(error):
                raise _wrong(str(error)) from None
        except (msgspec.DecodeError, RecursionError, ValueError) as error:
            raise BadInput("malformed", str(error)) from None
        try:
            return msgspec.convert(_whole(msgspec.json.decode(raw)), self._shape)
        except msgspec.ValidationError as error:
            raise _wrong(str(error)) from None


def _whole(value: Any) -> Any:
    """Return parsed JSON with 584.0 as 584: a number without a fraction is an integer."""
    if isinstance(value, float) and value.is_integer() and abs(value) < _EXACT:
        return int(value)
    if isinstance(value, list):
        return [_whole(part) for part in value]
    if isinstance(value, dict):
        return {key: _whole(part) for key, part in value.items()}
    return value


def _asked(shape: Any, query: str) -> Any:
    """Return a query string as the struct ``shape``; without one, nothing may be asked."""
    fields = {field.encode_name: field for field in structs.fields(shape)} if shape else {}
    found: dict[str, Any] = {}
    for name, text in parse_qsl(query, keep_blank_values=True, errors="surrogateescape"):
        if not decode.storable(name + text):
            raise BadInput("bad_character", "", path=f"?{name!a}")
        if name not in fields:
            known = ", ".join(sorted(fields)) or "none"
            raise Stopped(
                400, "unknown_parameter", f"There is no parameter {name!r}; known: {known}."
            )
        kind = without_none(fields[name].type)
        if typing.get_origin(_bare(kind)) is tuple:
            found.setdefault(name, []).append(text)
        elif name in found:
            raise Stopped(400, "repeated_parameter", f"{name} is given twice.", path=f"?{name}")
        else:
            found[name] = _converted(text, kind, f"?{name}")
    if shape is None:
        return None
    try:
        return msgspec.convert(found, shape)
    except msgspec.ValidationError as error:
        raise _wrong(str(error), "?") from None


def _converted(text: str, kind: Any, path: str) -> Any:
    """Return one text of a path or query as ``kind``."""
    if not decode.storable(text):
        raise BadInput("bad_character", "", path=path)
    try:
        value = msgspec.convert(text, kind, strict=_bare(kind) is datetime)
        return value.astimezone(UTC) if isinstance(value, datetime) else value
    except (msgspec.ValidationError, OverflowError) as error:
        raise Stopped(400, "bad_parameter", str(error), path=path) from None


def _bare(kind: Any) -> Any:
    """Return a type without what is annotated to it."""
    return typing.get_args(kind)[0] if typing.get_origin(kind) is typing.Annotated else kind


def _wrong(message: str, place: str = "") -> Stopped:
    """Return msgspec's sentence as a problem: ``Expected `int`, got `str` - at `$.lines[0].qty```."""
    what, path = _AT.match(message).groups()  # type: ignore[union-attr]  # it matches anything
    status = 422 if words.RANGE in what else 400
    return Stopped(status, "invalid", what, path=place + (path or ""))

"""Bodies that partners send by mistake or on purpose, made from a documented one. Pure."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from types import MappingProxyType
from typing import Any, Literal
from urllib.parse import urlencode

import msgspec
from msgspec import Struct

from entrepot.conform import matching

Answer = Literal["success", "accepted", "malformed", "missing", "too_large", "calm"]
"""What a case must be answered with: the sample's reply; its envelope with other contents; a failure that
names ``at``; the same for what is missing; 413; anything in an envelope that is no 5xx."""

JSON = "application/json"
FORM = "application/x-www-form-urlencoded"
_RAW = "@@raw@@"
_NOBODY_KNOWS = "aFieldNobodyKnows"
_WRONG: Mapping[str, tuple[tuple[str, str], ...]] = {
    "string": (
        ("NUL", r'"a\u0000b"'),
        ("a lone surrogate", r'"a\ud800"'),
        ("a number", "5"),
        ("true", "true"),
        ("an array", "[]"),
        ("an object", "{}"),
    ),
    "integer": (
        ("a word", '"x"'),
        ("a fraction", "1.5"),
        ("a fraction as text", '"1.5"'),
        ("true", "true"),
        ("an array", "[]"),
        ("an object", "{}"),
        ("below 0", "-1"),
        ("a sign", '"+5"'),
        ("a space", '" 5"'),
        ("a milliard", "1000000000"),
        ("10^30", "1" + "0" * 30),
        ("10^30 as text", '"1' + "0" * 30 + '"'),
        ("1e400", "1e400"),
        ("10^10000000", "1e10000000"),
    ),
    "number": (
        ("a word", '"x"'),
        ("true", "true"),
        ("an array", "[]"),
        ("1e400", "1e400"),
        ("10^10000000", "1e10000000"),
    ),
    "boolean": (("a word", '"x"'), ("an object", "{}")),
    "array": (("a word", '"x"'), ("a number", "5"), ("an object", '{"a":1}')),
    "object": (("a word", '"x"'), ("a number", "5"), ("an array", "[1]")),
}
_LONG = (
    ("10,000 letters", f'"{"x" * 10_000}"'),
    # No database can make this shorter, so that it fits into no index.
    ("10,000 letters at random", f'"{hashlib.shake_256(b"").hexdigest(5000)}"'),
    ("10,000 characters", f'"{"中" * 10_000}"'),
    ("SQL", """ "'; DROP TABLE article; -- \\\\" """),
    ("format signs", '"{0} %s ${x} {names}"'),
    ("control characters", r'"\u0001\u001f\u007f\u2028"'),
)
_WRONG = {**_WRONG, "positive": (*_WRONG["integer"], ("0", "0"))}


class Case(Struct, frozen=True, kw_only=True):
    """One request and what must come of it. ``make`` turns the documented body into the bytes to send;
    ``at`` is the path a message must name.
    """

    name: str
    make: Callable[[Any], bytes]
    answer: Answer
    at: str = ""
    content_type: str = JSON


def encoded(body: Any) -> bytes:
    """Return a body as partners' stacks write it: UTF-8, Chinese as it is."""
    return b"" if body is msgspec.UNSET else json.dumps(body, ensure_ascii=False).encode()


def cases(body: Any, fields: Mapping[str, str], *, optional_body: bool) -> Iterator[Case]:
    """Yield every case of a body whose ``fields`` are known (see ``samples``)."""
    yield from _not_json(body, optional_body=optional_body)
    yield from _beyond(body)
    yield from _tolerated(body)
    for path, kind in fields.items():
        for at in matching.places(body, path):
            yield from _field(body, at, kind.rstrip("!"), required=kind.endswith("!"))


def forms(body: Any, fields: Mapping[str, str]) -> Iterator[Case]:
    """Yield the cases of a body that may come form-encoded too."""
    yield Case(name="a form", make=_form, answer="success", content_type=FORM)
    kind = FORM + "; charset=UTF-8"
    yield Case(name="a form in UTF-8", make=_form, answer="success", content_type=kind)
    for name, tail in (
        ("GBK", b"&a=%D6%D0"),
        ("a raw GBK byte", b"&a=\xd6\xd0"),
        ("a NUL", b"&a=%00"),
        ("a lone surrogate", b"&a=%ED%A0%80"),
        ("half an escape", b"&a=%ED%A0"),
        ("a field a thousand times", b"&a=1" * 1001),
    ):
        make = partial(_form, tail=tail)
        yield Case(name=f"a form with {name}", make=make, answer="malformed", content_type=FORM)
    for path, kind in fields.items():
        if kind.rstrip("!") not in ("array", "object") or path not in body:
            continue
        for name, text in (
            ("a word", "hello"),
            ("half a JSON text", '[{"a":'),
            ("two JSON texts", "[][]"),
            ("100,000 nested brackets", "[" * 100_000 + "]" * 100_000),
        ):
            yield Case(
                name=f"a form with {name} for {path}",
                make=partial(_form, changes={path: text}),
                answer="malformed",
                at=path,
                content_type=FORM,
            )


def _form(body: Any, tail: bytes = b"", changes: Mapping[str, str] = MappingProxyType({})) -> bytes:
    texts = {
        name: value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
        for name, value in body.items()
    }
    return urlencode({**texts, **changes}).encode() + tail


def _not_json(body: Any, *, optional_body: bool) -> Iterator[Case]:
    """Bodies that are no JSON, or JSON of another kind."""
    other = ("an array", b"[1]") if isinstance(body, dict) else ("an object", b"{}")
    texts = dict(
        [
            ("a word", b"hello"),
            ("XML", b"<xml></xml>"),
            ("GBK", json.dumps({"备注": "中文"}, ensure_ascii=False).encode("gbk")),
            ("a raw NUL", b'{"a":"\0"}'),
            ("100,000 open brackets", b"[" * 100_000),
            ("100,000 nested brackets", b"[" * 100_000 + b"]" * 100_000),
            ("100,000 nested objects", b'{"a":' * 100_000 + b"1" + b"}" * 100_000),
            ("a number", b"5"),
            ("true", b"true"),
            other,
        ]
    )
    if not optional_body:
        texts |= {"nothing": b"", "spaces": b"  \n", "null": b"null"}
    made: dict[str, Callable[[Any], bytes]] = {
        name: partial(_constant, raw=raw) for name, raw in texts.items()
    }
    made["half a body"] = lambda body: encoded(body)[: max(len(encoded(body)) // 2, 1)]
    made["two bodies"] = lambda body: encoded(body) * 2
    if not isinstance(body, str):
        made["a text"] = partial(_constant, raw=b'"text"')
        made["a trailing comma"] = lambda body: encoded(body)[:-1] + b"," + encoded(body)[-1:]
    for name, make in made.items():
        yield Case(name=f"body: {name}", make=make, answer="malformed")


def _beyond(body: Any) -> Iterator[Case]:
    """What no field of ours reads: still no NUL, and never our fault."""
    if isinstance(body, str) or (isinstance(body, list) and not _rows(body)):
        return
    at = f"[0].{_NOBODY_KNOWS}" if isinstance(body, list) else _NOBODY_KNOWS
    tokens: tuple[tuple[str, str, Answer], ...] = (
        ("a NUL", r'"a\u0000b"', "malformed"),
        ("a lone surrogate", r'"a\ud800b"', "malformed"),
        ("a lone low surrogate", r'"a\udc00b"', "malformed"),
        ("an emoji", r'"\ud83d\ude00"', "success"),
        ("1e400", "1e400", "success"),
        ("10^(10^22)", "1e1" + "0" * 22, "success"),
        ("10^30", "1" + "0" * 30, "success"),
        ("100,000 nested brackets", "[" * 100_000 + "]" * 100_000, "malformed"),
        ("a null", "null", "success"),
        ("an object", '{"a":[1,"b"]}', "success"),
    )
    for name, token, answer in tokens:
        yield Case(name=f"unknown field: {name}", make=_putting(at, token), answer=answer)
    huge = _putting(at, '"' + "x" * 5_000_000 + '"')
    yield Case(name="body: 5 MB", make=huge, answer="too_large")


def _rows(body: list[Any]) -> bool:
    return bool(body) and isinstance(body[0], dict)


def _tolerated(body: Any) -> Iterator[Case]:
    """What is unusual and right all the same."""
    yield Case(name="a BOM", make=lambda body: b"\xef\xbb\xbf" + encoded(body), answer="success")
    spaced = Case(
        name="spaces around",
        make=lambda body: b" \r\n" + encoded(body) + b"\r\n ",
        answer="success",
    )
    yield spaced
    yield Case(name="ASCII escapes", make=lambda body: json.dumps(body).encode(), answer="success")
    if isinstance(body, dict) and body:
        yield Case(name="a key twice", make=_doubled, answer="calm")
    for kind in (
        "application/json; charset=UTF-8",
        "application/json;charset=gbk",
        "text/plain",
        FORM,
        "multipart/form-data",
        "nonsense",
        "",
    ):
        name = f"Content-Type {kind or 'missing'}"
        yield Case(name=name, make=encoded, answer="success", content_type=kind)


def _field(body: Any, at: str, kind: str, *, required: bool) -> Iterator[Case]:
    """Wrong types in one field, its absence, and the other ways to write what is right."""
    if kind == "any":
        return
    for name, token in _WRONG[kind]:
        yield Case(name=f"{at}: {name}", make=_putting(at, token), answer="malformed", at=at)
    if kind == "string":
        for name, token in _LONG:
            yield Case(name=f"{at}: {name}", make=_putting(at, token), answer="calm")
    empty = {"null": "null", "empty": '""'}
    if required:
        if kind == "string":
            empty["blank"] = r'" \t"'
        if kind in ("array", "object", "boolean"):
            del empty["empty"]
        if matching.has(body, at) and not at.endswith("]"):
            gone = partial(_lacking, at=at)
            yield Case(name=f"{at}: left out", make=gone, answer="missing", at=at)
    for name, token in empty.items():
        answer: Answer = "missing" if required else "accepted"
        make = _putting(at, token)
        yield Case(name=f"{at}: {name}", make=make, answer=answer, at=at if required else "")
    if kind in ("integer", "positive") and matching.has(body, at):
        number = int(matching.value(body, at))
        for name, token in (("as text", f'"{number}"'), ("as a float", f"{number}.0")):
            yield Case(name=f"{at}: {name}", make=_putting(at, token), answer="success")


def _putting(at: str, token: str) -> Callable[[Any], bytes]:
    """Return what puts a piece of raw JSON at a path."""
    return partial(_with, at=at, token=token)


def _with(body: Any, at: str, token: str) -> bytes:
    raw = json.dumps(matching.changed(body, at, _RAW), ensure_ascii=False)
    return raw.replace(json.dumps(_RAW), token).encode()


def _lacking(body: Any, at: str) -> bytes:
    return encoded(matching.without(body, at))


def _doubled(body: Any) -> bytes:
    key = next(iter(body))
    return b"{" + json.dumps({key: body[key]}).encode()[1:-1] + b"," + encoded(body)[1:]


def _constant(_body: Any, raw: bytes) -> bytes:
    return raw

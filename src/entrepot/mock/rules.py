"""What a scripted partner answers: the first rule that fits, else what the dialect's samples show. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Annotated, Any
from urllib.parse import parse_qsl

import msgspec
from msgspec import Meta, Struct

from entrepot.dialect import Duration, seconds
from entrepot.errors import BadInput

if TYPE_CHECKING:
    from entrepot.conform.samples import Sample, Samples

_HOLDER = re.compile(r"<(.+)>", re.DOTALL)
_PART = re.compile(
    r"\\(?P<plain>[^dw])|(?:\\d|\\w|\[0-9a-f\]|\.)(?P<any>\*)?(?:\{(?P<least>\d+)(?:,\d*)?\}|\+)?"
)
_VALUES: Mapping[str, Any] = {
    "any": None,
    "string": "",
    "integer": 1,
    "number": 1,
    "array": [],
    "object": {},
    "message": "ok",
    "status": 200,
}


class Rule(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One line of a script: which calls it is for, and what they get instead of the usual answer.

    ``path`` (below the base URL), ``method`` and ``holds`` (a text in the body) choose the calls; what is
    left out chooses all. ``times`` is how many calls it serves before the next rule's turn; left out: all.
    ``delay`` passes before the answer. ``drop`` closes the connection without one. ``body`` is JSON, ``text``
    is sent as it is; with neither, 200 has the usual answer and any other ``status`` an empty body.
    """

    path: str | None = None
    method: str | None = None
    holds: str = ""
    times: Annotated[int, Meta(ge=1)] | None = None
    status: Annotated[int, Meta(ge=200, le=599)] = 200
    delay: Duration = "0s"
    drop: bool = False
    body: Any = msgspec.UNSET
    text: str | None = None
    headers: Mapping[str, str] = {}


class Heard(Struct, frozen=True, kw_only=True):
    """One call as it came in."""

    method: str
    path: str
    query: str = ""
    headers: Mapping[bytes, bytes] = {}
    body: bytes = b""


class Answer(Struct, frozen=True, kw_only=True):
    """What a call gets. ``delay`` in seconds."""

    status: int
    body: bytes = b""
    headers: tuple[tuple[str, str], ...] = (("Content-Type", "application/json"),)
    delay: float = 0.0
    drop: bool = False


def script(raw: bytes) -> tuple[Rule, ...]:
    """Read a script, a JSON array of rules; raises BadInput saying what is wrong where."""
    try:
        return msgspec.json.decode(raw, type=tuple[Rule, ...])
    except msgspec.DecodeError as error:
        raise BadInput("bad_script", f"The script cannot be read: {error}") from error


def chosen(rules: Sequence[Rule], used: Sequence[int], heard: Heard) -> int | None:
    """Return the index of the first rule that fits and has turns left; None: the usual answer."""
    text = heard.body.decode("utf-8", "replace")
    for index, rule in enumerate(rules):
        fits = rule.path in (None, heard.path) and rule.method in (None, heard.method)
        if fits and rule.holds in text and (rule.times is None or used[index] < rule.times):
            return index
    return None


def answered(rule: Rule | None, usual: Answer) -> Answer:
    """Return what a rule makes of the usual answer."""
    if rule is None:
        return usual
    if rule.text is not None:
        body = rule.text.encode()
    elif rule.body is not msgspec.UNSET:
        body = msgspec.json.encode(rule.body)
    else:
        body = usual.body if rule.status == 200 else b""
    headers = {name.lower(): value for name, value in (*usual.headers, *rule.headers.items())}
    return Answer(
        status=rule.status,
        body=body,
        headers=tuple(headers.items()),
        delay=seconds(rule.delay),
        drop=rule.drop,
    )


def shown(samples: Samples, heard: Heard) -> Sample | None:
    """Return the sample of the call: the same method and path, its query held by the call's."""
    said = set(parse_qsl(heard.query, keep_blank_values=True))
    for sample in samples.calls.values():
        asked = set(parse_qsl(sample.query, keep_blank_values=True))
        named = re.sub(r"\\\$\\\{\w+\\\}", "[^/]+", re.escape(sample.path))
        if sample.method == heard.method and re.fullmatch(named, heard.path) and asked <= said:
            return sample
    return None


def concrete(expected: Any) -> Any:
    """Return a reply that fits what a sample expects: placeholders become values."""
    if isinstance(expected, Mapping):
        return {key: concrete(part) for key, part in expected.items()}
    if isinstance(expected, list):
        return [concrete(part) for part in expected]
    holder = _HOLDER.fullmatch(expected) if isinstance(expected, str) else None
    if holder is None:
        return expected
    name = holder[1]
    return _fitting(name[1:]) if name.startswith("~") else _VALUES[name]


def _fitting(pattern: str) -> str:
    """Return a text that a sample's pattern matches whole: digits, words and dots as often as it counts."""
    return _PART.sub(_made, pattern)


def _made(hit: re.Match[str]) -> str:
    if hit["plain"]:
        return hit["plain"]
    return "" if hit["any"] else "1" * int(hit["least"] or 1)

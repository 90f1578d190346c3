"""What goes back to the caller."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import msgspec
from msgspec import Struct

if TYPE_CHECKING:
    from entrepot.api.problems import Problem

JSON = "application/json"
CSV = "text/csv; charset=utf-8"
FILE = "application/octet-stream"
_encode = msgspec.json.Encoder(decimal_format="number").encode


class Octets(bytes):
    """A reply that is a file of any type."""


class Answer(Struct, frozen=True, kw_only=True):
    """A status, headers and a body, ready to be sent, kept and sent again."""

    status: int
    body: bytes = b""
    headers: Mapping[str, str] = {}

    def with_headers(self, headers: Mapping[str, str]) -> Answer:
        """Return the same with more headers; those it has already stand."""
        return Answer(status=self.status, body=self.body, headers={**headers, **self.headers})


def of(content: Any, status: int, headers: Mapping[str, str]) -> Answer:
    """Return a reply as an answer: decimals are numbers, times ISO 8601 in UTC; bytes are CSV."""
    if isinstance(content, Octets):
        return Answer(status=status, body=bytes(content), headers={"content-type": FILE, **headers})
    if isinstance(content, bytes):
        return Answer(status=status, body=content, headers={"content-type": CSV, **headers})
    return Answer(status=status, body=_encode(content), headers={"content-type": JSON, **headers})


def of_problem(problem: Problem, headers: Mapping[str, str] | None = None) -> Answer:
    """Return a problem as an answer."""
    kind = {"content-type": "application/problem+json", **(headers or {})}
    return Answer(status=problem.status, body=_encode(problem), headers=kind)


def tag(body: bytes) -> str:
    """Return a body's ETag: equal documents have equal tags, on every process."""
    return f'"{hashlib.sha256(body).hexdigest()[:32]}"'


def matches(header: str, etag: str) -> bool:
    """Tell whether ``If-Match`` or ``If-None-Match`` names this tag; weak marks do not count."""
    named = [part.strip().removeprefix("W/") for part in header.split(",")]
    return "*" in named or etag in named

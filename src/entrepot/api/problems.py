"""What is answered when a request cannot be fulfilled: ``application/problem+json`` (RFC 9457)."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

import msgspec
from msgspec import Struct

from entrepot.errors import BadInput, Broken, Conflict, EntrepotError, Missing, NotAllowed, Refused

_TEXTS = {
    "malformed": "The body is not valid JSON in UTF-8.",
    "bad_character": "A text holds a NUL character or a lone surrogate, which no database keeps.",
}
"""What ``entrepot.decode`` says in Chinese, for this API's readers."""


class Problem(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Why a request, or one item of a batch, was refused.

    ``code`` is stable and meant for programs, ``detail`` for people; ``path`` is the place in the request
    (``lines[2].qty``); ``facts`` holds the values that ``detail`` names.
    """

    type: str
    title: str
    status: int
    code: str
    detail: str = ""
    path: str = ""
    facts: dict[str, Any] = {}


class Stopped(Exception):
    """A request that HTTP itself answers: unknown path, wrong method, no token, too many calls."""

    def __init__(
        self, status: int, code: str, detail: str, *, path: str = "", **headers: str
    ) -> None:
        super().__init__(detail)
        self.problem = _problem(status, code, detail, path=path)
        self.headers = {name.replace("_", "-"): value for name, value in headers.items()}


def of(error: Refused) -> Problem:
    """Return a business refusal as a problem."""
    facts = msgspec.to_builtins(error.facts, enc_hook=str)
    text = _TEXTS.get(error.code, error.text)
    return _problem(status_of(error), error.code, text, path=error.path, facts=facts)


def status_of(error: Refused) -> int:
    """Return the HTTP status of a refusal."""
    if isinstance(error, BadInput):
        return 400 if error.code == "malformed" else 422
    for kind, status in ((Missing, 404), (Conflict, 409), (NotAllowed, 403)):
        if isinstance(error, kind):
            return status
    return 422


def of_fault(error: Exception) -> Problem:
    """Return our own fault as a problem that tells nothing; the log has the rest."""
    if isinstance(error, OSError):
        return _problem(503, "unavailable", "The database cannot be reached; try again.")
    if isinstance(error, EntrepotError) and not isinstance(error, Broken):
        return _problem(503, "unusable", str(error))
    return _problem(500, "internal", "Something broke on our side; it is logged.")


def _problem(status: int, code: str, detail: str, **more: Any) -> Problem:
    kind = f"urn:entrepot:problem:{code}"
    return Problem(
        type=kind, title=HTTPStatus(status).phrase, status=status, code=code, detail=detail, **more
    )

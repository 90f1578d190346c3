"""Structured logs: one JSON object a line on stderr, without phone numbers and secrets."""

from __future__ import annotations

import logging
import re
import sys
from typing import TYPE_CHECKING, Any, TextIO, cast

import structlog
from structlog.tracebacks import ExceptionDictTransformer

if TYPE_CHECKING:
    from collections.abc import MutableMapping

_PHONE = re.compile(r"(?<!\d)(1[3-9]\d)\d{4}(\d{4})(?!\d)")
_KEY = re.compile(r"(/c/)[A-Za-z0-9_-]{8,}")
_SECRET = re.compile(
    r"(?i)((?:bearer|token|secret|password|appsecret|authorization|sign)[\"']?\s*[=:]\s*[\"']?(?:bearer )?)"
    r"[^\s\"',&}]+"
)


class _Stderr:
    """Writes to what is standard error at the moment of writing, not of setting up."""

    def write(self, text: str) -> int:
        return sys.stderr.write(text)

    def flush(self) -> None:
        sys.stderr.flush()


def configure(level: str = "info") -> None:
    """Set up logging of this process; safe to call twice."""
    number = logging.getLevelNamesMapping().get(level.upper(), logging.INFO)
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            # Without locals: a frame's values are what must not get into a log.
            structlog.processors.ExceptionRenderer(ExceptionDictTransformer(show_locals=False)),
            redact,
            structlog.processors.JSONRenderer(ensure_ascii=False),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(number),
        logger_factory=structlog.WriteLoggerFactory(file=cast("TextIO", _Stderr())),
        cache_logger_on_first_use=True,
    )


def redact(
    _logger: Any,
    _method: str,
    event: MutableMapping[str, Any],
) -> MutableMapping[str, Any]:
    """Hide phones, URL keys and secrets in every text of a log entry, nested ones too."""
    return {name: _redacted(value) for name, value in event.items()}


def clean(text: str) -> str:
    """Return a text without phone numbers, URL keys and secrets."""
    text = _PHONE.sub(r"\1****\2", text)
    text = _KEY.sub(r"\1****", text)
    return _SECRET.sub(r"\1****", text)


def _redacted(value: Any) -> Any:
    if isinstance(value, str):
        return clean(value)
    if isinstance(value, dict):
        return {key: _redacted(part) for key, part in value.items()}
    if isinstance(value, (list, tuple)):
        return [_redacted(part) for part in value]
    return value

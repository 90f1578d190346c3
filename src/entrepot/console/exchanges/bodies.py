"""Bodies as people read them: JSON set out and coloured, forms one field a line, calls as curl."""

from __future__ import annotations

import re
import shlex
from urllib.parse import parse_qsl

import msgspec
from markupsafe import Markup, escape

_TOKEN = re.compile(
    r'(?P<key>"(?:[^"\\]|\\.)*")(?=\s*:)|(?P<text>"(?:[^"\\]|\\.)*")'
    r"|(?P<number>-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?)|(?P<word>\btrue\b|\bfalse\b|\bnull\b)"
)
_CLASSES = {"key": "k", "text": "s", "number": "d", "word": "w"}
_FORM = re.compile(r"[\w.\[\]%-]+=[^&\s]*(&[\w.\[\]%-]+=[^&\s]*)*")


def pretty(body: str) -> Markup:
    """Return a body for a ``pre``; what is neither JSON nor a form is shown as it is."""
    stripped = body.strip()
    if stripped[:1] in ("{", "["):
        try:
            return _coloured(msgspec.json.format(stripped.encode(), indent=2).decode())
        except msgspec.DecodeError:
            return escape(body)
    if _FORM.fullmatch(stripped):
        pairs = parse_qsl(stripped, keep_blank_values=True)
        lines = (Markup('<span class="k">{}</span> = {}').format(k, v) for k, v in pairs)
        return Markup("\n").join(lines)
    return escape(body)


def curl(method: str, url: str, body: str) -> str:
    """Return a call as a command to paste into a shell."""
    parts = ["curl", "-X", method, shlex.quote(url)]
    if body:
        stripped = body.strip()
        kind = "application/json"
        if stripped[:1] not in ("{", "["):
            kind = "application/x-www-form-urlencoded"
        parts += ["-H", shlex.quote(f"Content-Type: {kind}"), "--data-binary", shlex.quote(body)]
    return " ".join(parts)


def _coloured(text: str) -> Markup:
    made, at = [], 0
    for hit in _TOKEN.finditer(text):
        made.append(escape(text[at : hit.start()]))
        kind = hit.lastgroup or "word"
        made.append(Markup('<span class="{}">{}</span>').format(_CLASSES[kind], hit[0]))
        at = hit.end()
    made.append(escape(text[at:]))
    return Markup("").join(made)

"""Values by path, placeholders, and what differs. Pure."""

from __future__ import annotations

import copy
import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

Step = str | int
_STEP = re.compile(r"\.?([^.\[\]]+)|\[(\d*)\]")
_HOLE = re.compile(r"\$\{(\w+)\}")


def steps(path: str) -> list[Step | None]:
    """Split a path: ``a.b[2].c`` → a, b, 2, c; ``[]`` gives None."""
    parts: list[Step | None] = []
    for hit in _STEP.finditer(path):
        if hit[1] is not None:
            parts.append(hit[1])
        else:
            parts.append(int(hit[2]) if hit[2] else None)
    return parts


def places(body: object, path: str) -> Iterator[str]:
    """Yield the paths in ``body`` that ``path`` means: for ``[]`` the first element and the last."""
    found = [""]
    for step in steps(path):
        grown = []
        for at in found:
            if step is None:
                length = len(value(body, at)) if has(body, at) else 0
                grown += [f"{at}[{index}]" for index in sorted({0, length - 1}) if length]
            elif isinstance(step, int):
                grown.append(f"{at}[{step}]")
            else:
                grown.append(f"{at}.{step}" if at else step)
        found = grown
    yield from found


def has(body: Any, path: str) -> bool:
    """Tell whether there is something at ``path``."""
    try:
        value(body, path)
    except (KeyError, IndexError, TypeError):
        return False
    return True


def value(body: Any, path: str) -> Any:
    """Return what is at ``path``; raises KeyError, IndexError or TypeError."""
    for step in steps(path):
        body = body[step]
    return body


def changed(body: Any, path: str, new: object) -> Any:
    """Return a copy of ``body`` with ``new`` at ``path``; ``""`` is the body itself."""
    if not path:
        return new
    body = copy.deepcopy(body)
    *way, last = steps(path)
    holder = body
    for step in way:
        holder = holder[step]
    holder[last] = new
    return body


def without(body: Any, path: str) -> Any:
    """Return a copy of ``body`` without what is at ``path``; raises KeyError or IndexError."""
    body = copy.deepcopy(body)
    *way, last = steps(path)
    holder = body
    for step in way:
        holder = holder[step]
    holder.pop(last)
    return body


def filled(template: Any, known: Mapping[str, Any]) -> Any:
    """Return ``template`` with ``${names}`` replaced; a text that is one name becomes its value.

    A name that nothing was kept under stays as it is: what comes ``after`` may follow a refused call.
    """
    if isinstance(template, str):
        whole = _HOLE.fullmatch(template)
        if whole:
            return known.get(whole[1], template)
        return _HOLE.sub(lambda hit: str(known.get(hit[1], hit[0])), template)
    if isinstance(template, list):
        return [filled(part, known) for part in template]
    if isinstance(template, dict):
        return {key: filled(part, known) for key, part in template.items()}
    return template


def difference(expected: Any, got: Any, *, status: int, names: str = "") -> str:
    """Return what differs between a reply's body and what it must be; ``""`` where nothing does."""
    return _differs(expected, got, "", status, names)


def _differs(expected: Any, got: Any, at: str, status: int, names: str) -> str:
    where = at or "the body"
    if isinstance(expected, str) and re.fullmatch(r"<.+>", expected, re.DOTALL):
        if _fits(expected[1:-1], got, status, names):
            return ""
        wanted = f"{expected} naming {names}" if names and expected == "<message>" else expected
        return f"{where} is {_short(got)}, not {wanted}"
    if isinstance(expected, dict) and isinstance(got, dict):
        if list(expected) != list(got):
            return f"{where} has the keys {list(got)}, not {list(expected)}"
        parts = ((f"{at}.{key}" if at else key, expected[key], got[key]) for key in expected)
    elif isinstance(expected, list) and isinstance(got, list):
        if len(expected) != len(got):
            return f"{where} has {len(got)} elements, not {len(expected)}"
        pairs = zip(expected, got, strict=True)
        parts = ((f"{at}[{index}]", *pair) for index, pair in enumerate(pairs))
    else:
        same = expected == got and type(expected) is type(got)
        return "" if same else f"{where} is {_short(got)}, not {_short(expected)}"
    found = (_differs(want, have, place, status, names) for place, want, have in parts)
    return next((difference for difference in found if difference), "")


def _fits(placeholder: str, got: Any, status: int, names: str) -> bool:
    if placeholder.startswith("~"):
        return isinstance(got, str) and re.fullmatch(placeholder[1:], got, re.DOTALL) is not None
    whole = isinstance(got, int) and not isinstance(got, bool)
    return {
        "any": True,
        "string": isinstance(got, str),
        "integer": whole,
        "number": whole or isinstance(got, float),
        "array": isinstance(got, list),
        "object": isinstance(got, dict),
        "message": isinstance(got, str) and bool(got.strip()) and names in got,
        "status": got == status and whole,
    }[placeholder]


def _short(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 200 else text[:200] + "…"

"""Reads JSON files as sheets: an array of objects, or objects one after another, in bounded memory.

Keys are columns. An object within an object adds its keys (its ``name`` is the column that it stands in); a
list within one makes a row of each of its objects, each with what stands beside the list.
"""

from __future__ import annotations

import json
from itertools import chain
from typing import IO, TYPE_CHECKING, Any

from entrepot.errors import Unusable
from entrepot.imports.rules import Unfit

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_BLOCK = 1024 * 1024
_LONGEST = 4 * _BLOCK
_MOST_COLUMNS = 1000
_BETWEEN = " \t\r\n,[]"

# Numbers stay as they are written: 12.50 is no float.
_decoder = json.JSONDecoder(parse_float=str, parse_int=str, parse_constant=str)


def header(path: Path, text: IO[str]) -> list[str]:
    """Return the keys of all rows, in the order in which they first appear."""
    found: dict[str, None] = {}
    for row in rows(path, text):
        found.update(dict.fromkeys(row))
        if len(found) > _MOST_COLUMNS:
            raise Unusable(f"{path} has more than {_MOST_COLUMNS} different keys.")
    return list(found)


def rows(path: Path, text: IO[str]) -> Iterator[dict[str, str]]:
    """Yield rows, cell by key; raises Unusable for what is not JSON or holds something but objects."""
    for place, one in enumerate(_values(path, text), 1):
        if not isinstance(one, dict):
            raise Unusable(f"{path}: item {place} is not an object.")
        yield from _flat(one)


def _values(path: Path, text: IO[str]) -> Iterator[Any]:
    """Yield the outermost objects one by one, reading on where one is not complete yet."""
    buffer, at = "", 0
    while True:
        while at < len(buffer) and buffer[at] in _BETWEEN:
            at += 1
        try:
            value, at = _decoder.raw_decode(buffer, at)
        except RecursionError:
            raise Unusable(f"{path} is nested too deep.") from None
        except json.JSONDecodeError as error:
            more = text.read(_BLOCK)
            buffer, at = buffer[at:] + more, 0
            if not more and not buffer:
                return
            if not more or len(buffer) > _LONGEST:
                raise Unusable(f"{path} is no JSON of objects: {error.msg}.") from None
            continue
        yield value


def _flat(one: dict[str, Any]) -> Iterator[dict[str, str]]:
    """Yield the rows of one object: one, or as many as its list has objects."""
    beside: dict[str, str] = {}
    within: list[dict[str, Any]] = []
    for key, value in one.items():
        if isinstance(value, dict):
            beside |= {key if k == "name" else k: _cell(v) for k, v in value.items()}
        elif not within and _lines(value):
            within = value
        else:
            beside[key] = _cell(value)
    for each in within or [{}]:
        yield dict(chain(beside.items(), ((key, _cell(value)) for key, value in each.items())))


def _lines(value: object) -> bool:
    return isinstance(value, list) and all(isinstance(each, dict) for each in value)


def _cell(value: object) -> str:
    """Return a value as it would be written into a cell."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "on" if value else "off"
    if isinstance(value, str):
        return value.strip()
    return Unfit(json.dumps(value, ensure_ascii=False)[:_BLOCK])

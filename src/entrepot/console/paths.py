"""Addresses of pages as patterns, in which a choice stands for a plain path each.

A page that answers ``/orders/{id}/cancel`` hides every other method of ``/orders/{id}/{step}`` from
the router, which descends into the plain name and looks no further; so that acts are plain names too.
"""

from __future__ import annotations

import re
from itertools import product
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from urllib.parse import SplitResult

_CHOICE = re.compile(r"\{(\w+):([\w-]+(?:\|[\w-]+)+)\}")
_TYPE = re.compile(r":\w+\}")


def spread(pattern: str) -> Mapping[str, Mapping[str, str]]:
    """Return what was chosen by path: ``/a.{kind:csv|xlsx}`` → ``/a.csv``: {kind: csv}, ``/a.xlsx``: …."""
    names = [hit[1] for hit in _CHOICE.finditer(pattern)]
    choices = [hit[2].split("|") for hit in _CHOICE.finditer(pattern)]
    return {
        _filled(pattern, taken): dict(zip(names, taken, strict=True)) for taken in product(*choices)
    }


def untyped(path: str) -> str:
    """Return a path as the router calls its own: ``/orders/{order_id:int}`` → ``/orders/{order_id}``."""
    return _TYPE.sub("}", path)


def parts_of(address: str) -> SplitResult:
    """Return the parts of an address that a browser sent; of one that is none, those of nothing."""
    try:
        return urlsplit(address)
    except ValueError:
        return urlsplit("")


def _filled(pattern: str, taken: Sequence[str]) -> str:
    left = iter(taken)
    return _CHOICE.sub(lambda _hit: next(left), pattern)

"""Batches: many items in one request and one transaction, each answered for itself."""

from __future__ import annotations

from typing import TYPE_CHECKING, Generic, TypeVar

from msgspec import Struct

from entrepot.api import problems
from entrepot.api.problems import Problem
from entrepot.errors import Refused

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

T = TypeVar("T")
Value = TypeVar("Value")

MOST = 500
"""Items that one request may hold."""


class Done(Struct, Generic[T], frozen=True, kw_only=True, omit_defaults=True):
    """What became of one item: its ``result``, or the ``problem`` it was refused for (status 400 and up)."""

    status: int
    result: T | None = None
    problem: Problem | None = None


class Batch(Struct, Generic[T], frozen=True, kw_only=True):
    """The outcomes of a batch, in the order of its items."""

    outcomes: list[Done[T]]


def batch(
    outcomes: Iterable[Value | Refused], shown: Callable[[Value], T], status: int = 200
) -> Batch[T]:
    """Return a flow's outcomes as a reply; ``status`` is that of an item which was done."""
    return Batch(
        outcomes=[
            Done(status=problems.status_of(one), problem=problems.of(one))
            if isinstance(one, Refused)
            else Done(status=status, result=shown(one))
            for one in outcomes
        ]
    )

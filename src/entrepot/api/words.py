"""The plain types that requests are made of, each as narrow as the database is."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated

from msgspec import Meta, Struct

from entrepot.decode import MOST
from entrepot.errors import Missing

Id = Annotated[str, Meta(pattern=r"^[1-9][0-9]{0,18}$", max_length=19)]
"""Ids are text on the wire: they exceed what JavaScript counts exactly."""
SAID = r"[^\s\u0085\u001c-\u001f\ufeff]"
"""Some character that is no white space, to every engine that reads the pattern."""
Code = Annotated[str, Meta(pattern=SAID, min_length=1, max_length=200)]
"""A name that something is found by."""
Words = Annotated[str, Meta(max_length=2000)]
"""A short text."""
Pieces = Annotated[int, Meta(ge=1, le=MOST)]
Count = Annotated[int, Meta(ge=0, le=MOST)]

Outside = Annotated[int, Meta(ge=0, le=2**53 - 1)]
"""A number by which others name something: people, customers, goods on screens."""
RANGE = "is out of range"
"""Stands in the message of a value that decodes and is refused all the same."""

_BIGGEST = 2**63 - 1
_NOUNS = {"outlets": "locations", "pieces": "stock"}
_STEP = Decimal("0.0001")


class Body(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Part of a request; its decimals are not negative and have at most 15 whole and 4 decimal digits."""

    def __post_init__(self) -> None:
        """Refuse decimals that no column holds."""
        for name in self.__struct_fields__:
            value = getattr(self, name)
            if isinstance(value, Decimal) and not _fits(value):
                message = f"{name} {RANGE}: at least 0, with at most 15 whole and 4 decimal digits"
                raise ValueError(message)


def _fits(value: Decimal) -> bool:
    return value.is_finite() and 0 <= value < 10**15 and value == value.quantize(_STEP)


def number(text: str, what: str = "document") -> int:
    """Return an id as the database knows it; raises Missing for one beyond every id."""
    if int(text) > _BIGGEST:
        raise missing(what, text)
    return int(text)


def noun_of(kind: str) -> str:
    """Return the noun whose right a kind of file takes."""
    return _NOUNS.get(kind, kind)


def missing(what: str, text: str) -> Missing:
    """Return the refusal of an id that names nothing."""
    return Missing(f"unknown_{what}", f"There is no {what} with the id {text}.")

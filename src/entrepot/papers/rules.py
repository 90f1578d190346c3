"""Papers: their shape, their numbers, and how a search becomes bitmaps. Pure."""

from __future__ import annotations

from datetime import date, datetime
from typing import TYPE_CHECKING

from msgspec import Struct

from entrepot.people.rules import PAPERWORK, Actor, Policy

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from entrepot.connections.rules import TenantSettings

BLOCK = 16384
"""How many papers one bitmap speaks of (the table has it too)."""

VARIANTS: Mapping[str, tuple[str, ...]] = {"AP": ("BEFORE", "AFTER"), "SR": ("",)}
_GAP = "\0"  # stands where a text is shorter than others; no text of ours holds it


class Paper(Struct, frozen=True, kw_only=True):
    """The head of a paper. Times are UTC, None where the step was not taken."""

    kind: str
    id: int
    number: str
    variant: str
    state: str
    order_id: int
    order_number: str
    customer_id: int
    platform_id: int
    remark: str
    creator: int
    creator_name: str
    creator_role: int
    created_at: datetime
    modified_at: datetime | None
    run_at: datetime | None
    passed_at: datetime | None
    refused_at: datetime | None
    received_at: datetime | None
    completed_at: datetime | None

    @property
    def rights(self) -> str:
        """The kind under which ``people.rules.PAPERWORK`` lists its rights."""
        return self.variant or self.kind


class NewPaper(Struct, frozen=True, kw_only=True):
    """A paper about to be filed; ``what`` is the first line of its log."""

    variant: str = ""
    state: str
    order_id: int
    order_number: str
    customer_id: int
    platform_id: int = 1
    remark: str = ""
    actor: Actor
    what: str


class Step(Struct, frozen=True, kw_only=True):
    """One action taken on a paper, and what its log says of it; ``remark`` None keeps the paper's."""

    paper: Paper
    action: str
    to: str
    actor: Actor
    what: str
    order_id: int | None = None
    order_number: str | None = None
    customer_id: int | None = None
    platform_id: int | None = None
    remark: str | None = None


class LogLine(Struct, frozen=True, kw_only=True):
    """One line of a paper's log."""

    step: int
    at: datetime
    who: int
    who_name: str
    who_role: int
    before: str
    after: str
    what: str


class Search(Struct, frozen=True, kw_only=True):
    """Which papers of a kind: every condition given must hold; ``""`` and ``()`` hold for all.

    ``number``, ``order`` and ``customer`` match any part of the paper's number, the order's number, the
    customer's name; ``either`` one of the two numbers. ``page`` counts from 1.
    """

    kind: str
    variants: tuple[str, ...] = ()
    states: tuple[str, ...] = ()
    number: str = ""
    order: str = ""
    either: str = ""
    customer: str = ""
    page: int = 1
    size: int = 25


class Probe(Struct, frozen=True):
    """One character a text must have at one place, for one of the ways a keyword may lie in it."""

    term: int
    way: int
    length: int
    key: str


def lane(kind: str, paper_id: int) -> int:
    """Return the key under which what happens to a paper is told in order; ids of kinds overlap."""
    return paper_id * len(VARIANTS) + list(VARIANTS).index(kind)


def policy(settings: TenantSettings) -> Policy:
    """Return the settings that bear on rights."""
    return Policy(
        four_eyes=settings.four_eyes == "on",
        refund_requires_receipt=settings.refund_requires_receipt == "on",
    )


def number(kind: str, day: date, count: int) -> str:
    """Return a paper's number: kind, day, and its 7-digit place among that day's."""
    return f"{kind}{day:%y%m%d}{count:07}"


def state_keys(search: Search) -> list[str]:
    """Return the bitmaps' keys of every state the search asks for."""
    return [
        state_key(variant, state)
        for variant in search.variants or VARIANTS[search.kind]
        for kind, state in PAPERWORK
        if kind == (variant or search.kind) and state and state in (search.states or (state,))
    ]


def state_key(variant: str, state: str) -> str:
    """Return the key of the bitmap of papers in that state."""
    return f"state/{variant}/{state}"


def probes(search: Search, widths: Mapping[str, int]) -> list[Probe]:
    """Return what the keywords of a search mean to the bitmaps.

    ``widths`` are the longest texts of the fields ``number`` and ``order``. A keyword is a term; each
    place it may begin at, in each field it may be part of, is a way. A paper meets the search when for
    every term it has all characters of one way.
    """
    terms = (
        (search.number, ("number",)),
        (search.order, ("order",)),
        (search.either, ("number", "order")),
    )
    found: list[Probe] = []
    ways = 0
    for term, (keyword, fields) in enumerate(terms):
        if not keyword:
            continue
        for field in fields:
            for start in range(widths[field] - len(keyword) + 1):
                ways += 1
                found += [
                    Probe(term, ways, len(keyword), f"{field}/{start + at}/{char}")
                    for at, char in enumerate(keyword)
                ]
    return found


def slices(field: str, texts: Sequence[str]) -> Iterator[tuple[str, str | None]]:
    """Return (key, bits) for every character at every place of one block's texts, ``""`` where none.

    The bits are written as ``0`` and ``1``; what the block lacks at its end is left out. They are None
    where every text has that character there, as most have at most places: ``AP``, the year, the zeros.
    """
    width = max(map(len, texts), default=0)
    for at, column in enumerate(zip(*(text.ljust(width, _GAP) for text in texts), strict=True)):
        written = "".join(column)
        chars = set(column)
        for char in chars - {_GAP}:
            bits = written.translate({ord(other): "01"[other == char] for other in chars})
            yield f"{field}/{at}/{char}", None if len(chars) == 1 else bits


def differing(field: str, one: str, other: str) -> set[str]:
    """Return the keys of the bitmaps in which two texts differ."""
    keys = [{f"{field}/{at}/{char}" for at, char in enumerate(text)} for text in (one, other)]
    return keys[0] ^ keys[1]


def by_bit(rows: Iterable[tuple[int, str]], block: int) -> list[str]:
    """Return a block's texts in the order of their bits, with ``""`` for ids that have none."""
    texts = [""] * BLOCK
    for paper_id, text in rows:
        texts[paper_id - block * BLOCK] = text
    return texts

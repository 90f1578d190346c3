"""What adjustments and returns have in common on the wire: heads, logs, actions, and how they are found."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Annotated, TypeVar

from msgspec import Meta, Struct

from entrepot.api import paging
from entrepot.api.paging import Number, Page, Paged
from entrepot.api.words import Code, Outside
from entrepot.db import Tx, queries
from entrepot.errors import Refused
from entrepot.orders import accounts
from entrepot.papers import pages
from entrepot.people.rules import PAPERWORK, Policy, may

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from entrepot.api.desk import Caller
    from entrepot.papers.rules import LogLine, Paper

T = TypeVar("T")
_NEWEST = 2**63 - 1
_q = queries(__package__)


class Head(Struct, frozen=True, kw_only=True):
    """A paper: what it is about, who filed it, and when it took which step (null: not yet).

    ``actions`` are what the person this token acts for may do with it now.
    """

    number: str
    state: str
    order: str
    customer_id: int
    filed_by: str
    created_at: datetime
    modified_at: datetime | None
    run_at: datetime | None
    passed_at: datetime | None
    refused_at: datetime | None
    completed_at: datetime | None
    actions: list[str]


class PaperLogged(Struct, frozen=True, kw_only=True):
    """A step that somebody took on a paper, and the states around it."""

    at: datetime
    who: str
    before: str
    after: str
    what: str


class PapersWanted(Paged, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which papers, newest first; ``order`` is an order's number."""

    state: Annotated[str, Meta(max_length=50)] | None = None
    order: Code | None = None
    customer_id: Outside | None = None


class Numbered(Struct, frozen=True, kw_only=True):
    """A paper by its number, and the state it is in now."""

    number: str
    state: str


async def found(tx: Tx, kind: str, wanted: PapersWanted, variant: str | None = None) -> list[Paper]:
    """Return the papers of a page, and one more where there are more."""
    (before,) = paging.start(wanted, tuple[Number]) or (_NEWEST,)
    rows = await tx.rows(
        *(_q.papers, kind, before, wanted.limit + 1, variant),
        *(wanted.state, wanted.order, wanted.customer_id),
    )
    return [pages.paper(row) for row in rows]


def page(papers: Sequence[Paper], wanted: PapersWanted, shown: Callable[[Paper], T]) -> Page[T]:
    """Return papers as a page."""
    return paging.page(papers, wanted, lambda paper: (paper.id,), shown)


async def customers(tx: Tx, orders: Sequence[str]) -> dict[str, int]:
    """Return whose orders these are, by number; those without prices are left out."""
    ids = await accounts.find(tx, orders)
    known = await accounts.read(tx, ids.values())
    return {
        number: known[order_id].customer_id for number, order_id in ids.items() if order_id in known
    }


def head(caller: Caller, paper: Paper, policy: Policy) -> Head:
    """Return a paper's head, with what the caller's person may do."""
    able = PAPERWORK[paper.rights, paper.state] if caller.person else {}
    return Head(
        number=paper.number,
        state=paper.state,
        order=paper.order_number,
        customer_id=paper.customer_id,
        filed_by=paper.creator_name,
        created_at=paper.created_at,
        modified_at=paper.modified_at,
        run_at=paper.run_at,
        passed_at=paper.passed_at,
        refused_at=paper.refused_at,
        completed_at=paper.completed_at,
        actions=[
            action
            for action in able
            if caller.person
            and may(caller.person, action, paper.rights, paper.state, paper.creator, policy)
        ],
    )


def logged(log: Sequence[LogLine]) -> list[PaperLogged]:
    """Return a log, newest first."""
    return [
        PaperLogged(
            at=line.at, who=line.who_name, before=line.before, after=line.after, what=line.what
        )
        for line in log
    ]


def numbered(numbers: Sequence[str], states: Sequence[str | Refused]) -> list[Numbered | Refused]:
    """Return what became of acts on papers, by number."""
    return [
        state if isinstance(state, Refused) else Numbered(number=number, state=state)
        for number, state in zip(numbers, states, strict=True)
    ]

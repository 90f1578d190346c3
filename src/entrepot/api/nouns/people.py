"""People: who works with the hub in which role, and the tokens that programs call with."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal

from msgspec import Meta, Struct

from entrepot.api import paging, words
from entrepot.api.batch import MOST
from entrepot.api.desk import Desk
from entrepot.api.operation import Created, reads, writes
from entrepot.api.paging import Number, Page, Paged
from entrepot.api.words import Body, Code, Id
from entrepot.connections.flows import audit
from entrepot.db import Row, Tx, queries
from entrepot.errors import NotAllowed
from entrepot.people import flows, tokens
from entrepot.people.rules import Role

RoleName = Literal["none", "sales", "cpa", "finance", "warehouse", "admin"]
_q = queries(__package__)


class Person(Struct, frozen=True, kw_only=True):
    """Someone who works with the hub; ``active`` false: let in no longer."""

    id: str
    login: str
    name: str
    role: RoleName
    active: bool


class NewPerson(Body, frozen=True, kw_only=True):
    """Someone to be added, or changed where the login is known; lets them in again."""

    login: Code
    name: Code
    role: RoleName = "none"


class NewPeople(Body, frozen=True, kw_only=True):
    """People to be saved: all of them or none. The last of repeated logins counts."""

    people: Annotated[list[NewPerson], Meta(min_length=1, max_length=MOST)]


class SavedPerson(Struct, frozen=True, kw_only=True):
    """A person who was saved."""

    id: str
    login: str


class SavedPeople(Struct, frozen=True, kw_only=True):
    """The people saved, by login."""

    people: list[SavedPerson]


class LetIn(Body, frozen=True, kw_only=True):
    """Whether somebody is let in."""

    active: bool


class Token(Struct, frozen=True, kw_only=True):
    """A token: a program's (``scopes``), a person's (``login``), or both: a program that acts for one.

    ``per_minute`` calls are allowed to a program, 0: any number; ``ended_at`` null: it counts.
    """

    id: str
    name: str
    login: str | None
    scopes: list[str]
    per_minute: int
    created_at: datetime
    ended_at: datetime | None


class NewToken(Body, frozen=True, kw_only=True):
    """A token for a program; it may do no more than the one that asks for it."""

    name: Code
    scopes: Annotated[list[Code], Meta(min_length=1, max_length=50)]
    login: Code | None = None
    per_minute: Annotated[int, Meta(ge=0, le=1_000_000)] = flows.PER_MINUTE


class TokenMade(Struct, frozen=True, kw_only=True):
    """A token, shown this once."""

    token: str
    scopes: list[str]


@reads("/people", "people")
async def list_people(tx: Tx, desk: Desk, query: Paged) -> Page[Person]:
    """List everyone, in the order in which they were added."""
    del desk
    (after,) = paging.start(query, tuple[Number]) or (0,)
    found = await tx.rows(_q.people, after, query.limit + 1)
    return paging.page(found, query, lambda row: (row["id"],), _person)


@reads("/people/{id}", "people", tagged=True)
async def show_person(tx: Tx, desk: Desk, id: Id) -> Person:  # noqa: A002 - the path's word
    """Show one person."""
    del desk
    row = await tx.row(_q.person, words.number(id, "person"))
    if row is None:
        raise words.missing("person", id)
    return _person(row)


@writes("POST", "/people", "people")
async def save_people(tx: Tx, desk: Desk, body: NewPeople) -> SavedPeople:
    """Add people, or change the names and roles of those whose logins are known."""
    new = {
        one.login: flows.Person(login=one.login, name=one.name, role=Role[one.role.upper()])
        for one in body.people
    }
    found = await flows.add(tx, list(new.values()))
    for login in sorted(new):
        role = new[login].role.name.lower()
        await audit(tx, desk.who, "person set", login, details={"role": role})
    return SavedPeople(
        people=[SavedPerson(id=str(found[login]), login=login) for login in sorted(found)]
    )


@writes("PATCH", "/people/{id}", "people", tagged=True, of=show_person)
async def let_person_in(tx: Tx, desk: Desk, id: Id, body: LetIn) -> Person:  # noqa: A002
    """Let somebody in no longer, or again; their tokens follow at once, their papers stay."""
    present = await show_person.handler(tx, desk, id)
    await flows.set_active(tx, present.login, active=body.active)
    await audit(tx, desk.who, "person set" if body.active else "person end", present.login)
    changed: Person = await show_person.handler(tx, desk, id)
    return changed


@reads("/tokens", "people")
async def list_tokens(tx: Tx, desk: Desk, query: Paged) -> Page[Token]:
    """List tokens, the oldest first; the tokens themselves are kept nowhere."""
    del desk
    (after,) = paging.start(query, tuple[Number]) or (0,)
    found = await tx.rows(_q.tokens, after, query.limit + 1)
    return paging.page(found, query, lambda row: (row["id"],), _token)


@writes("POST", "/tokens", "people", status=201)
async def create_token(tx: Tx, desk: Desk, body: NewToken) -> Created[TokenMade]:
    """Make a token for a program; it is shown this once."""
    scopes = tokens.scopes(body.scopes)
    for scope in scopes:
        if not tokens.allows(desk.caller.scopes, scope):
            text = f"This token lacks the scope {scope} itself."
            raise NotAllowed("lacks_scope", text, scope=scope)
    made = await flows.add_token(
        tx, body.name, login=body.login, scopes=scopes, per_minute=body.per_minute
    )
    details = {"scopes": scopes, "login": body.login}
    await audit(tx, desk.who, "token create", body.name, details=details)
    shown = tokens.shown(desk.caller.tenant_id, made)
    return Created(TokenMade(token=shown, scopes=scopes), "/tokens")


@writes("POST", "/tokens/{id}/end", "people")
async def end_token(tx: Tx, desk: Desk, id: Id) -> Token:  # noqa: A002 - the path's word
    """End a token at once."""
    number = words.number(id, "token")
    await flows.end_token(tx, number)
    await audit(tx, desk.who, "token revoke", id)
    row = await tx.row(_q.token, number)
    assert row is not None  # noqa: S101 - it was ended a moment ago
    return _token(row)


def _person(row: Row) -> Person:
    role: Any = Role(row["role"]).name.lower()
    return Person(
        id=str(row["id"]), login=row["login"], name=row["name"], role=role, active=row["active"]
    )


def _token(row: Row) -> Token:
    return Token(
        id=str(row["id"]),
        name=row["name"],
        login=row["login"],
        scopes=row["scopes"],
        per_minute=row["per_minute"],
        created_at=row["created_at"],
        ended_at=row["ended_at"],
    )

"""The list of people, one person, the table of rights, tokens of the native API."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING, Any

from entrepot import decode
from entrepot.connections.flows import audit
from entrepot.console.access import flows as access
from entrepot.console.rights import DUTIES, RIGHTS, ROLES, rights_of
from entrepot.console.visit import Visit, get, post
from entrepot.console.words import _
from entrepot.db import queries
from entrepot.errors import BadInput, Conflict, Missing
from entrepot.people import flows
from entrepot.people.flows import Person
from entrepot.people.rules import PAPERWORK, Role
from entrepot.people.tokens import scopes as read_scopes
from entrepot.people.tokens import shown

if TYPE_CHECKING:
    from litestar import Response

    from entrepot.db import Row, Tx

_q = queries(__package__)


@get("/people", "people.edit")
async def people(visit: Visit) -> Response[Any]:
    """Everybody of the tenant."""
    async with visit.reading() as tx:
        rows = await tx.rows(_q.people, None)
    return visit.show("people/list.html", rows=rows, duties=DUTIES)


@get("/people/new", "people.edit")
async def new_page(visit: Visit) -> Response[Any]:
    """Ask who the new person is."""
    return visit.show("people/person.html", person=None, roles=_roles(), duties=DUTIES)


@post("/people/new", "people.edit")
async def new(visit: Visit) -> Response[Any]:
    """Make a person; the one-time password is shown once."""
    login = visit.form.get("login", "").strip()
    if not login or "@" in login or len(login) > 60 or not decode.storable(login):
        raise BadInput("login_unclear", "A name to sign in with, without @.", path="login")
    async with visit.transaction() as tx:
        if any(row["login"] == login for row in await tx.rows(_q.people, None)):
            raise Conflict("login_taken", f"Somebody signs in as {login} already.", login=login)
        made = await flows.add(tx, [Person(login=login, name=_name(visit), role=_role(visit))])
        password = await _give_password(tx, made[login])
        await access.set_duties(tx, made[login], _duties(visit))
        await audit(tx, visit.who, "person let in", login)
    return _password_shown(visit, login, password)


@get("/people/roles", "people.edit")
async def roles(visit: Visit) -> Response[Any]:
    """The table of rights: who may see and do what."""
    columns = [(_(word), rights_of(int(role), ())) for role, word in ROLES.items() if role]
    columns += [(_(word), rights_of(0, [duty])) for duty, word in DUTIES.items()]
    return visit.show(
        "people/roles.html", columns=columns, rights=RIGHTS, paperwork=PAPERWORK, roles=ROLES
    )


@get("/people/{person_id:int}", "people.edit")
async def person(visit: Visit) -> Response[Any]:
    """One person."""
    async with visit.reading() as tx:
        row = await _person(visit, tx)
    return visit.show("people/person.html", person=row, roles=_roles(), duties=DUTIES)


@post("/people/{person_id:int}", "people.edit")
async def change(visit: Visit) -> Response[Any]:
    """Change name, role and duties."""
    async with visit.transaction() as tx:
        row = await _person(visit, tx)
        if row["id"] == visit.seat.person_id and _role(visit) != row["role"]:
            raise Conflict("own_role", "Nobody changes their own role.")
        one = Person(id=row["id"], login=row["login"], name=_name(visit), role=_role(visit))
        await flows.add(tx, [one])
        if not row["active"]:
            await flows.set_active(tx, row["login"], active=False)
        if row["can_sign_in"]:
            await access.set_duties(tx, row["id"], _duties(visit))
        details = {"role": int(one.role), "duties": ", ".join(_duties(visit))}
        await audit(tx, visit.who, "person save", row["login"], details=details)
    return visit.go(f"/people/{row['id']}", _("It is saved."))


@post("/people/{person_id:int}/{act:lock|open|password|totp}", "people.edit")
async def act(visit: Visit) -> Response[Any]:
    """Lock out, let in, reset the password, or take the second factor away."""
    what = visit.path["act"]
    async with visit.transaction() as tx:
        row = await _person(visit, tx)
        if row["id"] == visit.seat.person_id:
            raise Conflict("own_account", "Your own account is under your name, at the top.")
        if what in ("lock", "open"):
            await flows.set_active(tx, row["login"], active=what == "open")
            await access.end_others(tx, row["id"], 0)
            word = "person lock out" if what == "lock" else "person let in"
            await audit(tx, visit.who, word, row["login"])
        elif what == "password":
            password = await _give_password(tx, row["id"])
            await audit(tx, visit.who, "password reset", row["login"])
        else:
            await access.drop_totp(tx, row["id"])
            await audit(tx, visit.who, "second factor reset", row["login"])
    if what == "password":
        return _password_shown(visit, row["login"], password)
    return visit.go(f"/people/{row['id']}", _("It is done."))


@get("/tokens", "people.edit")
async def tokens(visit: Visit) -> Response[Any]:
    """Tokens that programs and people call with."""
    async with visit.reading() as tx:
        rows = await flows.tokens(tx)
    return visit.show("people/tokens.html", rows=rows[::-1])


@post("/tokens", "people.edit")
async def new_token(visit: Visit) -> Response[Any]:
    """Make a token for a program; it is shown once."""
    name = visit.form.get("name", "").strip()
    if not name or not decode.storable(name):
        raise BadInput("name_missing", "It needs a name.", path="name")
    scopes = read_scopes(visit.form.get("scopes", "").replace(",", " ").split())
    if not scopes:
        raise BadInput("unknown_scope", "Say at least one scope.", path="scopes")
    async with visit.transaction() as tx:
        token = await flows.add_token(tx, name, scopes=scopes)
        await audit(tx, visit.who, "token make", name, details={"scopes": " ".join(scopes)})
    return _main(
        visit.show("people/token.html", name=name, token=shown(visit.seat.tenant_id, token))
    )


@post("/tokens/{token_id:int}/end", "people.edit")
async def end_token(visit: Visit) -> Response[Any]:
    """End a token at once."""
    async with visit.transaction() as tx:
        await flows.end_token(tx, visit.path["token_id"])
        await audit(tx, visit.who, "token end", str(visit.path["token_id"]))
    return visit.go("/tokens", _("The token counts no more."))


PAGES = [people, new_page, new, roles, person, change, act, tokens, new_token, end_token]


async def _person(visit: Visit, tx: Tx) -> Row:
    row = await tx.row(_q.people, visit.path["person_id"])
    if row is None:
        raise Missing("unknown_person", "There is no such person.")
    return row


def _roles() -> list[tuple[int, str]]:
    return [(code, _(word)) for code, word in ROLES.items()]


def _name(visit: Visit) -> str:
    return visit.form.get("name", "").strip()[:60]


def _role(visit: Visit) -> Role:
    code = visit.form.get("role", "0")
    return Role(int(code)) if code.isdigit() and int(code) in ROLES else Role.NONE


def _duties(visit: Visit) -> list[str]:
    return [duty for duty in DUTIES if visit.form.get(f"duty-{duty}") == "1"]


async def _give_password(tx: Tx, person_id: int) -> str:
    password = secrets.token_urlsafe(12)
    await access.set_account(tx, person_id, password, must_change=True)
    return password


def _password_shown(visit: Visit, login: str, password: str) -> Response[Any]:
    return _main(visit.show("people/password.html", login=login, password=password))


def _main(response: Response[Any]) -> Response[Any]:
    """Have htmx draw the whole page's main part, wherever the form was."""
    response.headers |= {"hx-retarget": "#main", "hx-reselect": "#main", "hx-reswap": "outerHTML"}
    return response

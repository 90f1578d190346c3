"""The first account of a hub: whoever installs it must be able to come in once."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING

from entrepot.connections.flows import audit
from entrepot.console.access import flows
from entrepot.db import queries
from entrepot.errors import Missing
from entrepot.people import flows as people
from entrepot.people.rules import Role

if TYPE_CHECKING:
    from collections.abc import Callable

    from entrepot.console.hub import Hub
    from entrepot.db import Tx

_q = queries(__package__)
_DEMO, _DEMO_PASSWORD = "demo", "entrepot-demo"
_LOGIN = "admin"


async def first_accounts(hub: Hub, say: Callable[[str], None], *, demo: bool) -> None:
    """Give every tenant in which nobody can sign in its ``admin``.

    The password is made here, said once and must be changed; the demonstration's is known to everybody
    and counts only while the hub listens on loopback. Only a demonstration's own tenant gets that one.
    """
    for tenant_id, (name, _) in hub.registry.tenants.items():
        async with hub.db.transaction(tenant_id) as tx:
            shown = demo and name == _DEMO
            if (demo and not shown) or await tx.value(_q.any_account):
                continue
            admin = people.Person(login=_LOGIN, name="管理员" if demo else "", role=Role.ADMIN)
            person_id = (await people.add(tx, [admin]))[_LOGIN]
            password = _DEMO_PASSWORD if shown else secrets.token_urlsafe(12)
            await flows.set_account(
                tx, person_id, password, must_change=not shown, only_local=shown
            )
        if not shown:
            say(f"Sign in to tenant {name} as {_LOGIN} with the one-time password {password}")


async def new_password(tx: Tx, login: str, who: str) -> str:
    """Return a one-time password for somebody who lost theirs, with an account where they had none.

    Their sessions end; the role stays what it is. Raises Missing for a login that nobody has.
    """
    person = next((one for one in await people.listed(tx) if one.login == login), None)
    if person is None or person.id is None:
        raise Missing("unknown_person", f"Nobody is called {login}.", login=login)
    password = secrets.token_urlsafe(12)
    await flows.set_account(tx, person.id, password, must_change=True)
    await audit(tx, who, "password reset", login)
    return password

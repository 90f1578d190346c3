"""People and their tokens on a real database."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from entrepot import ids
from entrepot.api import access
from entrepot.api.desk import Caller
from entrepot.connections import flows as connections
from entrepot.errors import Missing, NotAllowed
from entrepot.people import flows
from entrepot.people.flows import Credential, Person
from entrepot.people.rules import Actor, Role

if TYPE_CHECKING:
    from entrepot.db import Database, Tx


async def test_a_person_is_found_by_login_and_by_token_until_let_in_no_longer(
    database: Database,
) -> None:
    """Ids are the next free ones; a changed role counts at once; tokens are kept as hashes only."""

    async def work(tx: Tx) -> None:
        await connections.add_tenant(tx, "t", {})
        people = [
            Person(id=518, login="sales", name="孙启萌", role=Role.SALES),
            Person(login="cpa", name="郑审", role=Role.CPA),
        ]
        assert await flows.add(tx, people) == {"sales": 518, "cpa": 519}
        token = await flows.add_token(tx, "desk", login="cpa")
        shown = [Credential(login="sales"), Credential(token=token), Credential(token="no")]
        sales, cpa, nobody = await flows.callers(tx, shown)
        assert sales == Actor(id=518, name="孙启萌", role=Role.SALES)
        assert cpa == Actor(id=519, name="郑审", role=Role.CPA)
        assert isinstance(nobody, NotAllowed)
        kept = await tx.value("SELECT string_agg(t::text, '') FROM token t WHERE tenant_id = $1")
        assert token not in kept
        await flows.add(tx, [Person(login="cpa", name="郑审", role=Role.FINANCE)])
        (again,) = await flows.callers(tx, shown[1:2])
        assert isinstance(again, Actor)
        assert again.role is Role.FINANCE
        await flows.set_active(tx, "cpa", active=False)
        assert isinstance((await flows.callers(tx, shown[1:2]))[0], NotAllowed)
        assert [(p.login, p.active) for p in await flows.listed(tx)] == [
            ("sales", True),
            ("cpa", False),
        ]

    async with database.transaction(ids.new()) as tx:
        await work(tx)


async def test_a_program_has_scopes_and_its_token_an_end(database: Database) -> None:
    """A person's token is no program's, nor the other way round."""
    async with database.transaction(ids.new()) as tx:
        await connections.add_tenant(tx, "t", {})
        await flows.add(tx, [Person(login="a", name="A")])
        mine = await flows.add_token(tx, "mine", login="a")
        token = await flows.add_token(tx, "shop", scopes=["orders:write"])
        found, none = await access.admit(tx, [token, mine])
        assert isinstance(found, Caller)
        assert (found.name, found.scopes) == ("shop", frozenset({"orders:write"}))
        assert isinstance(none, NotAllowed)
        assert isinstance((await flows.callers(tx, [Credential(token=token)]))[0], NotAllowed)
        listed = {one.name: one for one in await flows.tokens(tx)}
        assert (listed["mine"].login, listed["shop"].login) == ("a", None)
        await flows.end_token(tx, listed["shop"].id)
        assert isinstance((await access.admit(tx, [token]))[0], NotAllowed)
        with pytest.raises(Missing):
            await flows.end_token(tx, listed["shop"].id)


async def test_nobody_is_told_so(database: Database) -> None:
    """A login that is not there has no token and cannot be let in."""
    async with database.transaction(ids.new()) as tx:
        await connections.add_tenant(tx, "t", {})
        with pytest.raises(Missing, match="ghost"):
            await flows.add_token(tx, "x", login="ghost")
        with pytest.raises(Missing, match="ghost"):
            await flows.set_active(tx, "ghost", active=True)

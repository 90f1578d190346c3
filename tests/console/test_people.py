"""People, roles, tokens, the tenant's settings and the audit log on the console."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from entrepot.console.app import create_app
from entrepot.people import tokens
from tests.console.person import Person
from tests.console.world import World

if TYPE_CHECKING:
    from entrepot.hub import Hub


@pytest.fixture
def world(hub: Hub) -> World:
    """Give what is in the hub."""
    return World(hub)


async def _let_in(admin: Person, login: str, **form: str) -> str:
    """Make a person; return their one-time password."""
    await admin.get("/people/new")
    page = await admin.post("/people/new", {"login": login, "name": login, "role": "0", **form})
    found = re.search(r'data-copy="([\w-]{16})"', page.text)
    assert found is not None
    return found[1]


async def test_a_person_is_let_in_with_a_password_shown_once(hub: Hub, admin: Person) -> None:
    """They must replace it, and may then do what their duties allow, no more."""
    password = await _let_in(admin, "mei", **{"duty-operator": "1"})
    mei = Person(create_app(hub))
    assert (await mei.sign_in("mei", password)).path == "/sign-in/password"
    form = {"old": password, "password": "a password of her own"}
    assert (await mei.post("/sign-in/password", form)).path == "/"
    assert (await mei.get("/deliveries")).status == 200
    assert (await mei.get("/people")).status == 403
    assert password not in (await admin.get("/people")).text
    await admin.get("/people/new")
    for wrong in ("", "mei", "a@b", "x" * 61, "a\x00"):
        page = await admin.post("/people/new", {"login": wrong}, hx_request="true")
        assert page.status == 422, wrong


async def test_a_person_is_changed_locked_out_and_let_in_again(
    hub: Hub, admin: Person, world: World
) -> None:
    """Locked out their sessions end at once; each step is audited; nobody does it to themselves."""
    password = await _let_in(admin, "bo")
    one = await world.value("SELECT id FROM person WHERE tenant_id = $1 AND login = 'bo'")
    bo = Person(create_app(hub))
    await bo.sign_in("bo", password)
    await admin.get(f"/people/{one}")
    page = await admin.post(f"/people/{one}", {"name": "波", "role": "1", "duty-auditor": "1"})
    assert "It is saved." in page.words
    assert "波" in (await admin.get("/people")).words
    await admin.post(f"/people/{one}/lock")
    assert (await bo.get("/")).path.startswith("/sign-in")
    await admin.get(f"/people/{one}")
    await admin.post(f"/people/{one}", {"name": "波", "role": "2"})
    assert "Locked out" in (await admin.get(f"/people/{one}")).words
    await admin.post(f"/people/{one}/open")
    again = await admin.post(f"/people/{one}/password")
    found = re.search(r'data-copy="([\w-]{16})"', again.text)
    assert found is not None
    assert (await bo.sign_in("bo", found[1])).path == "/sign-in/password"
    await admin.get(f"/people/{one}")
    assert "It is done." in (await admin.post(f"/people/{one}/totp")).words
    said = (await admin.get("/audit?q=bo")).words
    for word in (
        "Locked a person out",
        "Let a person in",
        "Reset a password",
        "second factor away",
    ):
        assert word in said
    me = await world.value("SELECT id FROM person WHERE tenant_id = $1 AND login = 'admin'")
    await admin.get(f"/people/{me}")
    for act, form in (("", {"role": "1"}), ("/lock", {}), ("/password", {})):
        assert (await admin.post(f"/people/{me}{act}", form, hx_request="true")).status == 422
    assert (await admin.get("/people/1")).status == 404


async def test_the_table_of_rights_is_shown(admin: Person) -> None:
    """Rights by role and duty, and the steps of paperwork."""
    page = await admin.get("/people/roles")
    for word in ("Reveal names, phones and addresses", "Integration engineer", "Warehouse"):
        assert word in page.words


async def test_a_token_is_shown_once_and_ends(admin: Person, world: World) -> None:
    """Its name stands in the list afterwards, the token itself nowhere; ended it counts no more."""
    await admin.get("/tokens")
    page = await admin.post("/tokens", {"name": "till", "scopes": "orders:read, stock:read"})
    found = re.search(r'data-copy="([^"]{20,})"', page.text)
    assert found is not None
    assert tokens.tenant_of(found[1]) is not None  # as the native API takes it
    page = await admin.get("/tokens")
    assert "till" in page.words
    assert "orders:read stock:read" in page.words
    assert found[1] not in page.text
    (end,) = set(re.findall(r'action="(/tokens/\d+/end)"', page.text))
    assert "counts no more" in (await admin.post(end)).words
    assert {"Made a token", "Ended a token"} <= set(
        re.findall("Made a token|Ended a token", (await admin.get("/audit")).words)
    )
    await admin.get("/tokens")
    assert (await admin.post("/tokens", {"name": ""}, hx_request="true")).status == 422
    for scopes in ("", "orders:eat"):
        wrong = {"name": "x", "scopes": scopes}
        assert (await admin.post("/tokens", wrong, hx_request="true")).status == 422
    assert (await admin.post("/tokens/1/end", hx_request="true")).status == 422


async def test_the_tenant_s_settings_are_a_form(admin: Person, world: World) -> None:
    """Only what differs is saved, a wrong value is refused by name, a change is audited."""
    page = await admin.get("/settings")
    assert page.status == 200
    page = await admin.post("/settings", {"four_eyes": "off"})
    assert "The settings are saved." in page.words
    kept = "SELECT settings->>'four_eyes' FROM tenant WHERE tenant_id = $1"
    assert await world.value(kept) == "off"
    assert "Nothing was changed." in (await admin.post("/settings", {"four_eyes": "off"})).words
    bad = await admin.post("/settings", {"four_eyes": "perhaps"}, hx_request="true")
    assert bad.status == 422
    assert "Changed the tenant" in (await admin.get("/audit")).words


async def test_the_audit_log_is_filtered_and_exported(admin: Person) -> None:
    """By what was done, to what, and on which day."""
    await admin.get("/settings")
    await admin.post("/settings", {"four_eyes": "off"})
    assert "Four eyes: Off" in (await admin.get("/audit?what=tenant+set")).words
    assert "Four eyes" not in (await admin.get("/audit?what=sign+in")).words
    assert "Four eyes" not in (await admin.get("/audit?to=2001-01-01")).words
    assert (await admin.get("/audit?q=%00")).status == 200
    assert "four_eyes = off" in (await admin.get("/audit/export.csv")).text

"""Rights: whoever lacks one reads no page and does no act that needs it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from entrepot.console import app, paths
from entrepot.console.rights import RIGHTS, rights_of
from tests.console import world as worlds
from tests.console.person import Person
from tests.console.world import World

if TYPE_CHECKING:
    from entrepot.hub import Hub

_HANDLERS = [handler for part in app._PARTS for handler in part.PAGES]
_EVERYONE = {"", "orders.see", "aftersales.see"}


def _address(path: str) -> str:
    plain = paths.untyped(path)
    for name in plain.split("{")[1:]:
        plain = plain.replace("{" + name.partition("}")[0] + "}", "1")
    return plain


def _needing(method: str) -> list[tuple[str, str]]:
    return sorted(
        (_address(path), one.opt["right"])
        for one in _HANDLERS
        if method in one.http_methods and one.opt["right"] not in _EVERYONE
        for path in one.paths
    )


@pytest.fixture
async def nobody(hub: Hub) -> Person:
    """Give somebody who signs in and has no duty."""
    await World(hub).person("nobody")
    person = Person(app.create_app(hub))
    await person.sign_in("nobody", worlds.PASSWORD)
    return person


async def test_a_page_needs_its_right(nobody: Person) -> None:
    """Every page that needs a right is answered 403 without it, and says whom to ask."""
    needing = _needing("GET")
    assert len(needing) > 20
    for address, _right in needing:
        page = await nobody.get(address)
        assert page.status == 403, address
        assert "Ask an administrator" in page.words


async def test_an_act_needs_its_right(nobody: Person) -> None:
    """Every act that needs a right is answered 403 without it, with and without scripts."""
    needing = _needing("POST")
    assert len(needing) > 20
    for address, _right in needing:
        await nobody.get("/")
        assert (await nobody.post(address, {"reason": "x"})).status == 403, address
        await nobody.get("/")
        with_scripts = await nobody.post(address, {"reason": "x"}, hx_request="true")
        assert with_scripts.status == 403, address
        assert "Ask an administrator" in with_scripts.words


async def test_the_menu_shows_what_one_may_see(nobody: Person, admin: Person) -> None:
    """Somebody without duties finds no partner and no administration; the administrator finds all."""
    plain, whole = (await nobody.get("/")).text, (await admin.get("/")).text
    for part in ("/people", "/tokens", "/audit", "/exchanges", "/connections", "/settings"):
        assert f'href="{part}"' not in plain
        assert f'href="{part}"' in whole


def test_every_right_is_somebody_s_and_known() -> None:
    """No handler asks for a right that no table knows; the administrator has all of them."""
    assert {one.opt["right"] for one in _HANDLERS} <= {*RIGHTS, ""}
    assert rights_of(9, ()) == set(RIGHTS)
    assert rights_of(0, ()) == {"orders.see", "aftersales.see"}

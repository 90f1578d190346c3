"""A dialect is a folder: dropped beside the hub it is discovered, served and passes the suite."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from entrepot import dialects
from entrepot.conform import outgoing, samples
from entrepot.conform.checks import Inspector, Target
from entrepot.connections import flows as connections
from entrepot.connections.flows import NewConnection
from entrepot.errors import Unusable
from tests import running
from tests.conformance.test_dialects import nothing_wrong

if TYPE_CHECKING:
    from entrepot.hub import Hub

PARCEL = Path(__file__).parent / "sixth" / "parcel"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Give a folder that holds one dialect, as a merchant would keep its own."""
    shutil.copytree(PARCEL, tmp_path / "dialects" / "parcel")
    return tmp_path / "dialects"


async def test_a_dropped_folder_is_a_dialect_like_the_others(
    server_url: str, template: str, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No file of the hub changes: it is discovered, gets a connection, and every check holds."""
    monkeypatch.setenv("ENTREPOT_DIALECTS", str(folder))
    parcel = dialects.discover(folder)["parcel"]
    known = samples.read(parcel.folder, "shop")
    assert parcel.folder == folder / "parcel"

    async def connect(hub: Hub) -> str:
        tenant = hub.registry.tenant("demo")
        async with hub.db.transaction(tenant) as tx:
            new = NewConnection(name="parcel", dialect="parcel", settings={"locations": "aaa"})
            await connections.add(tx, hub.vault, hub.dialects, new, who="test")
        await hub.registry.load()
        return hub.registry.base_url(hub.registry.named(tenant, "parcel"))

    with running.demo(server_url, template, ENTREPOT_DIALECTS=str(folder)) as hub:
        base_url = await hub.do(connect)
        hub.wait_until_known(base_url)
        async with Inspector(Target(base_url=base_url, key_in_url=True), known) as inspector:
            nothing_wrong(await inspector.everything())
    nothing_wrong(outgoing.check(parcel.roles["shop"], known))


def test_a_broken_dialect_stops_the_start(folder: Path) -> None:
    """A hub that came up without one of its dialects would lose that partner's orders in silence."""
    (folder / "parcel" / "words.py").write_text("import nothing_of_this_name\n")
    with pytest.raises(Unusable, match=r"parcel.*nothing_of_this_name"):
        dialects.discover(folder)


def test_a_folder_without_a_dialect_stops_the_start(folder: Path) -> None:
    """A forgotten ``dialect =`` is said so."""
    (folder / "parcel" / "__init__.py").write_text("")
    with pytest.raises(Unusable, match="defines no dialect"):
        dialects.discover(folder)


@pytest.mark.parametrize("name", ["parcel", "none"])
def test_a_folder_that_holds_no_dialects_stops_the_start(folder: Path, name: str) -> None:
    """The dialect's own folder is not the one that holds it, and a folder that is not there holds none."""
    with pytest.raises(Unusable, match="name the one above it"):
        dialects.discover(folder / name)


def test_two_dialects_of_one_name_stop_the_start(folder: Path) -> None:
    """Which of them a connection meant could not be told."""
    shutil.copytree(folder / "parcel", folder / "again")
    with pytest.raises(Unusable, match="Two dialects are called 'parcel'"):
        dialects.discover(folder)

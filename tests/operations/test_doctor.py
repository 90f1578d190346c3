"""The doctor on real databases, well and ill."""

from __future__ import annotations

from typing import TYPE_CHECKING

import psycopg

from entrepot.cli.terminal import desk
from entrepot.courier import retention
from entrepot.hub import Hub
from entrepot.operations import doctor
from tests.cli.conftest import run  # noqa: F401 - a fixture

if TYPE_CHECKING:
    from pathlib import Path

    from entrepot.operations.rules import State
    from entrepot.settings import Settings
    from tests.cli.conftest import Run


async def states(settings: Settings) -> dict[str, State]:
    """Return how each check stands."""
    return {one.check: one.state for one in await doctor.examine(settings)}


def sql(settings: Settings, text: str) -> None:
    """Change the database behind the hub's back."""
    with psycopg.connect(settings.database_url or "", autocommit=True) as one:
        one.execute(text.encode())


async def test_a_hub_whose_courier_and_clock_run_is_well(demo_settings: Settings) -> None:
    """Everything is well but what nobody runs here: the courier and the schedules."""
    async with await Hub.open(demo_settings) as hub:
        await retention.tend(hub.db)
    sql(demo_settings, "INSERT INTO courier (id) VALUES (1)")
    sql(demo_settings, "INSERT INTO schedule (tenant_id, name, every) VALUES (0, 'tend', 60)")
    found = await states(demo_settings)
    found.pop("disk")  # the machine's own
    found.pop("durability")  # tests do without fsync
    assert set(found.values()) == {"well"}, found


async def test_levels_of_a_partner_without_a_url_are_nobodys_trouble(
    demo_settings: Settings,
) -> None:
    """A connection that was only just added is told nothing, and is no finding; one with a URL is."""
    level = (
        "INSERT INTO level (tenant_id, connection_id, item, article_id, dirty_since) "
        "SELECT c.tenant_id, c.id, 1, 1, now() - interval '1 day' FROM connection c WHERE c.name = 'goldshop'"
    )
    sql(demo_settings, level + " AND c.partner_url IS NOT NULL ON CONFLICT DO NOTHING")
    assert (await states(demo_settings))["levels"] == "look"
    sql(demo_settings, "UPDATE connection SET partner_url = NULL")
    assert "levels" not in await states(demo_settings)


async def test_what_is_wrong_is_found(demo_settings: Settings) -> None:
    """A balance changed behind the ledger's back, no courier, no clock, an open key file, no partitions."""
    sql(demo_settings, "UPDATE stock SET on_hand = on_hand + 1")
    demo_settings.keys.chmod(0o644)
    try:
        found = await states(demo_settings)
    finally:
        demo_settings.keys.chmod(0o600)
    for check in ("stock", "courier", "schedules", "key file", "partitions"):
        assert found[check] == "wrong", found
    sql(
        demo_settings,
        "INSERT INTO _yoyo_migration (migration_hash, migration_id) VALUES ('x', '9999_y')",
    )
    found = await states(demo_settings)
    assert (found["schema"], "stock" in found) == ("wrong", False)


async def test_an_empty_database_lacks_the_schema(
    empty_database_url: str, demo_settings: Settings, tmp_path: Path
) -> None:
    """Nothing is created by looking: neither tables nor a key file."""
    settings = type(demo_settings)(data=tmp_path / "new", database_url=empty_database_url)
    found = await states(settings)
    assert (found["schema"], found["key file"]) == ("wrong", "wrong")
    assert not settings.keys.exists()
    nowhere = type(settings)(data=tmp_path / "new")
    assert (await states(nowhere))["database"] == "wrong"
    away = type(settings)(data=tmp_path, database_url="postgresql://nobody@127.0.0.1:9/none")
    assert (await states(away))["database"] == "wrong"
    tmp_path.joinpath("entrepot.key").write_text("{")
    assert (await states(away))["key file"] == "wrong"


def test_the_command_says_what_to_do(run: Run) -> None:  # noqa: F811
    """A table for people, JSON for programs; the exit code tells a watchdog."""
    done = run("doctor")
    assert (done.code, "entrepot serve" in done.out) == (1, True)
    assert {"check", "state", "said", "do"} == set(run("doctor", "--json").json[0])
    assert desk.operator().endswith("(cli)")

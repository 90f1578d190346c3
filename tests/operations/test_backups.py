"""A copy of a hub, and the hub that is made of it, on real databases."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING

import msgspec
import psycopg
import pytest

from entrepot import embedded
from entrepot.errors import BadInput, Conflict, Unusable
from entrepot.hub import Hub
from entrepot.operations import archive, backups
from entrepot.settings import Settings
from tests.cli.conftest import invoke, run  # noqa: F401 - a fixture

if TYPE_CHECKING:
    from pathlib import Path

    from tests.cli.conftest import Run

WORDS = "correct horse battery"


async def secrets(settings: Settings) -> dict[str, dict[str, str]]:
    """Return every connection's secrets, as its hub reads them."""
    async with await Hub.open(settings, size=2) as hub:
        return {
            f"{one.tenant}/{one.partner.name}": dict(one.partner.secrets) for one in hub.registry
        }


@pytest.fixture
async def copy(demo_settings: Settings, tmp_path: Path) -> Path:
    """Give an archive of the demonstration."""
    path = tmp_path / "hub.backup"
    size = await backups.back_up(demo_settings, path, WORDS)
    assert size == path.stat().st_size > 20_000
    return path


async def test_a_hub_comes_back_whole(
    demo_settings: Settings, copy: Path, empty_database_url: str, tmp_path: Path
) -> None:
    """Rows, secrets and key ring are the same, every balance is proven, the files are their owner's alone."""
    assert copy.stat().st_mode & 0o077 == 0
    settings = Settings(data=tmp_path / "other", database_url=empty_database_url)
    found = await backups.restore(settings, copy, WORDS)
    assert (found.unproven, found.unreadable, found.tenants) == (0, 0, 2)
    assert found.movements > 20
    assert await secrets(settings) == await secrets(demo_settings)
    assert settings.keys.read_bytes() == demo_settings.keys.read_bytes()
    assert settings.keys.stat().st_mode & 0o077 == 0
    with pytest.raises(Conflict, match="not empty"):
        await backups.restore(settings, copy, WORDS)


async def test_a_wrong_balance_comes_back_wrong_and_is_said_so(
    demo_settings: Settings, empty_database_url: str, tmp_path: Path
) -> None:
    """A restore proves what it restored; it does not believe the file."""
    with psycopg.connect(demo_settings.database_url or "", autocommit=True) as one:
        one.execute(b"UPDATE stock SET reserved = reserved + 1 WHERE on_hand = 500")
        one.execute(b"UPDATE credential SET sealed = 'x'")
    path = tmp_path / "hub.backup"
    await backups.back_up(demo_settings, path, WORDS)
    settings = Settings(data=tmp_path / "other", database_url=empty_database_url)
    found = await backups.restore(settings, path, WORDS)
    assert found.unproven > 0
    assert found.unreadable > 0


async def test_what_is_no_whole_archive_is_refused(
    copy: Path, empty_database_url: str, tmp_path: Path
) -> None:
    """Another passphrase, a short one, a cut or changed file, no archive: before anything is written."""
    settings = Settings(data=tmp_path / "other", database_url=empty_database_url)
    with pytest.raises(BadInput, match="does not open"):
        await backups.restore(settings, copy, WORDS + "!")
    with pytest.raises(BadInput, match="12 characters"):
        await backups.back_up(Settings(data=copy.parent, key_file=copy), copy, "short")
    whole = copy.read_bytes()
    for wrong in (whole[:-100], whole[:-1] + b"x", b"hello", b""):
        copy.write_bytes(wrong)
        with pytest.raises(Unusable):
            await backups.restore(settings, copy, WORDS)
    copy.write_bytes(whole)
    settings.keys.parent.mkdir()
    settings.keys.write_text("another hub's")
    with pytest.raises(Conflict, match="another hub"):
        await backups.restore(settings, copy, WORDS)
    with psycopg.connect(empty_database_url) as one:
        assert one.execute(b"SELECT to_regclass('tenant')").fetchone() == (None,)


async def test_an_archive_of_a_newer_version_or_with_a_broken_dump_is_refused(
    copy: Path, empty_database_url: str, tmp_path: Path
) -> None:
    """A digest that is right does not make a dump of anything; the database stays empty."""
    settings = Settings(data=tmp_path / "other", database_url=empty_database_url)
    head, begin, end = archive.read_head(copy)
    newer = msgspec.structs.replace(head, migrations=("9999_later",))
    for one, dump in ((newer, copy.read_bytes()[begin:end]), (head, b"hello" * 100_000)):
        with archive.written(copy, one) as file:
            file.write(dump)
        with pytest.raises(Unusable, match=r"newer version|failed"):
            await backups.restore(settings, copy, WORDS)
    with psycopg.connect(empty_database_url) as one_more:
        assert one_more.execute(b"SELECT to_regclass('tenant')").fetchone() == (None,)


async def test_a_backup_that_fails_leaves_the_last_one(
    demo_settings: Settings, copy: Path, empty_database_url: str
) -> None:
    """The file is replaced only by a complete one; without keys, or of nothing, there is none."""
    before = copy.read_bytes()
    empty = Settings(data=demo_settings.keys.parent, database_url=empty_database_url, key_file=copy)
    with pytest.raises(Unusable, match="empty"):
        await backups.back_up(empty, copy, WORDS)
    with pytest.raises(Unusable, match="no key file"):
        await backups.back_up(Settings(data=copy.parent), copy, WORDS)
    assert copy.read_bytes() == before
    assert [path.name for path in copy.parent.glob(".*part")] == []


@pytest.mark.embedded
def test_the_commands_move_a_hub_to_an_embedded_database(
    run: Run,  # noqa: F811
    data_dir: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Backup here, restore there; a passphrase comes from a file or the environment."""
    words = tmp_path / "words"
    words.write_text(f"{WORDS}\nsecond line\n")
    file = tmp_path / "hub.backup"
    done = run("backup", str(file), "--passphrase-file", str(words))
    assert (done.code, "entrepot restore" in done.out) == (0, True), done.err
    assert (run("backup", str(file)).code, run("restore", str(file)).code) == (1, 1)
    monkeypatch.delenv("ENTREPOT_DATABASE_URL")
    monkeypatch.delenv("ENTREPOT_KEY_FILE")
    monkeypatch.setenv("ENTREPOT_PASSPHRASE", WORDS)
    done = invoke("restore", str(file), "--data", str(data_dir), "--json")
    assert (done.code, json.loads(done.out)["unproven"]) == (0, 0), done.err
    again = invoke("restore", str(file), "--data", str(data_dir))
    assert (again.code, "not empty" in again.err) == (1, True)
    nothing = invoke("backup", str(file), "--passphrase-file", str(tmp_path / "none"))
    assert (nothing.code, "cannot be read" in nothing.err) == (1, True)
    with embedded.attach(data_dir) as server:
        settings = Settings(data=data_dir, database_url=server.dsn)
        assert "demo/goldshop" in asyncio.run(secrets(settings))

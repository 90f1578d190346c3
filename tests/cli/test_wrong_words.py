"""What is typed wrongly: no command ends with a traceback, and each says what to do instead."""

from __future__ import annotations

import base64
import json
import socket
from typing import TYPE_CHECKING

import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from tests.cli.conftest import invoke

if TYPE_CHECKING:
    from pathlib import Path

    from entrepot.settings import Settings
    from tests.cli.conftest import Run

FAR = "9" * 20  # more than any database counts
WORDS = "long enough to be one"


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("connections", "set", "goldshop"), "KEY=VALUE, or --rotate"),
        (("connections", "set", "goldshop", "schedule=soon"), "written like 5s,30s"),
        (("connections", "set", "goldshop", "rate=fast"), "written like 20/s"),
        (("connections", "set", "goldshop", "timeout=10s\n"), "written like 500ms"),
        (("connections", "set", "goldshop", f"deadline={FAR}d"), "written like 500ms"),
        (("connections", "guide", "goldshop", "--out", "guide.pdf"), "prints as PDF"),
        (("deliveries", "show", "1"), "See `entrepot deliveries list`"),
        (("deliveries", "show", FAR), "See `entrepot deliveries list`"),
        (("deliveries", "show", "abc"), "See `entrepot deliveries list`"),
        (("deliveries", "show", "stock-1-2"), "entrepot exchanges list"),
        (("deliveries", "list", "--age", f"{FAR}d"), "30m, 2h, 1d"),
        (("mock", "--dialect", "goldshop", "--log", "/proc/none/calls"), "cannot be written"),
        (("mock", "--dialect", "goldshop", "--secret", "x"), "key=value"),
    ],
)
def test_what_is_wrong_is_said_with_what_to_do(run: Run, words: tuple[str, ...], said: str) -> None:
    """One sentence on stderr, nothing on stdout, exit code 1."""
    done = run(*words)
    assert (done.code, done.out) == (1, "")
    assert said in done.err


@pytest.mark.parametrize(
    "words", [("tokens", "revoke", FAR), ("reconcile", "list", "--limit", FAR)]
)
def test_a_number_has_bounds(run: Run, words: tuple[str, ...]) -> None:
    """More than a database counts is refused before it is asked."""
    done = run(*words)
    assert (done.code, "is not in the range" in done.err or "less than" in done.err) == (2, True)


def test_the_key_that_a_guide_leaves_out_is_not_said_to_be_in_it(run: Run, tmp_path: Path) -> None:
    """What is told of the file is true of it."""
    file = str(tmp_path / "guide.md")
    assert "it holds the key" in run("connections", "guide", "goldshop", "--out", file).out
    hidden = run("connections", "guide", "goldshop", "--hide-key", "--out", file)
    assert "the key is left out" in hidden.out


def test_a_key_file_that_is_not_there_is_missed_and_not_replaced(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A ring made in its place would open nothing, and hide that the right one is lost."""
    elsewhere = tmp_path / "mistyped" / "entrepot.key"
    monkeypatch.setenv("ENTREPOT_KEY_FILE", str(elsewhere))
    done = run("connections", "list")
    assert (done.code, done.out) == (1, "")
    said = " ".join(done.err.split())
    assert f"There is no key file {elsewhere}" in said
    assert "Put back the copy you keep" in said
    assert not elsewhere.parent.exists()


def test_another_hubs_key_file_is_named(run: Run, demo_settings: Settings) -> None:
    """A command beside it says that the copy must be put back, whatever the keys are called."""
    ring = demo_settings.keys.read_text()
    keys = json.loads(ring)
    other = {name: _other() for name in keys["keys"]}
    try:
        demo_settings.keys.write_text(json.dumps({**keys, "keys": other}))
        done = run("connections", "list")
    finally:
        demo_settings.keys.write_text(ring)
    assert (done.code, "Put back the copy you keep" in done.err) == (1, True)


def _other() -> str:
    return base64.b64encode(AESGCM.generate_key(256)).decode()


def test_a_backup_says_where_it_cannot_be_written(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A folder is no file, and a file needs a folder."""
    monkeypatch.setenv("ENTREPOT_PASSPHRASE", WORDS)
    assert "name a file in it" in run("backup", str(tmp_path)).err
    assert "cannot be written" in run("backup", str(tmp_path / "none" / "hub")).err


def test_a_hub_says_why_it_cannot_start(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A port that is taken, an address that is not here, a folder that cannot be."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = str(server.getsockname()[1])
        assert "is taken" in run("serve", "--port", port).err
    assert "another --port or --host" in run("serve", "--host", "192.0.2.1").err
    monkeypatch.delenv("ENTREPOT_DATABASE_URL")
    file = tmp_path / "file"
    file.touch()
    assert "name another --data" in invoke("serve", "--data", str(file)).err


@pytest.mark.parametrize("limit", ["4MB", "0", "-1", "inf", "nan"])
def test_a_variable_that_is_no_number_is_named(
    run: Run, monkeypatch: pytest.MonkeyPatch, limit: str
) -> None:
    """Whatever command reads it first."""
    monkeypatch.setenv("ENTREPOT_BODY_LIMIT", limit)
    for words in (("serve",), ("doctor",), ("verify",)):
        done = run(*words)
        assert (done.code, f"ENTREPOT_BODY_LIMIT={limit} should" in done.err) == (1, True)

"""README.md and README.zh-CN.md are true: their commands are run, and what they show is what happens."""

from __future__ import annotations

import re
import time
from pathlib import Path

import pytest

from tests.documents import commands, play
from tests.faults.serving import Hub

ROOT = Path(__file__).resolve().parent.parent
READMES = ("README.md", "README.zh-CN.md")
_LINK = re.compile(r"\]\(([^)#:]+)\)")


def read(name: str) -> str:
    """Return a document's text."""
    return (ROOT / name).read_text(encoding="utf-8")


def until_greeted(log: Path, port: int) -> None:
    """Wait until the hub has said what the README shows after ``make run``."""
    shown = re.findall(r"^```text\n(.*?)^```$", read(READMES[0]), re.MULTILINE | re.DOTALL)[0]
    expected = shown.replace(":8000", f":{port}")
    deadline = time.monotonic() + 60
    while expected not in log.read_text(encoding="utf-8"):
        assert time.monotonic() < deadline, log.read_text(encoding="utf-8")
        time.sleep(0.05)


def first_calls(hub: Hub) -> list[dict[str, object]]:
    """Return what the hub told a partner first: the partner lives in the hub itself, and must be awake."""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        calls: list[dict[str, object]] = hub.json("exchanges", "list", "--connection", "minimall")
        if calls:
            return calls[-1:]
        time.sleep(0.2)
    raise AssertionError("minimall was told nothing")


@pytest.mark.embedded
def test_what_the_readme_shows_is_what_happens(data_dir: Path, tmp_path: Path) -> None:
    """Its commands, one after another in one shell, print what it says (… is anything)."""
    hub = Hub(data_dir)
    hub.start()
    until_greeted(data_dir / "serve.log", hub.port)
    try:
        play(read(READMES[0]), data_dir, tmp_path)
    finally:
        assert hub.stop() == 0


def test_both_languages_show_the_same_commands() -> None:
    """What a reader types does not depend on what they read."""
    english, chinese = (list(commands(read(name))) for name in READMES)
    assert english == chinese


@pytest.mark.parametrize("readme", READMES)
def test_the_two_commands_come_first(readme: str) -> None:
    """A newcomer's first commands are `make run` and `make test`."""
    assert [command for command, _ in commands(read(readme))][:2] == ["make run", "make test"]


@pytest.mark.parametrize("readme", READMES)
def test_links_lead_somewhere(readme: str) -> None:
    """Every file that a document names exists."""
    assert [link for link in _LINK.findall(read(readme)) if not (ROOT / link).exists()] == []

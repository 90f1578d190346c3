"""README.md and README.zh-CN.md are true: their commands are run, and what they show is what happens."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.faults.serving import Hub

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).resolve().parent.parent
READMES = ("README.md", "README.zh-CN.md")
_BLOCK = re.compile(r"^```console\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_LINK = re.compile(r"\]\(([^)#:]+)\)")
_END = "---- that was it ----"


def commands(text: str) -> Iterator[tuple[str, list[str]]]:
    """Return every command of a document with the lines it is said to print."""
    for block in _BLOCK.findall(text):
        command, shown = "", list[str]()
        for line in block.splitlines():
            if line.startswith("$ "):
                if command:
                    yield command, shown
                command, shown = line[2:], []
            elif line.startswith("> "):
                command += "\n" + line[2:]
            else:
                shown.append(line)
        yield command, shown


def read(name: str) -> str:
    """Return a document's text."""
    return (ROOT / name).read_text(encoding="utf-8")


def until_greeted(log: Path, port: int) -> None:
    """Wait until the hub has said what the README shows after ``make run``."""
    shown = re.findall(r"^```text\n(.*?)^```$", read(READMES[0]), re.MULTILINE | re.DOTALL)[0]
    expected = shown.replace(":8000", f":{port}")
    deadline = time.monotonic() + 30
    while expected not in log.read_text(encoding="utf-8"):
        assert time.monotonic() < deadline, log.read_text(encoding="utf-8")
        time.sleep(0.05)


@pytest.mark.embedded
def test_what_the_readme_shows_is_what_happens(data_dir: Path, tmp_path: Path) -> None:
    """Its commands, one after another in one shell, print what it says (… is anything)."""
    program = tmp_path / "entrepot"
    program.write_text(f'#!/bin/sh\nexec {sys.executable} -m entrepot "$@"\n')
    program.chmod(0o755)
    hub = Hub(data_dir)
    hub.start()
    until_greeted(data_dir / "serve.log", hub.port)
    environment = {**os.environ, "ENTREPOT_DATA": str(data_dir)}
    environment.pop("ENTREPOT_DATABASE_URL", None)
    shell = subprocess.Popen(
        ["bash"], env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    try:
        assert shell.stdin is not None
        assert shell.stdout is not None
        for command, shown in commands(read(READMES[0])):
            if command.startswith("make "):
                continue
            ours = command.replace(".venv/bin/entrepot", str(program))
            shell.stdin.write(f"{ours}\necho; echo '{_END}'\n")
            shell.stdin.flush()
            said: list[str] = []
            while (line := shell.stdout.readline()) and line.rstrip() != _END:
                said.append(line.rstrip())
            said = [line for line in said if line]
            assert len(said) == len(shown), (command, said)
            for one, expected in zip(said, shown, strict=True):
                pattern = ".*".join(re.escape(part.strip()) for part in expected.split("…"))
                assert re.fullmatch(rf"\s*{pattern}\s*", one), (command, one, expected)
    finally:
        shell.communicate(timeout=30)
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

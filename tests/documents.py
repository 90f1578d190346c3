"""Documents whose commands are run: what stands below a command is what it prints (``…`` is anything)."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
from typing import TYPE_CHECKING

from tests.conftest import short_directory
from tests.running import free_port, until_ready

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_BLOCK = re.compile(r"^```console\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_SLEEP = re.compile(r"sleep \d+; ")
_PATIENCE = 60.0
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


def play_on_an_empty_hub(text: str, folder: Path) -> int:
    """Run a document's commands beside a hub that has just been installed; it must end well.

    Port 8000 in it stands for the hub's. Returns how many commands said what is shown.
    """
    with short_directory() as data:
        port, log = free_port(), data / "serve.log"
        command = [sys.executable, "-m", "entrepot", "serve", "--data", str(data)]
        environment = {k: v for k, v in os.environ.items() if k != "ENTREPOT_DATABASE_URL"}
        with log.open("wb") as out:
            hub = subprocess.Popen(
                [*command, "--port", str(port)], env=environment, stdout=out, stderr=out
            )
        try:
            until_ready(f"http://127.0.0.1:{port}/healthz", hub, log)
            return play(text.replace(":8000", f":{port}"), data, folder)
        finally:
            hub.terminate()
            assert hub.wait(60) == 0


def play(text: str, data: Path, folder: Path) -> int:
    """Run a document's commands, one after another in one shell in ``folder``, beside the hub on ``data``.

    The shell's own children end with it. Returns how many commands said what is shown.
    """
    program = folder / "entrepot"
    program.write_text(f'#!/bin/sh\nexec {sys.executable} -m entrepot "$@"\n')
    program.chmod(0o755)
    environment = {**os.environ, "ENTREPOT_DATA": str(data)}
    environment.pop("ENTREPOT_DATABASE_URL", None)
    shell = subprocess.Popen(
        ["bash"],
        env=environment,
        cwd=folder,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        steps = [step for step in commands(text) if not step[0].startswith("make ")]
        for command, shown in steps:
            _until_it_says(shell, command.replace(".venv/bin/entrepot", str(program)), shown)
        return len(steps)
    finally:
        shell.communicate("kill $(jobs -p) 2>/dev/null\n", timeout=30)


def _until_it_says(shell: subprocess.Popen[str], command: str, shown: list[str]) -> None:
    """Run a command; one that a reader is told to wait before is run until it says what is shown."""
    wait = _SLEEP.match(command)
    deadline = time.monotonic() + (_PATIENCE if wait else 0)
    command = command[wait.end() :] if wait else command
    while (problem := _problem(_said(shell, command), shown)) and time.monotonic() < deadline:
        time.sleep(0.2)
    assert not problem, (command, problem)


def _said(shell: subprocess.Popen[str], command: str) -> list[str]:
    """Return the lines a command prints, without the empty ones."""
    assert shell.stdin is not None
    assert shell.stdout is not None
    shell.stdin.write(f"{command}\necho; echo '{_END}'\n")
    shell.stdin.flush()
    said: list[str] = []
    while (line := shell.stdout.readline()) and line.rstrip() != _END:
        said.append(line.rstrip())
    return [line for line in said if line]


def _problem(said: list[str], shown: list[str]) -> object:
    """Return what was said where it is not what is shown."""
    if len(said) != len(shown):
        return said
    for one, expected in zip(said, shown, strict=True):
        pattern = ".*".join(re.escape(part.strip()) for part in expected.split("…"))
        if not re.fullmatch(rf"\s*{pattern}\s*", one):
            return one, expected
    return None

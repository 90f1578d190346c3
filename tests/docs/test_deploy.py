"""The files of deploy/ name commands, options and variables that there are."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest
import typer
from tools import reference

from entrepot.cli import application

DEPLOY = Path(__file__).resolve().parent.parent.parent / "deploy"
SOURCE = DEPLOY.parent / "src" / "entrepot"
UNITS = sorted(path.name for path in DEPLOY.iterdir() if path.suffix in {".service", ".timer"})
PROGRAM = re.compile(r"(?:/bin/entrepot|\[entrepot,|\[\"entrepot\",) *([^\n\]']+)")


@pytest.mark.parametrize("file", sorted(DEPLOY.iterdir()), ids=lambda path: path.name)
def test_what_a_file_runs_exists(file: Path) -> None:
    """Each command is one of ours, each option one of its own, each variable one that is read."""
    text = file.read_text(encoding="utf-8")
    root = typer.main.get_command(application())
    for line in PROGRAM.findall(text):
        name, *words = re.findall(r"[\w.%/:$-]+", line)
        options = {option for one in root.commands[name].params for option in one.opts}  # type: ignore[attr-defined]
        assert {word for word in words if word.startswith("--")} <= options
    assert set(re.findall(r"ENTREPOT_[A-Z_]+", text)) <= set(reference.ENVIRONMENT)


def test_what_is_watched_is_counted() -> None:
    """The page on monitoring names every metric there is and each alert; no alert asks for another metric."""
    sources = (SOURCE / "metrics.py", SOURCE / "gauges" / "__init__.py")
    there = {
        name
        for path in sources
        for name in re.findall(r'"(entrepot_\w+)"', path.read_text(encoding="utf-8"))
    }
    page = (DEPLOY.parent / "docs" / "how-to" / "monitor.md").read_text(encoding="utf-8")
    alerts = (DEPLOY / "alerts.yaml").read_text(encoding="utf-8")
    told, asked = (
        {re.sub("_(total|bucket)$", "", name) for name in re.findall(r"entrepot_\w+", text)}
        for text in (page, alerts)
    )
    assert (told, asked - there) == (there, set())
    assert set(re.findall(r"\| `(Entrepot\w+)` \|", page)) == set(
        re.findall(r"- alert: (\w+)", alerts)
    )


@pytest.mark.parametrize("name", UNITS)
def test_a_unit_is_whole(name: str) -> None:
    """Sections and settings as systemd has them; where it is installed, it says so itself."""
    text = (DEPLOY / name).read_text(encoding="utf-8")
    sections = re.findall(r"^\[(\w+)\]$", text, re.MULTILINE)
    assert sections[0] == "Unit"
    assert {"Service", "Timer"} & set(sections)
    lines = [one for one in text.splitlines() if one and not one.startswith(("#", "["))]
    assert all(re.match(r"[A-Z]\w+=", line) for line in lines)
    if verify := shutil.which("systemd-analyze"):
        done = subprocess.run(
            [verify, "verify", "--man=no", str(DEPLOY / name)],
            capture_output=True,
            text=True,
            check=False,
        )
        unknown = [one for one in done.stderr.splitlines() if name in one and "Unknown" in one]
        assert unknown == []

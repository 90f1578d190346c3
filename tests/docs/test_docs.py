"""The documentation is built strictly, its reference is the program's, and its commands run."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click
import pytest
import typer
from tools import reference

from entrepot.cli import application
from tests import documents
from tests.running import free_port

if TYPE_CHECKING:
    from typing import Any

ROOT = Path(__file__).resolve().parent.parent.parent
PAGES = sorted((ROOT / "docs").rglob("*.md"))
HAND_MADE = [page for page in PAGES if "reference" not in page.parts]


async def test_the_reference_is_the_programs(database_url: str) -> None:
    """What tools/reference.py would write is what is there: `make docs` brings it up to date."""
    made = reference.pages(await reference.columns_of(database_url))
    there = {page.name: page.read_text(encoding="utf-8") for page in reference.TARGET.glob("*.md")}
    stale = [name for name, text in made.items() if there.get(name) != text]
    assert (stale, there.keys() - made.keys()) == ([], set())


def test_the_site_builds_strictly(tmp_path: Path) -> None:
    """Every link and every anchor leads somewhere."""
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--quiet", "-d", str(tmp_path)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert (tmp_path / "tutorial" / "index.html").exists()


def test_every_variable_of_the_environment_is_told() -> None:
    """What the program reads and the reference tells is the same."""
    read = {
        name
        for path in (ROOT / "src").rglob("*.py")
        for name in re.findall(r"[\"'](ENTREPOT_[A-Z_]+)[\"']", path.read_text(encoding="utf-8"))
    }
    assert read - {"ENTREPOT_"} == set(reference.ENVIRONMENT)


@pytest.mark.parametrize("page", HAND_MADE, ids=lambda page: page.stem)
def test_every_command_that_is_named_exists_with_its_options(page: Path) -> None:
    """`entrepot …` in a document is a command there is, and each option is one of its own."""
    root = typer.main.get_command(application())
    for line in re.findall(r"entrepot ([a-z][^\n`]*)", page.read_text(encoding="utf-8")):
        _check(root, re.split(r"[`|&;)]|\. |, | \(", line)[0].split())


def _check(command: Any, words: list[str]) -> None:
    context = click.Context(command)
    asked = " ".join(words)
    while words and hasattr(command, "commands") and words[0] in command.commands:
        command = command.commands[words.pop(0)]
    known = {option for one in command.params for option in (*one.opts, *one.secondary_opts)}
    if hasattr(command, "commands"):
        # A group's name alone, or a group that takes its arguments itself.
        children = command.commands.values()
        known |= {o for child in children for one in child.params for o in one.opts}
    assert context.command is not command, f"no command: entrepot {asked}"
    for word in words:
        if word.startswith("--"):
            assert word.partition("=")[0] in {*known, "--help"}, (
                f"no option {word}: entrepot {asked}"
            )


@pytest.mark.embedded
def test_the_tutorial_happens_as_it_is_told(tmp_path: Path) -> None:
    """From an empty hub to the repaired delivery, every command prints what the page shows."""
    text = (ROOT / "docs" / "tutorial.md").read_text(encoding="utf-8")
    text = text.replace("9000", str(free_port()))
    assert documents.play_on_an_empty_hub(text, tmp_path) > 0

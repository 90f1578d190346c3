"""Commands run in this process, on a database with the demonstration in it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from typer.testing import CliRunner

from entrepot.cli import application

if TYPE_CHECKING:
    from collections.abc import Callable

    from typer.testing import Result

    from entrepot.settings import Settings

    Run = Callable[..., "Answer"]


class Answer:
    """What a command did: its exit code and what it printed."""

    def __init__(self, result: Result) -> None:
        self.code = result.exit_code
        self.out = result.stdout
        self.err = result.stderr

    @property
    def json(self) -> Any:
        """Return what it printed, as data."""
        return json.loads(self.out)


def invoke(*words: str) -> Answer:
    """Run a command line in this process; anything but a clean end of it is an error."""
    result = CliRunner().invoke(application(words[0]), list(words))
    if result.exception and not isinstance(result.exception, SystemExit):
        raise result.exception
    return Answer(result)


@pytest.fixture
def run(demo_settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Give a function that runs a command line on the demonstration."""
    monkeypatch.setenv("ENTREPOT_DATABASE_URL", demo_settings.database_url or "")
    monkeypatch.setenv("ENTREPOT_DATA", str(demo_settings.data))
    monkeypatch.setenv("ENTREPOT_KEY_FILE", str(demo_settings.keys))

    return invoke

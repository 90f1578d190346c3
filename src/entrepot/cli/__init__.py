"""The ``entrepot`` command.

Every module in this folder is one command (it has a function ``command``) or one group of commands (it
has a Typer ``app``), found by its file name; the first line of its docstring is its help. Only the
module that is asked for is imported, so that each command starts as fast as its own needs allow.
"""

from __future__ import annotations

import importlib
import inspect
import os
import pkgutil
import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import typer

if TYPE_CHECKING:
    from collections.abc import Callable

_SLOW = "_ENTREPOT_COMPLETE"  # shell completion looks inside every command


def main() -> None:
    """Run the command line of this process."""
    asked = next((word for word in sys.argv[1:] if not word.startswith("-")), None)
    application(None if _SLOW in os.environ else asked or "")()


def application(asked: str | None = None) -> typer.Typer:
    """Return the command line with only the command ``asked`` for behind its name; None: with all."""
    app = typer.Typer(
        name="entrepot",
        help="Entrepot, an omnichannel order and stock hub.",
        no_args_is_help=True,
        pretty_exceptions_enable=False,
        add_completion=asked is None or asked == "",
    )
    app.callback()(_version)
    for name, module, help_text in _commands():
        if asked is None or asked == name:
            _add(app, name, module, help_text)
        else:
            app.command(name, help=help_text)(_unloaded)
    return app


def _version() -> None:
    """Entrepot, an omnichannel order and stock hub."""


def _commands() -> list[tuple[str, str, str]]:
    """Return (command, module, help) of every module here, without importing any."""
    found = []
    for module in pkgutil.iter_modules(__path__):
        if not module.ispkg:
            source = Path(__path__[0], f"{module.name}.py").read_text(encoding="utf-8")
            help_text = source.partition('"""')[2].partition('"""')[0].partition("\n")[0]
            found.append((module.name.rstrip("_"), module.name, help_text))
    return found


def _add(app: typer.Typer, name: str, module: str, help_text: str) -> None:
    found = importlib.import_module(f"{__name__}.{module}")
    if hasattr(found, "app"):
        _flow(found.app)
        app.add_typer(found.app, name=name, help=help_text, no_args_is_help=True)
    else:
        app.command(name, short_help=help_text, help=_flowing(found.command))(found.command)


def _flow(group: typer.Typer) -> None:
    """Give every command of a group its help, and those of the groups in it."""
    for command in group.registered_commands:
        if command.callback is not None:
            command.help = command.help or _flowing(command.callback)
    for child in group.registered_groups:
        if child.typer_instance is not None:
            _flow(child.typer_instance)


def _flowing(command: Callable[..., object]) -> str:
    """Return a docstring with one line a paragraph: a terminal breaks it where its own edge is."""
    return re.sub(r"(?<!\n)\n(?!\n)", " ", inspect.getdoc(command) or "")


def _unloaded() -> None:
    """Stand for a command that was not asked for."""

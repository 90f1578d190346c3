"""Files come in by the command."""

from tests.cli.conftest import run

__all__ = ["run"]

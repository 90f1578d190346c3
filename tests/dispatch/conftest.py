"""Commands on a demonstration, as ``tests.cli`` has them."""

from tests.cli.conftest import run

__all__ = ["run"]

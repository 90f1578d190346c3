"""An office on a database of its own."""

from tests.papers.conftest import office

__all__ = ["office"]

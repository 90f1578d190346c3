"""A builder wires a program to a hub that was just installed, as docs/how-to/use-the-api.md says."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests import documents

PAGE = Path(__file__).resolve().parent.parent.parent / "docs" / "how-to" / "use-the-api.md"


@pytest.mark.embedded
def test_a_builder_wires_a_program_as_the_page_says(tmp_path: Path) -> None:
    """Every request is answered as the page shows."""
    assert documents.play_on_an_empty_hub(PAGE.read_text(encoding="utf-8"), tmp_path) > 0

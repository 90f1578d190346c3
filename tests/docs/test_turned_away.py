"""An order is turned away, and an operator does what docs/how-to/take-in-a-refused-order.md says."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests import documents

PAGE = (
    Path(__file__).resolve().parent.parent.parent / "docs" / "how-to" / "take-in-a-refused-order.md"
)

BEFORE = """
```console
$ printf 'code\\nHQ\\n' > places.csv
$ .venv/bin/entrepot import outlets places.csv
1 rows taken, 0 left out.
$ .venv/bin/entrepot connections add shop goldshop
…
```
"""


@pytest.mark.embedded
def test_an_operator_takes_in_what_was_refused_as_the_page_says(tmp_path: Path) -> None:
    """Every command prints what the page shows; the entry leaves the list by itself."""
    text = BEFORE + PAGE.read_text(encoding="utf-8")
    before = len(list(documents.commands(BEFORE)))
    assert documents.play_on_an_empty_hub(text, tmp_path) > before

"""Nothing that can be sent breaks the API, and every answer is as described."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

import pytest

from tests import conftest, fuzzing, running

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.running import Running

EXAMPLES = 3


@pytest.fixture(scope="module")
def demo(
    server_url: str, template: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Running]:
    """Give a web process with the demonstration behind it."""
    how = f"TEMPLATE {template} STRATEGY FILE_COPY"
    data = tmp_path_factory.mktemp("fuzz")
    with (
        contextlib.contextmanager(conftest._database)(server_url, how) as url,
        running.hub(data, url, "--demo", "--role", "web") as hub,
    ):
        yield hub


def test_the_native_api_is_as_described(demo: Running, tmp_path: Path) -> None:
    """Every operation, right and wrong requests: no 5xx, no answer that the document does not foresee."""
    outcome = fuzzing.run(fuzzing.native(demo), tmp_path, EXAMPLES, phases="fuzzing")
    assert outcome.passed, outcome.report
    assert outcome.cases > 200


def test_every_dialect_answers_all_that_its_types_allow(demo: Running, tmp_path: Path) -> None:
    """Every route of every end that the demonstration has."""
    outcomes = [
        fuzzing.run(one, tmp_path, 2 * EXAMPLES, phases="fuzzing")
        for one in fuzzing.spoken(demo, tmp_path)
    ]
    assert {one.name: one.report for one in outcomes if not one.passed} == {}
    assert sum(one.cases for one in outcomes) > 100

"""Everything the console answers has been asked by a real browser, in both languages."""

from __future__ import annotations

import re

from tests.browser.ledger import Ledger


def test_nothing_counts_but_what_a_page_got_in_its_language() -> None:
    """A refusal, another method, another address and the other language leave an act lacking."""
    ledger = Ledger({"POST /orders/{id}/ship": re.compile("POST /orders/[^/]+/ship")})
    both = ["POST /orders/{id}/ship in zh-CN", "POST /orders/{id}/ship in en"]
    for method, path, status in (
        ("POST", "/orders/7/ship", 422), ("GET", "/orders/7/ship", 200), ("POST", "/orders/7", 303),
    ):  # fmt: skip
        ledger.note(method, f"http://127.0.0.1:1{path}?a=b", status, "en")
        assert ledger.lacking() == both
    ledger.note("POST", "http://127.0.0.1:1/orders/7/ship", 303, "en")
    assert ledger.lacking() == both[:1]
    ledger.note("POST", "http://127.0.0.1:1/orders/8/ship", 303, "zh-CN")
    assert ledger.lacking() == []


def test_every_page_and_every_act_was_driven_in_both_languages(ledger: Ledger) -> None:
    """Runs last, and only where every browser test runs: what is new on the console needs a drive."""
    assert ledger.lacking() == []

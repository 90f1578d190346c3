"""The commands of webhooks."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.cli.conftest import Run

URL = "http://127.0.0.1:9/hook"


def test_a_subscription_is_added_listed_and_its_secret_made_anew(run: Run) -> None:
    """The secret is shown when it is made; a rotation makes another."""
    assert "Nobody" in run("webhooks", "list").out + run("webhooks", "list").err
    added = run("webhooks", "add", URL, "--name", "shop", "--event", "order.shipped", "--json").json
    assert added["name"] == "shop"
    assert added["secret"].startswith("whsec_")
    (listed,) = run("webhooks", "list", "--json").json
    assert listed == {
        "name": "shop", "url": URL, "events": ["order.shipped"], "active": "on", "personal": "off",
    }  # fmt: skip
    assert URL in run("webhooks", "list").out
    rotated = run("webhooks", "rotate", "shop").out.split()[0]
    assert rotated.startswith("whsec_")
    assert rotated != added["secret"]


def test_what_cannot_be_told_is_refused(run: Run) -> None:
    """Unknown events are named with the known ones; a partner's connection is no subscription."""
    refused = run("webhooks", "add", URL, "--event", "order.eaten")
    assert refused.code == 1
    assert "order.shipped" in refused.err
    assert run("webhooks", "rotate", "goldshop").code == 1
    assert "suite.saved" in run("webhooks", "events", "--json").json
    assert "waybill.changed" in run("webhooks", "events").out

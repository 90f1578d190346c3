"""What an operator does on the command line, a program does by the API; the machine's own stays there."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import typer

from entrepot.api import nouns
from entrepot.cli import application

if TYPE_CHECKING:
    from collections.abc import Iterator

HERE = {"backup", "conform", "doctor", "mock", "restore", "serve", "tenant add", "people password"}
"""About the machine, all tenants, anybody's server, or the way back into the console: no program's."""
SAME = {
    "connections add": "add_connection",
    "connections guide": "guide_connection",
    "connections list": "list_connections",
    "connections set": "change_connection",
    "connections twin": "make_twin",
    "connections url": "reveal_credentials",
    "deliveries cancel": "cancel_deliveries",
    "deliveries handle": "handle_deliveries",
    "deliveries list": "list_deliveries",
    "deliveries retry": "retry_deliveries",
    "deliveries show": "show_delivery",
    "discrepancies list": "list_discrepancies",
    "discrepancies resolve": "resolve_discrepancies",
    "dispatch explain": "explain_dispatch",
    "dispatch reasons": "set_refusal_reasons",
    "dispatch refuse": "refuse_notes",
    "dispatch return": "receive_pieces",
    "dispatch rules": "replace_sourcing_rules",
    "dispatch ship": "ship_notes",
    "dispatch source": "source_again",
    "dispatch waybill": "change_waybills",
    "dispatch withdraw": "withdraw_notes",
    "exchanges list": "list_exchanges",
    "export": "begin_export",
    "import": "begin_import",
    "levels rules add": "add_publish_rule",
    "levels rules list": "list_publish_rules",
    "levels rules remove": "remove_publish_rule",
    "levels send": "send_levels",
    "orders cancel": "cancel_orders",
    "orders create": "place_orders",
    "orders process": "process_orders",
    "orders ship": "ship_orders",
    "orders show": "show_order",
    "people add": "save_people",
    "people end": "let_person_in",
    "people list": "list_people",
    "people token": "create_token",
    "reconcile ask": "ask_partner",
    "reconcile compare": "reconcile_list",
    "reconcile list": "list_reconciliations",
    "reconcile resolve": "resolve_discrepancies",
    "returns receive": "act_on_returns",
    "stock explain": "explain_levels",
    "stock get": "list_levels",
    "stock set": "take_stock",
    "suites labels": "add_labels",
    "suites list": "list_suites",
    "suites save": "save_suites",
    "suites show": "show_suite",
    "suites split": "split_price",
    "tenant list": "show_settings",
    "tenant set": "change_settings",
    "tokens create": "create_token",
    "tokens list": "list_tokens",
    "tokens revoke": "end_token",
    "verify": "prove_balances",
    "webhooks add": "add_webhook",
    "webhooks events": "list_event_types",
    "webhooks list": "list_webhooks",
    "webhooks rotate": "rotate_webhook",
}
"""A command, and the operation that does the same."""


def commands(command: Any, name: str = "") -> Iterator[str]:
    """Yield every command by its name."""
    if hasattr(command, "commands"):
        for child, one in command.commands.items():
            yield from commands(one, f"{name} {child}".strip())
    else:
        yield name


def test_every_command_has_its_operation() -> None:
    """A new command comes with an operation, or with a reason why it has none."""
    there = set(commands(typer.main.get_command(application())))
    assert there - HERE == set(SAME)
    assert set(SAME.values()) <= {operation.name for operation in nouns.operations()}

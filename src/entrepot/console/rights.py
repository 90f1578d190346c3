"""Who may see and do what in the console, as one table.

The steps of price adjustments and sales returns are not here: their rights are ``people``'s, the same
table that decides what the partner interface allows.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from entrepot.console.words import N_

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

RIGHTS: Mapping[str, str] = {
    "orders.see": N_("See orders, dispatch notes and stock"),
    "orders.act": N_("Create, process, ship and cancel orders"),
    "dispatch.act": N_("Source dispatch notes, withdraw offers"),
    "stock.count": N_("Enter stocktakes and safety stock"),
    "publish.edit": N_("Change what channels see of stock"),
    "suites.edit": N_("Create and change suites"),
    "aftersales.see": N_("See price adjustments and sales returns"),
    "deliveries.act": N_("Retry, handle and cancel deliveries"),
    "exchanges.see": N_("See exchanges with partners"),
    "connections.see": N_("See connections"),
    "connections.edit": N_("Create, change, rotate and pause connections"),
    "secrets.see": N_("See keys and secrets of connections"),
    "personal.see": N_("Reveal names, phones and addresses"),
    "people.edit": N_("Manage people and roles"),
    "audit.see": N_("Read the audit log"),
    "schedules.run": N_("Run schedules by hand"),
}
ROLES: Mapping[int, str] = {
    0: N_("No role in paperwork"),
    1: N_("Sales"),
    2: N_("Accountant"),
    3: N_("Finance"),
    4: N_("Warehouse"),
    9: N_("Administrator"),
}
DUTIES: Mapping[str, str] = {
    "operator": N_("Operator"),
    "engineer": N_("Integration engineer"),
    "auditor": N_("Auditor"),
}
_EVERYONE = frozenset({"orders.see", "aftersales.see"})
_BY_ROLE: Mapping[int, frozenset[str]] = {
    1: frozenset({"orders.act", "personal.see"}),
    4: frozenset({"stock.count", "dispatch.act"}),
    9: frozenset(RIGHTS),
}
_BY_DUTY: Mapping[str, frozenset[str]] = {
    "operator": frozenset(
        {
            "orders.act", "dispatch.act", "stock.count", "publish.edit", "suites.edit", "deliveries.act",
            "exchanges.see", "connections.see", "personal.see", "schedules.run",
        }
    ),
    "engineer": frozenset(
        {
            "deliveries.act", "exchanges.see", "connections.see", "connections.edit", "secrets.see",
            "publish.edit", "schedules.run", "audit.see",
        }
    ),
    "auditor": frozenset({"exchanges.see", "connections.see", "audit.see"}),
}  # fmt: skip


def rights_of(role: int, duties: Iterable[str]) -> frozenset[str]:
    """Return what a person may do here, by their role in paperwork and their duties."""
    return _EVERYONE.union(
        _BY_ROLE.get(role, frozenset()), *(_BY_DUTY.get(duty, frozenset()) for duty in duties)
    )

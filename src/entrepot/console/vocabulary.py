"""Our codes, said to people: states and kinds with their colour, settings, what was done."""

from __future__ import annotations

from typing import TYPE_CHECKING

from entrepot.console.words import N_, _, listed

if TYPE_CHECKING:
    from collections.abc import Mapping

    from entrepot.papers.rules import Paper

STATES: Mapping[str, tuple[str, str]] = {
    # orders and dispatch notes
    "accepted": ("info", N_("Accepted")),
    "processed": ("info", N_("Processed")),
    "shipped": ("good", N_("Shipped")),
    "cancelled": ("calm", N_("Cancelled")),
    "partly_shipped": ("wait", N_("Partly shipped")),
    "parked": ("bad", N_("Parked")),
    "short": ("wait", N_("Short")),
    "oversold": ("bad", N_("Oversold")),
    # deliveries
    "waiting": ("wait", N_("Waiting")),
    "sending": ("info", N_("Sending")),
    "delivered": ("good", N_("Delivered")),
    "rejected": ("bad", N_("Rejected")),
    "needs_attention": ("bad", N_("Needs a person")),
    "handled": ("calm", N_("Handled")),
    # attempts
    "failed": ("bad", N_("Failed")),
    "slow_down": ("wait", N_("Asked to slow down")),
    "lost": ("wait", N_("Outcome unknown")),
    "late": ("wait", N_("Answered too late")),
    # reservations
    "open": ("info", N_("Open")),
    "released": ("calm", N_("Released")),
    # connections
    "active": ("good", N_("Active")),
    "paused": ("wait", N_("Paused")),
    "open_breaker": ("bad", N_("Breaker open")),
}
NOTE_STATES: Mapping[str, tuple[str, str]] = {
    "open": ("info", N_("To be shipped")),
    "done": ("good", N_("Shipped")),
    "refused": ("bad", N_("Refused")),
    "withdrawn": ("wait", N_("Taken back")),
    "void": ("calm", N_("Void")),
}
ONWARD: Mapping[str, tuple[str, str]] = {
    "none": ("", ""),
    "waiting": ("wait", N_("To be offered elsewhere")),
    "parked": ("bad", N_("Parked")),
    "sourced": ("calm", N_("Offered elsewhere")),
    "lacking": ("bad", N_("Nowhere to be had")),
}
DISCREPANCIES: Mapping[str, str] = {
    "total": N_("Stated total differs"),
    "moved": N_("Piece was elsewhere"),
    "found": N_("Pieces the books did not have"),
    "silent": N_("Outlet keeps silent"),
    "not_taken": N_("Order turned away"),
    "other_content": N_("Known number, other content"),
    "orders_differ": N_("Orders of a day differ"),
    "stock_differs": N_("Stock of a day differs"),
    "refunds_differ": N_("Refunds of a day differ"),
    "store_refused": N_("Store will not hear of goods that left"),
}
LISTS: Mapping[str, str] = {
    "orders": N_("Orders"),
    "stock": N_("Stock"),
    "refunds": N_("Refunds"),
}
SIDES: Mapping[str, str] = {
    "qty": N_("%(value)s pieces"),
    "amount": N_("amount %(value)s"),
    "open": N_("open"),
    "shipped": N_("shipped"),
    "cancelled": N_("cancelled"),
}
PAPER_STATES: Mapping[tuple[str, str], tuple[str, str]] = {
    ("AP", "RUN"): ("wait", N_("To be passed")),
    ("AP", "PASS"): ("wait", N_("To be refunded")),
    ("AP", "COMPLETE"): ("good", N_("Completed")),
    ("AP", "INVALID"): ("calm", N_("Refused (void)")),
    ("SR", "INVALID"): ("calm", N_("Draft")),
    ("SR", "RUN"): ("wait", N_("To be passed")),
    ("SR", "FMS_PASS"): ("info", N_("Passed")),
    ("SR", "RECEIVE"): ("info", N_("Goods received")),
    ("SR", "COMPLETE"): ("good", N_("Completed")),
}
PAPER_KINDS: Mapping[str, str] = {
    "BEFORE": N_("Price difference (before shipping)"),
    "AFTER": N_("Price adjustment (after shipping)"),
    "": N_("Sales return"),
}
PAPER_ACTIONS: Mapping[str, str] = {
    "create": N_("File it"),
    "pass": N_("Pass"),
    "refuse": N_("Refuse"),
    "complete": N_("Refund"),
    "run": N_("Put into effect"),
    "edit": N_("Edit"),
    "receive": N_("Sign the goods in"),
    "delete": N_("Delete"),
}
MOVEMENTS: Mapping[str, str] = {
    "stocktake": N_("Stocktake"),
    "shipment": N_("Shipment"),
    "receipt": N_("Receipt"),
    "return": N_("Return"),
    "transfer": N_("Transfer"),
    "import": N_("Import"),
    "stated": N_("Stated by a partner"),
    "supplied": N_("Goods in"),
    "found": N_("Found elsewhere"),
    "unsellable": N_("Cannot be sold"),
}
KINDS: Mapping[str, str] = {
    "order_placed": N_("Order placed"),
    "order_processed": N_("Order processed"),
    "order_shipped": N_("Order shipped"),
    "order_cancelled": N_("Order cancelled"),
    "goods_saved": N_("Goods saved"),
    "suite_saved": N_("Suite saved"),
    "dispatch_requested": N_("Dispatch note placed"),
    "dispatch_offered": N_("Dispatch note for an outlet"),
    "dispatch_withdrawn": N_("Dispatch note withdrawn"),
    "dispatch_refused": N_("Dispatch note refused"),
    "packages_shipped": N_("Packages shipped"),
    "dispatch_completed": N_("Dispatch note completed"),
    "return_received": N_("Return received"),
    "waybill_changed": N_("Waybill changed"),
    "adjustment_filed": N_("Price adjustment filed"),
    "adjustment_passed": N_("Price adjustment passed"),
    "adjustment_refused": N_("Price adjustment refused"),
    "adjustment_completed": N_("Price adjustment completed"),
    "adjustment_deleted": N_("Price adjustment deleted"),
    "sales_return_filed": N_("Sales return filed"),
    "sales_return_edited": N_("Sales return edited"),
    "sales_return_confirmed": N_("Sales return confirmed"),
    "sales_return_passed": N_("Sales return passed"),
    "sales_return_refused": N_("Sales return refused"),
    "sales_return_received": N_("Sales return received"),
    "sales_return_completed": N_("Sales return completed"),
    "sales_return_deleted": N_("Sales return deleted"),
    "discrepancy_opened": N_("Discrepancy opened"),
    "discrepancy_resolved": N_("Discrepancy resolved"),
    "reconciliation_done": N_("Reconciliation done"),
    "note_refused": N_("Note refused by its outlet"),
    "note_parked": N_("Note parked for a person"),
    "import_finished": N_("Import finished"),
    "export_finished": N_("Export finished"),
    "trade_call": N_("Call of a price adjustment or sales return"),
    "stock": N_("Stock level"),
}
AUDITED: Mapping[str, str] = {
    "sign in": N_("Signed in"),
    "password change": N_("Changed the password"),
    "second factor on": N_("Turned the second factor on"),
    "second factor off": N_("Turned the second factor off"),
    "connection add": N_("Made a connection"),
    "connection set": N_("Changed a connection"),
    "connection rotate": N_("Rotated a key"),
    "connection credentials": N_("Looked at credentials on the command line"),
    "connection secrets shown": N_("Looked at keys and secrets"),
    "tenant set": N_("Changed the tenant's settings"),
    "reveal receiver": N_("Revealed a receiver"),
    "reveal exchange": N_("Revealed an exchange"),
    "safety stock set": N_("Set a safety stock"),
    "publish rule add": N_("Added a publishing rule"),
    "publish rule remove": N_("Removed a publishing rule"),
    "suite save": N_("Saved a suite"),
    "schedule run": N_("Ran a schedule by hand"),
    "person save": N_("Changed a person"),
    "person let in": N_("Let a person in"),
    "person lock out": N_("Locked a person out"),
    "password reset": N_("Reset a password"),
    "second factor reset": N_("Took a second factor away"),
    "token make": N_("Made a token"),
    "token end": N_("Ended a token"),
    "token create": N_("Made a token on the command line"),
    "token revoke": N_("Ended a token on the command line"),
    "person set": N_("Changed a person on the command line"),
    "person end": N_("Locked a person out on the command line"),
    "exchanges reveal": N_("Revealed exchanges"),
    "import": N_("Brought a file in"),
    "export": N_("Took a file out"),
    "goods known": N_("Had goods known by a partner's name"),
    "listing remove": N_("Took a name of goods away"),
    "note withdraw": N_("Took a dispatch note back"),
    "reconcile": N_("Compared a partner's list"),
    "listing set": N_("Put a name of goods right"),
    "sourcing set": N_("Changed how outlets are chosen"),
    "refusal reason set": N_("Said what a text of refusals means"),
    "outlet set": N_("Changed an outlet"),
    "discrepancy resolve": N_("Settled a discrepancy"),
}
SCHEDULES: Mapping[str, str] = {
    "partitions": N_("Make room for new records, drop old ones"),
    "acts": N_("Go on with acts on many deliveries"),
    "old discrepancies": N_("Drop what was resolved long ago"),
    "all levels": N_("Send all stock levels"),
    "levels": N_("Send changed stock levels"),
    "orders turned away": N_("Look which orders turned away have come in"),
    "silent outlets": N_("Look for outlets that keep silent"),
    "imports": N_("Go on with imports"),
    "exports": N_("Write files that were asked for"),
    "reconciliations": N_("Ask partners for their stock"),
}
CHOICES: Mapping[str, str] = {
    "on": N_("On"),
    "off": N_("Off"),
    "error": N_("Is an error"),
    "success": N_("Is answered as before"),
    "reject": N_("Are refused"),
    "accept": N_("Are taken"),
    "json": "JSON",
    "form": N_("Form fields"),
    "path": N_("Name in the path"),
    "query": N_("Name in the query"),
}
SETTINGS: Mapping[str, tuple[str, str]] = {
    "timeout": (N_("Time-out"), N_("Of one call, whole: 10s")),
    "events": (N_("Events"), N_("Types it is told of, with commas; empty: all")),
    "personal": (N_("Personal data"), N_("On: names, phones and addresses are sent too")),
    "schedule": (N_("Retry steps"), N_("The last one repeats: 5s,30s,2m")),
    "deadline": (N_("Deadline"), N_("After it, a person is asked: 24h")),
    "rate": (N_("Rate"), N_("At most so many calls: 20/s, 600/m, off")),
    "concurrency": (N_("Calls at once"), ""),
    "breaker": (N_("Breaker"), N_("Stops calling a partner whose calls mostly fail")),
    "allow_ips": (
        N_("Allowed addresses"),
        N_("Networks that may call us, with commas: 10.0.0.0/8; off: all"),
    ),
    "rotation_overlap": (N_("Rotation overlap"), N_("How long an old key stays valid: 24h")),
    "locations": (N_("Locations"), N_("Codes it may draw on, in order, with commas; empty: all")),
    "interval": (N_("Interval"), N_("How often levels are sent: 5m")),
    "total_store_code": (N_("Code of the total"), ""),
    "auto_process": (N_("Process orders at once"), ""),
    "max_offers": (N_("Most offers of the same goods"), ""),
    "answer_within": (N_("An outlet answers within"), "24h"),
    "auto_resource": (N_("Source elsewhere when silent"), ""),
    "void_timeout": (N_("Time to agree on a void"), "8s"),
    "require_over24h_reason": (N_("Demand a reason after 24 h"), ""),
    "path_style": (N_("Style of paths"), ""),
    "encoding": (N_("Encoding of calls"), ""),
    "unknown_style": (N_("Unknown styles"), ""),
    "same_body_again": (N_("The same order again"), ""),
    "window": (N_("Hours for calls"), N_("Shanghai time, 01:00-06:00; off: always")),
    "batch": (N_("Styles in one call"), N_("At most so many levels are pushed together")),
    "wait": (N_("Gather changes for"), N_("How long a level waits for others: 1s")),
    "unknown_order": (N_("Unknown orders"), ""),
    "stores": (N_("Pick-up stores"), N_("Their codes, with commas")),
    "express": (N_("Preferred courier"), N_("Its code; empty: the outlet chooses")),
    "active": (N_("Active"), N_("Off: nothing is told from now on")),
    "login": (N_("Calls as"), N_("Which user's token is used")),
    "push_goods": (N_("Send single goods first"), N_("So that a suite finds its parts")),
}
PATHS = N_("Path of %(call)s")
DETAILS: Mapping[str, str] = {
    "dialect": N_("Dialect"),
    "partner_url": N_("Partner's URL"),
    "address": N_("Address"),
    "parts": N_("Parts"),
    "name": N_("Name"),
    "role": N_("Role"),
    "scopes": N_("Scopes"),
    "kind": N_("Kind"),
    "day": N_("Day"),
    "ships": N_("Ships orders"),
    "paused": N_("Paused"),
    "connection": N_("Served by"),
    "priority": N_("Priority"),
    "daily_capacity": N_("Notes a day"),
    "groups": N_("Groups"),
    "four_eyes": N_("Four eyes"),
    "refund_requires_receipt": N_("Refund only after receipt"),
    "allow_raise": N_("Adjustments may raise a price"),
    "freight_excluded": N_("Freight a return does not give back"),
    "allowed_networks": N_("Allowed networks"),
}


def state(code: str) -> tuple[str, str]:
    """Return (colour, word) of a state; an unknown one shows its code, calm."""
    colour, word = STATES.get(code, ("calm", code.replace("_", " ")))
    return colour, _(word)


def note_state(code: str) -> tuple[str, str]:
    """Return (colour, word) of a dispatch note's state."""
    colour, word = NOTE_STATES[code]
    return colour, _(word)


def onward(code: str) -> tuple[str, str]:
    """Return (colour, word) of what became of goods that a note's outlet did not ship."""
    colour, word = ONWARD[code]
    return colour, _(word) if word else ""


def discrepancy(kind: str) -> str:
    """Return what does not agree; a kind we have no words for is called by its name."""
    return _(DISCREPANCIES.get(kind, kind.replace("_", " ")))


def listed_kind(code: str) -> str:
    """Return what a list that is reconciled holds."""
    return _(LISTS[code])


def side(said: Mapping[str, object] | None) -> str:
    """Return what one side of a reconciliation says of a key; None: it does not have it."""
    if said is None:
        return _("does not have it")
    words = [_(SIDES[str(value) if name == "state" else name]) for name, value in said.items()]
    told = [word % {"value": value} for word, value in zip(words, said.values(), strict=True)]
    return listed(told) or _("has it")


def paper_state(paper: Paper) -> tuple[str, str]:
    """Return (colour, word) of a paper's state."""
    colour, word = PAPER_STATES[paper.kind, paper.state]
    return colour, _(word)


def paper_kind(paper: Paper) -> str:
    """Return what kind of paper it is."""
    return _(PAPER_KINDS[paper.variant])


def kind(code: str) -> str:
    """Return the word for a kind of fact."""
    return _(KINDS.get(code, code.replace("_", " ")))


def movement(code: str) -> str:
    """Return the word for a kind of movement."""
    return _(MOVEMENTS.get(code, code.replace("_", " ")))


def audited(code: str) -> str:
    """Return what somebody did to the set-up."""
    return _(AUDITED.get(code, code))


def choice(code: str) -> str:
    """Return a value a setting may have."""
    return _(CHOICES.get(code, code))


def schedule(name: str) -> str:
    """Return what a schedule does; ``levels NAME`` and ``all levels NAME`` are a connection's."""
    for begin, word in SCHEDULES.items():
        if name == begin:
            return _(word)
        if name.startswith(begin + " "):
            return f"{_(word)} · {name.removeprefix(begin + ' ')}"
    return name


def detail(name: str) -> str:
    """Return what a detail of the audit is called: in the words of settings, where it is one."""
    return _(DETAILS[name]) if name in DETAILS else setting(name)[0]


def setting(name: str) -> tuple[str, str]:
    """Return (label, hint) of a setting; one we have no words for is called by its name."""
    if name.startswith("paths."):
        return _(PATHS) % {"call": name.removeprefix("paths.")}, ""
    label, hint = SETTINGS.get(name, (name, ""))
    return _(label), _(hint) if hint else ""

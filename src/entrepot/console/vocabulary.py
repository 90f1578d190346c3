"""Our codes, said to people: states and kinds with their colour, refusals as sentences."""

from __future__ import annotations

from typing import TYPE_CHECKING

from entrepot.console.words import N_, _

if TYPE_CHECKING:
    from collections.abc import Mapping

    from entrepot.errors import Refused
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
    "needs_attention": ("bad", N_("Needs attention")),
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
PAPER_STATES: Mapping[tuple[str, str], tuple[str, str]] = {
    ("AP", "RUN"): ("wait", N_("To be passed")),
    ("AP", "PASS"): ("wait", N_("To be refunded")),
    ("AP", "COMPLETE"): ("good", N_("Completed")),
    ("AP", "INVALID"): ("calm", N_("Refused (void)")),
    ("SR", "INVALID"): ("calm", N_("Draft")),
    ("SR", "RUN"): ("wait", N_("To be passed")),
    ("SR", "FMS_PASS"): ("info", N_("Passed")),
    ("SR", "RECEIVE"): ("info", N_("Signed in")),
    ("SR", "COMPLETE"): ("good", N_("Completed")),
}
PAPER_KINDS: Mapping[str, str] = {
    "BEFORE": N_("Price difference (before shipping)"),
    "AFTER": N_("Price adjustment (after shipping)"),
    "": N_("Sales return"),
}
PAPER_ACTIONS: Mapping[str, str] = {
    "create": N_("File"),
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
}
KINDS: Mapping[str, str] = {
    "order_placed": N_("Order placed"),
    "order_processed": N_("Order processed"),
    "order_shipped": N_("Order shipped"),
    "order_cancelled": N_("Order cancelled"),
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
    "import": N_("Brought a file in"),
}
SCHEDULES: Mapping[str, str] = {
    "partitions": N_("Make room for new records, drop old ones"),
    "acts": N_("Go on with acts on many deliveries"),
    "all levels": N_("Send all stock levels"),
    "levels": N_("Send changed stock levels"),
}
CHOICES: Mapping[str, str] = {"on": N_("On"), "off": N_("Off")}
SETTINGS: Mapping[str, tuple[str, str]] = {
    "timeout": (N_("Time-out"), N_("Of one call, whole: 10s")),
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
}
REFUSALS: Mapping[str, str] = {
    "sign_in_wrong": N_("Name or password is wrong."),
    "sign_in_wait": N_("Too many tries. Wait %(seconds)s seconds, then try again."),
    "code_wrong": N_("That code is not right. Wait for the next one and try again."),
    "password_wrong": N_("The present password is wrong."),
    "password_short": N_("A password has at least %(least)s characters."),
    "password_weak": N_("That password is too easy to guess."),
    "password_same": N_("The new password is the old one."),
    "not_allowed": N_("You have no right to do this. Ask an administrator."),
    "form_expired": N_("This page was open too long. Nothing was changed; please try again."),
    "reason_missing": N_("Say why; the reason is kept with the document."),
    "unknown_order": N_("There is no order %(number)s."),
    "order_exists": N_("Order %(number)s exists already."),
    "order_shipped": N_("The order is shipped already."),
    "order_cancelled": N_("The order is cancelled."),
    "ambiguous_order": N_("Several connections have an order %(number)s."),
    "not_on_hand": N_("There are not enough pieces on hand."),
    "unknown_goods": N_("No article is called %(names)s."),
    "unknown_location": N_("There is no location %(locations)s."),
    "no_location": N_("There is no location yet. Import outlets first."),
}


def state(code: str) -> tuple[str, str]:
    """Return (colour, word) of a state; an unknown one shows its code, calm."""
    colour, word = STATES.get(code, ("calm", code.replace("_", " ")))
    return colour, _(word)


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


def setting(name: str) -> tuple[str, str]:
    """Return (label, hint) of a setting; one we have no words for is called by its name."""
    label, hint = SETTINGS.get(name, (name, ""))
    return _(label), _(hint) if hint else ""


def refusal(refused: Refused) -> str:
    """Return a refusal as a sentence in the reader's language; what has none is said in English."""
    sentence = REFUSALS.get(refused.code)
    if sentence is None:
        return refused.text
    facts = {name: _fact(value) for name, value in refused.facts.items()}
    try:
        return _(sentence) % facts
    except KeyError:
        return refused.text


def _fact(value: object) -> str:
    if isinstance(value, (list, tuple, set, frozenset)):
        return "、".join(str(one) for one in value)
    return str(value)

"""An order's life, as a table. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any, Literal

from msgspec import Struct

from entrepot.dialect import Partner
from entrepot.discrepancies.rules import Seen
from entrepot.errors import Conflict, Refused
from entrepot.money import ZERO
from entrepot.orders.prices import Money

State = Literal["accepted", "processed", "shipped", "cancelled"]
Fulfilment = Literal["whole", "outlets", "partner"]
"""whole: an operator ships it · outlets: dispatch notes · partner: whom it was pushed to."""
Step = Literal["process", "ship", "cancel"]

TRANSITIONS: Mapping[Step, Mapping[str, State]] = {
    "process": {"accepted": "processed"},
    "ship": {"accepted": "shipped", "processed": "shipped"},
    "cancel": {"accepted": "cancelled", "processed": "cancelled"},
}
GOAL: Mapping[Step, State] = {
    "process": "processed",
    "ship": "shipped",
    "cancel": "cancelled",
}


class Wanted(Struct, frozen=True, kw_only=True):
    """One line as asked for: an article by the name the partner uses, and where it was asked.

    The rest counts where the order has ``money``: what a piece costs, whether it is a gift (1 申请的赠品,
    2 活动赠品), and the ids that screens name the goods by (None: those of the article's details).
    """

    name: str
    qty: int
    path: str = ""
    price: Decimal = ZERO
    gift: int = 0
    product_id: int | None = None
    unit_id: int | None = None


class NewOrder(Struct, frozen=True, kw_only=True):
    """A document that asks for goods.

    ``kind`` is the name space of its number; ``named_by`` says what ``Wanted.name`` is (``style`` or
    ``sku``); ``digest`` is of the content as parsed, keys sorted; ``body`` and ``receiver`` are sealed.
    ``create_unknown`` and ``same_again`` are the connection's policies (document 000:
    ``unknown_style``, ``same_body_again``).
    """

    number: str
    lines: tuple[Wanted, ...]
    digest: bytes
    kind: str = "order"
    partner: Partner | None = None
    customer: str = ""
    money: Money | None = None
    named_by: Literal["style", "sku"] = "sku"
    details: Mapping[str, Any] = {}
    body: bytes | None = None
    receiver: bytes | None = None
    phone_hash: bytes | None = None
    create_unknown: bool = False
    same_again: bool = False
    auto_process: bool = False
    push: bool = False
    fulfilment: Fulfilment = "whole"
    who: str = ""

    @property
    def guard(self) -> tuple[int, str]:
        """What may exist once: (connection id, or 0 for the hub's own; number)."""
        return (self.partner.id if self.partner else 0, self.number)


class Placed(Struct, frozen=True, kw_only=True):
    """An order that is durably taken; ``again`` when the same document was taken before."""

    order_id: int
    number: str
    again: bool = False


class StepBy(Struct, frozen=True, kw_only=True):
    """One step on one order, found by number (and connection, where the caller has one)."""

    number: str
    who: str
    connection_id: int | None = None
    remark: str = ""


def after(step: Step, state: str, fulfilment: str = "whole") -> State | None:
    """Return the state after ``step``, or None when it is already taken; raises Conflict.

    These steps are for orders that we ship whole; outlets and partners move the others on.

    An already shipped order counts as processed: a mark that comes late changes nothing.
    """
    if state == GOAL[step] or (step == "process" and state == "shipped"):
        return None
    if fulfilment != "whole":
        text = f"The order is shipped by {fulfilment}; they move it on, not an operator."
        raise Conflict("order_not_ours", text, fulfilment=fulfilment)
    target = TRANSITIONS[step].get(state)
    if target is None:
        text = f"The order is {state}; it cannot be {GOAL[step]}."
        raise Conflict(f"order_{state}", text, state=state)
    return target


def duplicate(new: NewOrder, *, digest: bytes, state: str, order_id: int) -> Placed | Conflict:
    """Decide on a number that is taken: the first reply again, where the policy says so, or an error."""
    if new.same_again and digest == new.digest and state != "cancelled":
        return Placed(order_id=order_id, number=new.number, again=True)
    return Conflict("order_exists", f"Order {new.number} exists.", number=new.number)


NOT_TAKEN, OTHER_CONTENT, TAKEN = "not_taken", "other_content", "order_exists"
CURABLE = frozenset({"unknown_goods", "unknown_store", TAKEN})
"""Refusals of an order after which a person can do something, so that the next push comes in."""
KNOWN_NOW = "Its goods are known by now; the partner must push it again."
_NAMES, _NAME = 50, 200


class TurnedAway(Struct, frozen=True, kw_only=True):
    """An order that was refused: why, and which names (of goods, or of a store) nobody knew."""

    order: NewOrder
    code: str
    names: tuple[str, ...] = ()

    @classmethod
    def of(cls, order: NewOrder, refusal: Refused) -> TurnedAway:
        """Return what a refusal says of an order; names are cut to what a person reads."""
        found: Any = refusal.facts.get("names") or [refusal.facts.get("store", "")]
        names = tuple(str(name)[:_NAME] for name in found[:_NAMES] if name)
        return cls(order=order, code=refusal.code, names=names)


def missed(one: TurnedAway, digest: bytes, order_id: int | None) -> Seen | None:
    """Return what people are shown of an order turned away; None: only the partner can mend it.

    ``digest`` is of the content that its number was taken with (empty: unknown), ``order_id`` who has it.
    """
    order, names = one.order, ", ".join(one.names)
    if one.code == TAKEN:
        kind, text = OTHER_CONTENT, f"{order.number} came again with other content."
        if digest in (b"", order.digest):
            return None
    elif one.code == "unknown_store":
        kind, text = NOT_TAKEN, f"It was turned away: there is no store {names}."
    else:
        kind, text = NOT_TAKEN, f"It was turned away: no article is called {names}."
    return Seen(
        kind=kind,
        subject=order.number,
        document=order.number,
        text=text,
        connection_id=order.guard[0],
        order_id=order_id,
        details={
            "code": one.code,
            "names": list(one.names),
            "by": order.named_by,
            "of": order.kind,
        },
    )

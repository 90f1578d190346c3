"""What a subscriber gets: the event's type, when it happened, and what is known of it. Pure."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec
from msgspec import Meta, Struct

from entrepot import facts
from entrepot.decode import Name, Optional
from entrepot.dialect import Problem, Reply, Settings, Switch

_STRANGE = frozenset({"unsigned", "no_secret", "wrong_time", "wrong_signature"})
_encode = msgspec.json.Encoder(decimal_format="number").encode


class SenderSettings(Settings, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a subscriber is told of.

    ``events`` are types of events, none: every one but ``stock.levels``; ``active`` off: nothing
    from now on; ``personal`` on: with names, phones and addresses.
    """

    events: Annotated[tuple[str, ...], Meta(max_length=100)] = ()
    active: Switch = "on"
    personal: Switch = "off"

    def __post_init__(self) -> None:
        """Refuse types of events that do not exist."""
        super().__post_init__()
        if unknown := sorted(set(self.events) - set(facts.events())):
            message = f"there is no event {', '.join(unknown)}; known: {', '.join(facts.events())}"
            raise ValueError(message)


class ReceiverSettings(Settings, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a receiver can be set: nothing of its own."""


class Event(Struct, frozen=True, kw_only=True):
    """The body of a call; ``timestamp`` is added when it is sent."""

    type: str
    data: dict[str, Any]


class Told(Struct, kw_only=True):
    """An event as it comes in, of whatever type: whoever sends may know more of them than we do."""

    type: Name
    data: dict[str, Any]
    timestamp: Optional = None


class LevelsEvent(Struct, frozen=True, kw_only=True):
    """The body of a call about levels."""

    type: str
    data: facts.LevelsTold


LEVELS = 500
"""The most levels we put into one call."""
KINDS = {facts.event(kind): kind for kind in facts.kinds()}
"""The kind of fact behind each type of event."""


def wanted(settings: SenderSettings) -> frozenset[str]:
    """Return the kinds of facts that these settings ask for."""
    if settings.active == "off":
        return frozenset()
    return frozenset(KINDS[name] for name in settings.events or KINDS if name in KINDS)


def at_once(settings: SenderSettings) -> int:
    """Return how many levels one call tells; 0 where they were not asked for by name."""
    asked = settings.active == "on" and facts.Levels.event in settings.events
    return LEVELS if asked else 0


def levels(told: facts.Levels) -> bytes:
    """Return the event of changed levels as JSON."""
    rows = (facts.Sellable(sku=level.key, available=level.total) for level in told.levels)
    return _encode(LevelsEvent(type=told.event, data=facts.LevelsTold(levels=tuple(rows))))


def body(fact: facts.Fact, settings: SenderSettings) -> bytes:
    """Return the event of a fact as JSON; what is personal is left out unless it was asked for."""
    data = {name: getattr(fact, name) for name in fact.__struct_fields__}
    if settings.personal == "off":
        data = {name: value for name, value in data.items() if name not in facts.PERSONAL}
    return _encode(Event(type=facts.event(fact.kind), data=data))


def at(event: bytes, moment: str) -> bytes:
    """Return an event with the moment at which it happened."""
    return b'%s,"timestamp":"%s"}' % (event.removesuffix(b"}"), moment.encode())


def number(told: Told) -> str:
    """Return the number of the document that an event is about, ``""`` where it names none."""
    found = told.data.get("number")
    return found if isinstance(found, str) else ""


def taken() -> Reply:
    """Return the answer to an event that was taken."""
    return Reply(_encode({"status": 200}))


def render(problem: Problem) -> Reply:
    """Return the answer to a call that is refused, or that nobody expected."""
    status = problem.status or (401 if problem.code in _STRANGE else 400)
    at = f"{problem.path}: " if problem.path else ""
    return Reply(_encode({"status": status, "error": at + (problem.text or problem.code)}), status)

"""The contract of a dialect: plain data and pure functions.

A dialect is a folder (or another package, entry point group ``entrepot.dialects``) with a module-level
``dialect: Dialect``. It knows its partner's words and no SQL; the gateway receives for it and the
courier sends for it, so authentication, limits, recording, idempotency and time-outs come from one place.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal

import msgspec
from msgspec import Meta, Struct

from entrepot.facts import Fact, Levels

if TYPE_CHECKING:
    from pathlib import Path

    from entrepot.errors import Refused

# \Z: a "$" would let a line's end through, which no reader of these expects. Six digits: a moment that far
# from now can still be written.
_TIME = r"\d{1,6}(\.\d{1,3})?(ms|s|m|h|d)"
_OCLOCK = r"([01]\d|2[0-3]):[0-5]\d"
Duration = Annotated[str, Meta(pattern=rf"^{_TIME}\Z", examples=["500ms", "10s", "5m", "24h"])]
"""A time as operators write it: ``500ms``, ``10s``, ``5m``, ``24h``, ``7d``."""
Steps = Annotated[str, Meta(pattern=rf"^{_TIME}(,{_TIME})*\Z", examples=["5s,30s,2m,1h"])]
"""A list of durations: ``5s,30s,2m``."""
Rate = Annotated[
    str, Meta(pattern=r"^(off|[1-9]\d{0,5}/[smh])\Z", examples=["20/s", "600/m", "off"])
]
"""At most so many calls per second, minute or hour: ``20/s``, ``600/m``, ``off``."""
Window = Annotated[
    str, Meta(pattern=rf"^(off|{_OCLOCK}-{_OCLOCK})\Z", examples=["01:00-06:30", "off"])
]
"""The part of the day (Asia/Shanghai) in which a partner may be called: ``01:00-06:30``, ``off``."""
Switch = Literal["on", "off"]
PARTNER_BEARER = "partner_bearer"
"""The name, among a connection's secrets, of the bearer token that its partner demands of our calls."""

_UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}


def seconds(duration: str) -> float:
    """Return a ``Duration`` in seconds: ``"5m"`` → 300.0."""
    number, unit = re.fullmatch(r"([\d.]+)(ms|s|m|h|d)", duration).groups()  # type: ignore[union-attr]
    return float(number) * _UNITS[unit]


def steps(schedule: str) -> tuple[float, ...]:
    """Return ``Steps`` in seconds."""
    return tuple(seconds(step) for step in schedule.split(","))


class Settings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Settings every connection has; a role's own settings extend this.

    ``locations`` are codes of the locations the connection may draw on, in order of preference;
    empty means all.
    """

    timeout: Duration = "10s"
    schedule: Steps = "5s,30s,2m,10m,30m,1h"
    deadline: Duration = "24h"
    rate: Rate = "off"
    window: Window = "off"
    concurrency: Annotated[int, Meta(ge=1, le=1000)] = 8
    breaker: Switch = "on"
    allow_ips: str = "off"
    rotation_overlap: Duration = "24h"
    locations: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        """Refuse networks that are none (``allow_ips``)."""
        if self.allow_ips != "off":
            for network in self.allow_ips.split(","):
                ipaddress.ip_network(network.strip(), strict=False)


class Reply(Struct, frozen=True):
    """What a partner gets. A streamed body is an async iterator of chunks. ``refused``: its envelope says no;
    whatever a role renders of a problem does.
    """

    body: bytes | AsyncIterator[bytes]
    status: int = 200
    headers: tuple[tuple[bytes, bytes], ...] = ((b"content-type", b"application/json"),)
    refused: bool = False


class Problem(Struct, frozen=True):
    """Why a call is refused before or instead of a business answer.

    ``status`` is set for what HTTP itself says (401, 403, 404, 405, 413, 500) and 0 for the rest;
    ``code`` is ours (``malformed``, ``order_exists`` …); ``text`` English, for logs and as a last
    resort; ``path`` the JSON path in the partner's words.
    """

    code: str
    text: str = ""
    path: str = ""
    status: int = 0
    facts: Mapping[str, object] = {}

    @classmethod
    def of(cls, refusal: Refused) -> Problem:
        """Return a business refusal as a problem."""
        return cls(refusal.code, refusal.text, refusal.path, 0, refusal.facts)


class Request(Struct, frozen=True):
    """A call to a partner. ``path`` is appended to the connection's ``partner_url``."""

    path: str
    body: bytes = b""
    method: str = "POST"
    headers: tuple[tuple[str, str], ...] = (("Content-Type", "application/json"),)
    query: str = ""


class Response(Struct, frozen=True):
    """What the partner answered, read to its end within the limits."""

    status: int
    body: bytes
    headers: Mapping[str, str] = {}


class Delivered(Struct, frozen=True):
    """The partner's envelope says it is done. ``note`` is shown with the attempt."""

    note: str = ""


class Rejected(Struct, frozen=True):
    """A business answer in the partner's envelope that says no."""

    message: str


class Retry(Struct, frozen=True):
    """Anything else. ``slow_down`` marks a rate limit: not a failure, but the connection waits."""

    reason: str
    after: float | None = None
    slow_down: bool = False


Verdict = Delivered | Rejected | Retry


class Partner(Struct, frozen=True, kw_only=True):
    """One connection as dialects and the courier see it. ``secrets`` never go to a log."""

    tenant_id: int
    id: int
    name: str
    dialect: str
    role: str
    partner_url: str | None = None
    settings: Any = None
    secrets: Mapping[str, str] = {}
    paused: bool = False

    @property
    def token(self) -> str:
        """Return the bearer token that our calls show the partner, ``""`` for none."""
        return self.secrets.get(PARTNER_BEARER, "")


class Stocked(Struct, frozen=True, kw_only=True):
    """What a partner says it holds of one thing, over all its places."""

    key: str
    qty: int


@dataclass(frozen=True, kw_only=True)
class StockQuery:
    """How a partner is asked for its stock.

    ``request_for(keys, partner)`` asks for up to ``at_once`` things by our style numbers or SKUs (``by``);
    ``read(response)`` returns what it says of those it knows, or raises Unusable. ``sellable``: it says what
    may be sold, not what lies there.
    """

    by: Literal["style", "sku"]
    at_once: int
    sellable: bool
    request_for: Callable[[Sequence[str], Partner], Request]
    read: Callable[[Response], list[Stocked]]


class Sent(Struct, frozen=True):
    """One call and its answer, for a verdict.

    ``unsure``: an earlier attempt of this delivery ended without our learning its outcome.
    """

    subject: Fact | Levels
    request: Request
    response: Response
    unsure: bool = False


class Call(Struct, kw_only=True):
    """One request of a partner, as its handler sees it.

    ``do`` runs a flow in a transaction shared with what arrives at the same moment and returns this
    command's outcome after the commit, or raises its refusal; ``ask`` does so for a reading flow. A
    handler sets ``document`` (and ``also``) as soon as it knows the number the exchange is filed under.
    ``seal`` encrypts what is kept of people, ``fingerprint`` makes a phone number findable.
    ``secrets`` are those of every generation still valid, the current one first: a dialect that checks
    its callers itself accepts any of them. ``caller`` is whatever its ``Role.admit`` made of who calls.
    ``id`` is the request's in logs and in its reply's ``X-Request-Id``, and its exchange's.
    """

    partner: Partner
    do: Callable[..., Awaitable[Any]]
    ask: Callable[..., Awaitable[Any]]
    seal: Callable[[bytes], bytes]
    fingerprint: Callable[[str], bytes] = lambda _text: b""
    body: Any = None
    raw: bytes = b""
    path: Mapping[str, str] = {}
    query: str = ""
    headers: Mapping[bytes, bytes] = {}
    document: str = ""
    also: tuple[str, ...] = ()
    secrets: tuple[Mapping[str, str], ...] = ()
    caller: Any = None
    db: Any = None
    id: int = 0


Handler = Callable[[Call], Awaitable[Reply]]


@dataclass(frozen=True, slots=True)
class Route:
    """One row of a dialect's table. ``path`` may hold ``{names}``; ``body`` None means raw bytes.

    ``number`` is where the body (``order.no``, of a list ``0.no``) or the path says its document's number,
    so that the exchange is found by it even when the body was refused. ``form``: the body may come
    form-encoded too, lists and objects in it as JSON text; the handler sees the JSON that says the same.

    For descriptions alone: ``shapes`` are what a body may be that the handler reads itself, ``query`` is a
    struct of the parameters that it reads.
    """

    method: str
    path: str
    handler: Handler
    body: Any = None
    optional_body: bool = False
    number: str = ""
    form: bool = False
    shapes: tuple[Any, ...] = ()
    query: Any = None


@dataclass(frozen=True, kw_only=True)
class Role:
    """One end of a dialect.

    ``secrets`` makes the secrets a new connection needs beside its URL key, anew at every rotation, and
    ``accounts`` what it is known by besides, which a rotation keeps; an operator may set both.
    A dialect may check its callers itself: in ``admit``, called before a body is decoded, which raises for
    strangers, or in its handlers. ``own_auth`` tells the gateway that the bearer token is the dialect's to
    read, so that none of the connection's is asked for; ``sign`` makes a request one of a caller who holds
    these secrets (for checks and traffic; a bearer token needs none). ``listens`` names
    the kinds of fact this role is told.

    ``overhears`` makes the partner a witness: it says, from the settings, which kinds of fact it is told
    besides, whichever connection (or none) they are for. What becomes of such a delivery has no
    consequence, and one that was delivered may be sent again. ``finish`` completes each attempt's request
    with what depends on the delivery: its id, and the secrets of every generation that counts, the current
    one first.

    Stock levels, each read from the connection's settings: ``levels`` says how many one call may carry
    (0: the role is told none), ``level_wait`` how long to gather them, in seconds, and ``punctual`` that
    a full call waits for that time too. ``sells`` says what a level is of: every article
    (``Level.key`` is its SKU), every one with a style number (that), or the connection's listings.
    ``level_locations`` are the codes that add up to ``Level.total`` (empty: all), ``level_stores`` those
    told a figure of their own (``Level.by_location``). ``full_every`` seconds everything is told anew (0:
    never). ``splits`` tells whether a refused batch may hold good rows, so that halves of it are worth
    sending. ``misnamed`` says what is wrong with a listing's type and key (``""``: nothing), for which the
    partner would refuse it.
    """

    settings: type[Settings]
    render: Callable[[Problem], Reply]
    routes: tuple[Route, ...] = ()
    listens: frozenset[str] = frozenset()
    request_for: Callable[[Any, Partner], Request | None] = lambda _fact, _partner: None
    verdict: Callable[[Sent], Verdict] = lambda _sent: Delivered()
    levels: Callable[[Any], int] = lambda _settings: 0
    level_wait: Callable[[Any], float] = lambda _settings: 1.0
    punctual: bool = False
    sells: Literal["styles", "listings", "articles"] = "listings"
    level_locations: Callable[[Any], tuple[str, ...]] = lambda settings: settings.locations
    level_stores: Callable[[Any], tuple[str, ...]] = lambda _settings: ()
    full_every: Callable[[Any], float] = lambda _settings: 0.0
    splits: Callable[[Sent], bool] = lambda _sent: False
    misnamed: Callable[[str, str], str] = lambda _type, _key: ""
    secrets: Callable[[], dict[str, str]] = dict
    accounts: Callable[[], dict[str, str]] = dict
    overhears: Callable[[Any], frozenset[str]] | None = None
    finish: Callable[[Request, str, Sequence[Mapping[str, str]]], Request] | None = None
    own_auth: bool = False
    sign: Callable[[Request, Mapping[str, str]], Request] | None = None
    admit: Callable[[Call], Awaitable[None]] | None = None
    stock_query: StockQuery | None = None


@dataclass(frozen=True, kw_only=True)
class Dialect:
    """A partner's way of speaking; ``roles`` lists both ends, the usual one first."""

    ENTRY_POINTS: ClassVar[str] = "entrepot.dialects"

    name: str
    label: str
    document: str
    roles: Mapping[str, Role]
    folder: Path


def convert_settings(role: Role, raw: Mapping[str, object]) -> Settings:
    """Return ``raw`` as the role's settings struct; raises msgspec.ValidationError."""
    return msgspec.convert(raw, role.settings)

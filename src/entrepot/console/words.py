"""What the console says, in the reader's language, and how it writes times and numbers.

The source language is English; ``locale/*.po`` hold the catalogues, read once per process.
"""

from __future__ import annotations

from contextvars import ContextVar
from datetime import datetime, timedelta
from decimal import Decimal
from functools import cache
from importlib import resources
from typing import TYPE_CHECKING

from babel.messages.pofile import read_po

from entrepot import clock

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

LOCALES: Mapping[str, str] = {"zh-CN": "中文", "en": "English"}
DEFAULT = "zh-CN"
locale: ContextVar[str] = ContextVar("locale", default=DEFAULT)
"""The language of the page being made."""


def N_(text: str) -> str:  # noqa: N802 - gettext's own name for a text translated later
    """Mark a text for the catalogue; it is translated where it is shown."""
    return text


def _(text: str) -> str:
    """Return a text in the reader's language."""
    found = _catalogue(locale.get()).get(text)
    return found if isinstance(found, str) else text


def ngettext(one: str, many: str, number: int) -> str:
    """Return the form for ``number``; Chinese has a single one."""
    found = _catalogue(locale.get()).get(one)
    if isinstance(found, tuple):
        return found[0 if len(found) == 1 or number == 1 else 1]
    return one if number == 1 else many


def chosen(cookie: str | None, accepted: str) -> str:
    """Return the language to use: what was chosen here, else the browser's first that we have."""
    if cookie is not None and cookie in LOCALES:
        return cookie
    for part in accepted.split(","):
        language = part.partition(";")[0].strip().lower()
        if language.startswith("zh"):
            return "zh-CN"
        if language.startswith("en"):
            return "en"
    return DEFAULT


@cache
def _catalogue(name: str) -> Mapping[str, str | tuple[str, ...]]:
    file = resources.files(__package__).joinpath("locale", f"{name}.po")
    with file.open("rb") as source:
        messages = read_po(source, locale=name.replace("-", "_"))
    found: dict[str, str | tuple[str, ...]] = {}
    for message in messages:
        if message.id and message.string and not message.fuzzy:
            key = message.id[0] if isinstance(message.id, (tuple, list)) else message.id
            texts = message.string
            found[key] = texts if isinstance(texts, str) else tuple(t or key for t in texts)
    return found


def listed(names: Iterable[str]) -> str:
    """Return names as an enumeration of the reader's language."""
    return ("、" if locale.get() == "zh-CN" else ", ").join(names)


def number(value: object) -> str:
    """Return a number with thousands apart: 1234567 → 1,234,567; decimals without trailing zeros.

    The minus is as typesetters have it.
    """
    if value is None:
        return "–"
    if isinstance(value, Decimal):
        whole, _dot, rest = f"{value:,f}".partition(".")
        rest = rest.rstrip("0")
        return (f"{whole}.{rest}" if rest else whole).replace("-", "−")
    return f"{value:,}".replace("-", "−") if isinstance(value, int) else str(value)


def signed(value: int) -> str:
    """Return a change with its sign, the minus as typesetters have it."""
    return f"+{value:,}" if value > 0 else f"−{-value:,}" if value < 0 else "0"


def money(value: Decimal | None) -> str:
    """Return an amount with its two decimals, the minus as typesetters have it."""
    return "–" if value is None else f"{value:,.2f}".replace("-", "−")


def moment(at: datetime) -> str:
    """Return a time with its day (Asia/Shanghai), the year only where it is another: 11-27 22:18:38."""
    local = clock.shanghai(at)
    same = local.year == clock.shanghai(clock.now()).year
    return f"{local:%m-%d %H:%M:%S}" if same else f"{local:%Y-%m-%d %H:%M}"


def exact(at: datetime) -> str:
    """Return a time in full, with its offset."""
    return f"{clock.shanghai(at):%Y-%m-%d %H:%M:%S} UTC+8"


def age(span: timedelta) -> str:
    """Return how long something lasted or ago it was, in its largest unit."""
    seconds = max(0, int(span.total_seconds()))
    for size, one, many in _UNITS:
        if seconds >= size:
            count = seconds // size
            return _(one if count == 1 else many) % {"num": count}
    return _("moments")


_UNITS = (
    (86400, N_("%(num)d day"), N_("%(num)d days")),
    (3600, N_("%(num)d hour"), N_("%(num)d hours")),
    (60, N_("%(num)d min"), N_("%(num)d min")),
    (1, N_("%(num)d s"), N_("%(num)d s")),
)


def ago(at: datetime) -> str:
    """Return how long ago a time was, or in how long it will be."""
    span = clock.now() - at
    if span < timedelta(seconds=-1):
        return _("in %(span)s") % {"span": age(-span)}
    if span < timedelta(seconds=1):
        return _("just now")
    return _("%(span)s ago") % {"span": age(span)}


def milliseconds(value: float | None) -> str:
    """Return a duration given in milliseconds."""
    if value is None:
        return "–"
    if value >= 1000:
        return f"{value / 1000:.1f} s"
    return f"{value:.0f} ms" if value >= 1 else "<1 ms"

"""Jinja templates into pages; what every template may use."""

from __future__ import annotations

from contextvars import ContextVar
from functools import cache
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

import jinja2
import msgspec
from markupsafe import Markup

from entrepot import clock
from entrepot.connections import rules
from entrepot.console import assets, door, lists, sayings, vocabulary, words
from entrepot.console.rights import ROLES
from entrepot.console.seat import seat

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from entrepot.papers.rules import Paper

_veiled: ContextVar[str] = ContextVar("veiled", default="")


def page(template: str, context: Mapping[str, Any]) -> str:
    """Return a template filled in."""
    _veiled.set("")
    return _environment().get_template(template).render(context)


@cache
def _environment() -> jinja2.Environment:
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("entrepot.console", "templates"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        extensions=["jinja2.ext.i18n", "jinja2.ext.do", "jinja2.ext.loopcontrols"],
        auto_reload=False,
        cache_size=-1,
    )
    environment.install_gettext_callables(words._, words.ngettext, newstyle=True)  # type: ignore[attr-defined]
    environment.globals |= {
        "asset": assets.url,
        "icon": icon,
        "state": state,
        "when": when,
        "seat": seat.get,
        "locale": words.locale.get,
        "locales": words.LOCALES,
        "csrf": csrf,
        "kind": vocabulary.kind,
        "kind_word": vocabulary.kind,
        "schedule_word": vocabulary.schedule,
        "note_state": lambda code: coloured(*vocabulary.note_state(code)),
        "onward": lambda code: coloured(*vocabulary.onward(code)),
        "discrepancy": vocabulary.discrepancy,
        "listed_kind": vocabulary.listed_kind,
        "paper_state": paper_state,
        "paper_state_word": lambda kind, code: words._(vocabulary.PAPER_STATES[kind, code][1]),
        "paper_action": lambda code: words._(vocabulary.PAPER_ACTIONS[code]),
        "paper_kind": vocabulary.paper_kind,
        "movement": vocabulary.movement,
        "linked": linked,
        "setting": vocabulary.setting,
        "now": clock.now,
        "role_name": lambda role: words._(ROLES.get(role, str(role))),
    }
    environment.filters |= _filters()
    return environment


def _filters() -> dict[str, Any]:
    return {
        "num": words.number,
        "money": words.money,
        "moment": words.moment,
        "exact": words.exact,
        "ago": words.ago,
        "age": words.age,
        "ms": words.milliseconds,
        "signed": words.signed,
        "cursor": lists.by_time,
        "tr": words._,
        "said": sayings.said,
        "capped": capped,
        "both": lambda word: (word, word),
        "hidden_key": rules.hidden,
        "told": told,
        "audit_word": vocabulary.audited,
        "choice_word": lambda code: (code, vocabulary.choice(code)),
    }


@cache
def icon(name: str) -> Markup:
    """Return an icon that says nothing to a screen reader; the word stands beside it."""
    href = f"{assets.url('icons.svg')}#{name}"
    return Markup('<svg class="icon" aria-hidden="true"><use href="{}"></use></svg>').format(href)


def state(code: str) -> Markup:
    """Return a state as a coloured word."""
    return coloured(*vocabulary.state(code))


def paper_state(paper: Paper) -> Markup:
    """Return a paper's state as a coloured word."""
    return coloured(*vocabulary.paper_state(paper))


def coloured(colour: str, word: str) -> Markup:
    """Return a coloured word; nothing for no word."""
    return Markup('<span class="state {}">{}</span>').format(colour, word) if word else Markup("")


def when(at: datetime | None, *, relative: bool = False) -> Markup:
    """Return a time, in full on hovering; its day stands back where it is today."""
    if at is None:
        return Markup('<span class="muted">–</span>')
    text = words.ago(at) if relative else words.moment(at)
    if not relative:
        shown = "day now" if at >= lists.today() else "day"
        text = Markup('<span class="{}">{}</span> {}').format(shown, *text.split(" "))
    return Markup('<time datetime="{}" title="{}">{}</time>').format(
        at.isoformat(), words.exact(at), text
    )


def csrf() -> str:
    """Return the token that every form of this page carries."""
    found = seat.get()
    if found is None:
        return ""
    if not _veiled.get():
        _veiled.set(door.veiled(found.csrf))
    return _veiled.get()


def linked(path: str, **query: object) -> str:
    """Return a path with a query, leaving out what is empty."""
    kept = {name: str(value) for name, value in query.items() if value not in (None, "")}
    return f"{path}?{urlencode(kept)}" if kept else path


def capped(count: int) -> str:
    """Return a count that was not taken beyond a thousand: 1,000+."""
    return f"{lists.MOST_COUNTED:,}+" if count > lists.MOST_COUNTED else f"{count:,}"


def pairs(details: str) -> str:
    """Return stored details as ``name = value`` pairs, as files have them."""
    found = msgspec.json.decode(details)
    if not isinstance(found, dict):
        return str(found)
    return ", ".join(f"{name} = {rules.hidden(str(value))}" for name, value in found.items())


def told(details: str) -> str:
    """Return stored details in the words that settings have: ``Deadline: 24h · Breaker: On``."""
    found = msgspec.json.decode(details)
    if not isinstance(found, dict):
        return str(found)
    return " · ".join(
        f"{vocabulary.detail(name)}: {_value(value)}" for name, value in found.items()
    )


def _value(value: object) -> str:
    if isinstance(value, list):
        return words.listed(map(str, value))
    said = {True: "on", False: "off"}[value] if isinstance(value, bool) else str(value)
    return rules.hidden(vocabulary.choice(said))

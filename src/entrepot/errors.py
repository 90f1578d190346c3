"""The one error tree.

EntrepotError
├── Refused                 a business answer; changes nothing, becomes the dialect's envelope
│   ├── BadInput            what was sent does not decode or breaks the document (has a JSON path)
│   ├── Missing             what it names does not exist
│   ├── Conflict            it exists, but its state does not allow this
│   └── NotAllowed          this caller may not do this
├── Unusable                the operator's set-up lacks something; the message says what to do next
└── Broken                  our own fault: a named constraint was hit that no rule foresaw
"""

from __future__ import annotations


class EntrepotError(Exception):
    """Root of everything this program raises on purpose."""


class Refused(EntrepotError):
    """A business answer. ``code`` is ours (``order_exists``); dialects translate it.

    ``facts`` are the values a message may name (``numbers``, ``styles`` …); ``path`` is the JSON
    path of the offending field, in the partner's own field names, or ``""``.
    """

    def __init__(self, code: str, text: str = "", *, path: str = "", **facts: object) -> None:
        super().__init__(text or code)
        self.code = code
        self.text = text or code
        self.path = path
        self.facts = facts


class BadInput(Refused):
    """The document as sent cannot be accepted: wrong type, missing field, out of range."""


class Missing(Refused):
    """The thing named does not exist (for this tenant)."""


class Conflict(Refused):
    """The thing exists but its state does not allow the step."""


class NotAllowed(Refused):
    """The caller is known but has no right to this."""


class Unusable(EntrepotError):
    """The set-up is incomplete; the message tells the operator what to do."""


class Broken(EntrepotError):
    """A database constraint that no rule foresaw; ``constraint`` is its name."""

    def __init__(self, constraint: str, detail: str) -> None:
        super().__init__(f"{constraint}: {detail}")
        self.constraint = constraint

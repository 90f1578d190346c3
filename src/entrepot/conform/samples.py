"""What a dialect's ``samples/`` folder holds, and reading it.

::

    samples/envelope.json          how failures look (``Envelope``); one in samples/ROLE/ goes before
    samples/ROLE/10-name.json      a call of the partner's to us in that role (``Sample``), in order
    samples/ROLE/calls/name.json   a call of ours to the partner in that role (``Outgoing``)

Bodies are written as the document prints them. In anything that is *expected* (replies, envelopes) a text
in angle brackets stands for what varies:

    <any>  <string>  <integer>  <number>  <array>  <object>     any value of that type
    <message>     a text, not blank; where a field is at fault it must name the field's path
    <status>      the HTTP status, as a number
    <~regex>      a text that the pattern matches whole

Everything else must be equal, keys in the same order and none besides.

``${name}`` in a path, query, body or expected reply is replaced by what an earlier sample kept
(``"keep": {"name": "data.orderId"}``) and by ``${fresh}``, a text of letters and digits made for each run.
Fields listed under ``fresh`` get it appended, so that the document's own number serves many runs; the
samples named by ``first`` run before with the same one, those named by ``after`` afterwards.

``fields`` repeats the document's table: path to type, ``!`` for required; ``[]`` is every element.
Types: ``string``, ``integer`` (0 to 999,999,999), ``positive`` (from 1), ``number``, ``boolean``,
``array``, ``object``, and ``any`` for what a check should leave alone (a choice, a date: write ``errors``).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import msgspec
from msgspec import Struct

from entrepot.errors import Unusable

if TYPE_CHECKING:
    from pathlib import Path


class Expected(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A reply as it must be."""

    body: Any
    status: int = 200


class Envelope(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How failures look: ``failure`` in business, ``http`` for 401, 403, 404, 405, 413 and 500.

    ``malformed`` is for what does not decode, where that differs from ``failure``.
    """

    failure: Expected
    http: Any
    malformed: Expected | None = None
    unauthorized: Expected | None = None


class Wrong(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A documented (or decided) failure: the sample with some fields set or removed.

    ``reply`` None: the envelope's failure, with a message that is not blank.
    """

    why: str
    set: Mapping[str, Any] = {}
    remove: tuple[str, ...] = ()
    reply: Expected | None = None
    first: tuple[str, ...] | None = None
    keep_number: bool = False


class Sample(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One call of the partner's, with the reply it must get.

    ``bearer`` names the secret sent as bearer token. ``again`` is the answer to the same document once
    more (None: the same reply); ``once`` says that of equal documents sent together exactly one gets
    ``reply`` and the others ``again``. ``malformed`` and ``missing`` replace what the envelope says of
    bodies that don't decode, and of required fields that are missing or blank. ``optional_body``: an
    empty body is fine. ``replays`` False: the call has no number and may be repeated at will. ``form``: the
    body may come form-encoded too, lists and objects in it as JSON text.
    """

    section: str
    path: str
    reply: Expected
    name: str = ""
    method: str = "POST"
    query: str = ""
    body: Any = msgspec.UNSET
    headers: Mapping[str, str] = {}
    bearer: str = ""
    fields: Mapping[str, str] = {}
    fresh: tuple[str, ...] = ()
    keep: Mapping[str, str] = {}
    first: tuple[str, ...] = ()
    after: tuple[str, ...] = ()
    again: Expected | None = None
    once: bool = False
    malformed: Expected | None = None
    missing: Expected | None = None
    optional_body: bool = False
    replays: bool = True
    form: bool = False
    errors: tuple[Wrong, ...] = ()


class Answer(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An answer of a partner and what it means: ``delivered``, ``rejected`` or ``retry``."""

    verdict: str
    body: Any = msgspec.UNSET
    text: str | None = None
    status: int = 200
    unsure: bool = False


class Outgoing(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One call of ours: the fact, the request it makes, and what answers mean.

    ``fact`` has the fact's fields and its ``kind`` (``stock``: the levels). ``form`` is given instead of
    ``body`` for a form-encoded one, as pairs.
    """

    section: str
    fact: Mapping[str, Any]
    path: str
    name: str = ""
    settings: Mapping[str, Any] = {}
    secrets: Mapping[str, str] = {}
    method: str = "POST"
    query: str = ""
    body: Any = msgspec.UNSET
    form: Mapping[str, str] | None = None
    answers: tuple[Answer, ...] = ()


class Samples(Struct, frozen=True, kw_only=True):
    """All of one role."""

    envelope: Envelope
    calls: Mapping[str, Sample]
    outgoing: tuple[Outgoing, ...]


def read(folder: Path, role: str) -> Samples:
    """Read a dialect's samples for one of its roles; raises Unusable naming the file at fault."""
    own = folder / "samples" / role
    envelope = own / "envelope.json"
    if not envelope.exists():
        envelope = folder / "samples" / "envelope.json"
    calls: dict[str, Sample] = {}
    for path in sorted(own.glob("[0-9]*.json")):
        name = path.stem.partition("-")[2]
        calls[name] = msgspec.structs.replace(_read(path, Sample), name=name)
    outgoing = tuple(
        msgspec.structs.replace(_read(path, Outgoing), name=path.stem)
        for path in sorted((own / "calls").glob("*.json"))
    )
    return Samples(envelope=_read(envelope, Envelope), calls=calls, outgoing=outgoing)


def _read(path: Path, shape: Any) -> Any:
    try:
        return msgspec.json.decode(path.read_bytes(), type=shape)
    except (OSError, msgspec.DecodeError) as error:
        message = f"{path}: {error}"
        raise Unusable(message) from error

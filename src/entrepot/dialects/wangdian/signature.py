"""The signature of document 004, both ends: who calls, unchanged, and now. Pure.

``sign`` = lower-case hex MD5 of secret + every query parameter but ``sign``, and ``body``, as key then
value, sorted by key, joined without separators + secret. An appsecret is ``secret:salt``.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from typing import TYPE_CHECKING
from urllib.parse import unquote_to_bytes, urlencode

from entrepot.errors import NotAllowed

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

EPOCH = 1_325_347_200
"""2012-01-01 00:00:00 in Asia/Shanghai, in Unix seconds; timestamps count from here."""
WINDOW = 120
VERSION = "1.0"

Pairs = list[tuple[bytes, bytes]]
_SECONDS = re.compile(rb"\d{1,12}")


def pairs(query: bytes) -> Pairs:
    """Return a raw query's parameters, in the order sent; ``+`` is a space."""
    found = []
    for part in query.split(b"&"):
        name, equals, value = part.replace(b"+", b" ").partition(b"=")
        if name or equals:
            found.append((unquote_to_bytes(name), unquote_to_bytes(value)))
    return found


def signed(secret: bytes, parameters: Iterable[tuple[bytes, bytes]], body: bytes) -> str:
    """Return the signature over ``parameters`` (without ``sign``) and the body."""
    text = b"".join(name + value for name, value in sorted([*parameters, (b"body", body)]))
    return hashlib.md5(secret + text + secret).hexdigest()  # noqa: S324 - the document's choice


def query_for(query: str, body: bytes, account: Mapping[str, str], now: float) -> str:
    """Return ``query`` (method and pager) as that of a call signed at ``now`` (Unix seconds).

    The signature is over exactly these bytes of the body, which must be sent as they are.
    """
    secret, salt = _parts(account)
    parameters = {
        b"sid": account["sid"].encode(),
        b"key": account["key"].encode(),
        b"salt": salt.encode(),
        b"v": VERSION.encode(),
        b"timestamp": str(int(now) - EPOCH).encode(),
        **dict(pairs(query.encode())),
    }
    sign = signed(secret.encode(), parameters.items(), body)
    return urlencode({**parameters, b"sign": sign.encode()})


def admit(
    sent: Pairs, body: bytes, accounts: Sequence[Mapping[str, str]], now: float
) -> dict[bytes, bytes]:
    """Return the parameters of a call that may come in; raises NotAllowed with the first thing wrong.

    ``accounts`` are the credentials of every generation still valid. Checked in this order: sid, key,
    salt, sign, v, timestamp. Everything secret is compared in constant time, and a parameter sent twice
    is never signed.
    """
    given = dict(sent)
    usable = [a for a in accounts if all(a.get(name) for name in ("sid", "key", "appsecret"))]
    for name in (b"sid", b"key"):
        usable = _matching(usable, given.get(name), [a[name.decode()] for a in usable])
        if not usable:
            raise _refused(name.decode(), given)
    usable = _matching(usable, given.get(b"salt"), [_parts(a)[1] for a in usable])
    if not usable:
        raise _refused("salt", given)
    unsigned = [pair for pair in sent if pair[0] != b"sign"]
    wanted = [signed(_parts(a)[0].encode(), unsigned, body) for a in usable]
    once = len(given) == len(sent)
    if not _matching(usable, given.get(b"sign") if once else None, wanted):
        raise _refused("sign", given)
    if given.get(b"v") != VERSION.encode():
        raise _refused("v", given)
    seconds = given.get(b"timestamp", b"")
    if not _SECONDS.fullmatch(seconds) or abs(int(now) - EPOCH - int(seconds)) > WINDOW:
        raise _refused("timestamp", given)
    return given


def _matching(
    accounts: Sequence[Mapping[str, str]], given: bytes | None, wanted: Sequence[str]
) -> list[Mapping[str, str]]:
    """Return the accounts whose text is the given one; takes the same time whichever it is."""
    same = [hmac.compare_digest(given or b"", text.encode()) for text in wanted]
    return [account for account, equal in zip(accounts, same, strict=True) if equal]


def _parts(account: Mapping[str, str]) -> tuple[str, str]:
    secret, _, salt = account["appsecret"].partition(":")
    return secret, salt


def _refused(name: str, given: Mapping[bytes, bytes]) -> NotAllowed:
    missing = not given.get(name.encode())
    return NotAllowed(f"missing_{name}" if missing else f"wrong_{name}", path=name)

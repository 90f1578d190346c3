"""The signature of Standard Webhooks: ``v1,`` + base64 of HMAC-SHA256 over id, timestamp and body. Pure."""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
from typing import TYPE_CHECKING

from entrepot.errors import BadInput

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

PREFIX = "whsec_"
ID, TIMESTAMP, SIGNATURE = "webhook-id", "webhook-timestamp", "webhook-signature"
TOLERANCE = 300
_BYTES = 32


def fresh() -> dict[str, str]:
    """Return a new secret: ``whsec_`` and 32 random bytes in base64."""
    return {"secret": PREFIX + base64.b64encode(secrets.token_bytes(_BYTES)).decode()}


def signed(secret: str, message_id: str, timestamp: int, body: bytes) -> str:
    """Return one signature; a secret that is no base64 is used as it is written."""
    content = f"{message_id}.{timestamp}.".encode() + body
    digest = hmac.new(_key(secret), content, hashlib.sha256).digest()
    return f"v1,{base64.b64encode(digest).decode()}"


def headers(
    keys: Iterable[str], message_id: str, timestamp: int, body: bytes
) -> tuple[tuple[str, str], ...]:
    """Return the three headers of a call, with a signature per secret."""
    signatures = " ".join(signed(key, message_id, timestamp, body) for key in keys)
    return ((ID, message_id), (TIMESTAMP, str(timestamp)), (SIGNATURE, signatures))


def known(generations: Iterable[Mapping[str, str]]) -> list[str]:
    """Return the secrets of every generation that counts."""
    return [generation["secret"] for generation in generations if generation.get("secret")]


def admit(
    sent: Mapping[bytes, bytes],
    body: bytes,
    generations: Iterable[Mapping[str, str]],
    now: float,
) -> None:
    """Check a call's headers, by lower-case name, at ``now`` in Unix seconds; raises BadInput.

    One signature of one secret that fits is enough, compared in constant time.
    """
    found = {
        name: sent.get(name.encode(), b"").decode("latin-1") for name in (ID, TIMESTAMP, SIGNATURE)
    }
    if lacking := [name for name, text in found.items() if not text]:
        raise BadInput("unsigned", f"The header {lacking[0]} is missing.", path=lacking[0])
    keys = known(generations)
    if not keys:
        raise BadInput("no_secret", "No secret is known here to verify the signature with.")
    moment = found[TIMESTAMP]
    if not (moment.isascii() and moment.isdigit() and abs(int(moment[:20]) - now) <= TOLERANCE):
        text = f"{TIMESTAMP} is not within five minutes of now: {moment[:20]}"
        raise BadInput("wrong_time", text, path=TIMESTAMP)
    wanted = [signed(key, found[ID], int(moment), body).encode() for key in keys]
    given = [text.encode("latin-1") for text in found[SIGNATURE].split(" ")]
    if not any([hmac.compare_digest(one, other) for one in wanted for other in given]):  # noqa: C419 - all of them
        raise BadInput("wrong_signature", "No signature fits the secret.", path=SIGNATURE)


def _key(secret: str) -> bytes:
    text = secret.removeprefix(PREFIX)
    try:
        return base64.b64decode(text, validate=True)
    except ValueError:  # binascii.Error is one
        return text.encode()

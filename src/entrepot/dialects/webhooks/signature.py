"""The signature of Standard Webhooks: ``v1,`` + base64 of HMAC-SHA256 over id, timestamp and body."""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets

PREFIX = "whsec_"
_BYTES = 32


def fresh() -> dict[str, str]:
    """Return a new secret: ``whsec_`` and 32 random bytes in base64."""
    return {"secret": PREFIX + base64.b64encode(secrets.token_bytes(_BYTES)).decode()}


def signed(secret: str, message_id: str, timestamp: int, body: bytes) -> str:
    """Return one signature; a secret that is no base64 is used as it is written."""
    content = f"{message_id}.{timestamp}.".encode() + body
    digest = hmac.new(_key(secret), content, hashlib.sha256).digest()
    return f"v1,{base64.b64encode(digest).decode()}"


def _key(secret: str) -> bytes:
    text = secret.removeprefix(PREFIX)
    try:
        return base64.b64decode(text, validate=True)
    except ValueError:  # binascii.Error is one
        return text.encode()

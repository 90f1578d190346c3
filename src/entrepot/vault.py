"""Secrets and personal data at rest: AES-256-GCM under a key ring kept outside the database.

A sealed value is ``key id (4 bytes) · nonce (12) · ciphertext and tag``. The ring is a JSON file
``{"current": "k1", "keys": {"k1": "<base64 of 32 bytes>"}}``; old keys stay readable after rotation.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import os
import secrets
import zlib
from typing import TYPE_CHECKING

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from entrepot.errors import Unusable

if TYPE_CHECKING:
    from pathlib import Path

_ID, _NONCE = 4, 12
_RUN = (1 << 32) - 1
_PACKED = 512
_FOREIGN = (
    "The key file does not open what this database holds; it is another hub's. Put back the copy you keep, "
    "or name it with ENTREPOT_KEY_FILE."
)
_MISSING = (
    "There is no key file {path}, and this database holds what was sealed with one. Put back the copy you "
    "keep, or name it with ENTREPOT_KEY_FILE."
)


class _Nonces:
    """Nonces that never repeat under a key: 64 random bits per run of 32-bit counting.

    One system call in four thousand million values instead of one each; a forked process starts its own run.
    """

    def __init__(self) -> None:
        self._begin()
        os.register_at_fork(after_in_child=self._begin)

    def _begin(self) -> None:
        self._run, self._count = os.urandom(8), 0

    def __next__(self) -> bytes:
        if self._count == _RUN:
            self._begin()
        self._count += 1
        return self._run + self._count.to_bytes(4, "big")


class Vault:
    """Seals and opens bytes; one per process."""

    def __init__(self, keys: dict[str, bytes], current: str) -> None:
        self._ciphers = {_wire_id(name): AESGCM(key) for name, key in keys.items()}
        self._current = _wire_id(current)
        self._cipher = self._ciphers[self._current]
        self._nonce = _Nonces().__next__
        oldest = keys[min(keys)]
        self._search = hmac.digest(oldest, b"entrepot searchable hash", "sha256")

    @classmethod
    def open(cls, path: Path, *, needed: bool = False) -> Vault:
        """Open the ring at ``path``; the first start makes it (mode 0600).

        ``needed``: something was sealed with it before. Raises Unusable where it is not there then.
        """
        if not path.exists():
            if needed:
                raise Unusable(_MISSING.format(path=path))
            _create(path)
        try:
            ring = json.loads(path.read_text())
            keys = {name: base64.b64decode(key) for name, key in ring["keys"].items()}
            return cls(keys, ring["current"])
        except (ValueError, KeyError) as error:
            message = f"The key file {path} is damaged; restore it from your backup."
            raise Unusable(message) from error

    def seal(self, plain: bytes) -> bytes:
        """Encrypt; the same bytes never look the same twice."""
        nonce = self._nonce()
        return self._current + nonce + self._cipher.encrypt(nonce, plain, None)

    def unseal(self, sealed: bytes) -> bytes:
        """Decrypt; raises Unusable when the ring lacks the key, or holds another by its name."""
        cipher = self._ciphers.get(bytes(sealed[:_ID]))
        nonce = sealed[_ID : _ID + _NONCE]
        try:
            if cipher is not None:
                return cipher.decrypt(nonce, sealed[_ID + _NONCE :], None)
        except InvalidTag as error:
            raise Unusable(_FOREIGN) from error
        raise Unusable(_FOREIGN)

    def seal_body(self, body: bytes) -> bytes:
        """Seal an exchange's body, compressed when that is worth it."""
        if len(body) > _PACKED:
            return self.seal(b"z" + zlib.compress(body, 1))
        return self.seal(b"-" + body)

    def unseal_body(self, sealed: bytes) -> bytes:
        """Open what ``seal_body`` made."""
        body = self.unseal(sealed)
        return zlib.decompress(body[1:]) if body[:1] == b"z" else body[1:]

    def fingerprint(self, text: str) -> bytes:
        """Return a keyed hash of ``text`` (a phone number, a token), equal for equal texts."""
        return hmac.digest(self._search, text.encode(), "sha256")[:16]


def _wire_id(name: str) -> bytes:
    return hashlib.sha256(name.encode()).digest()[:_ID]


def _create(path: Path) -> None:
    """Write a fresh ring atomically; when two processes race, the first one's ring stands."""
    path.parent.mkdir(parents=True, exist_ok=True)
    key = base64.b64encode(secrets.token_bytes(32)).decode()
    mine = path.with_name(f".{path.name}.{os.getpid()}")
    with os.fdopen(os.open(mine, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as ring:
        json.dump({"current": "k1", "keys": {"k1": key}}, ring)
        ring.flush()
        os.fsync(ring.fileno())
    try:
        os.link(mine, path)
    except FileExistsError:
        pass
    finally:
        mine.unlink()

"""The one file that holds all of a hub: a line of JSON, PostgreSQL's own dump, a digest of both.

::

    {"entrepot": "0.1.0", "at": …, "migrations": […], "salt": …, "ring": …}
    <pg_dump, custom format>
    <SHA-256 of everything before, 32 bytes>

``ring`` is the key file, sealed with a key that scrypt makes of a passphrase and ``salt`` (base64), so that
the file is worth nothing to who finds it: in the dump, too, personal data and secrets are sealed.
"""

from __future__ import annotations

import hashlib
import os
from contextlib import contextmanager
from datetime import datetime
from typing import IO, TYPE_CHECKING

import msgspec
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.scrypt import Scrypt
from msgspec import Struct

from entrepot.errors import BadInput, Unusable

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

SHORTEST = 12
_DIGEST = 32
_BLOCK = 1024 * 1024
_HEAD_LIMIT = 1024 * 1024
_NONCE = 12


class Head(Struct, frozen=True, kw_only=True):
    """What stands before the dump. ``ring`` is nonce and ciphertext, ``salt`` scrypt's."""

    entrepot: str
    at: datetime
    migrations: tuple[str, ...]
    salt: bytes
    ring: bytes


def sealed(ring: bytes, passphrase: str) -> tuple[bytes, bytes]:
    """Return (salt, sealed ring); raises BadInput for a passphrase that is too short to be one."""
    if len(passphrase) < SHORTEST:
        raise BadInput("short_passphrase", f"The passphrase needs {SHORTEST} characters or more.")
    salt, nonce = os.urandom(16), os.urandom(_NONCE)
    return salt, nonce + AESGCM(_key(passphrase, salt)).encrypt(nonce, ring, None)


def opened(head: Head, passphrase: str) -> bytes:
    """Return the key file of an archive; raises BadInput for another passphrase."""
    cipher = AESGCM(_key(passphrase, head.salt))
    try:
        return cipher.decrypt(head.ring[:_NONCE], head.ring[_NONCE:], None)
    except InvalidTag as error:
        raise BadInput("wrong_passphrase", "This passphrase does not open the archive.") from error


def _key(passphrase: str, salt: bytes) -> bytes:
    return Scrypt(salt=salt, length=32, n=2**15, r=8, p=1).derive(passphrase.encode())


@contextmanager
def written(path: Path, head: Head) -> Iterator[IO[bytes]]:
    """Give a file to write the dump to; it appears at ``path``, complete and durable, or not at all.

    Raises Unusable where no file can be.
    """
    if path.is_dir():
        raise Unusable(f"{path} is a folder; name a file in it.")
    part = path.with_name(f".{path.name}.part")
    try:
        handle = os.open(part, os.O_RDWR | os.O_CREAT | os.O_TRUNC, 0o600)
    except OSError as error:
        raise Unusable(f"{path} cannot be written: {error.strerror}; name another file.") from error
    try:
        with os.fdopen(handle, "r+b") as file:
            file.write(msgspec.json.encode(head) + b"\n")
            file.flush()
            yield file
            file.seek(0)
            digest = hashlib.file_digest(file, "sha256").digest()
            file.seek(0, os.SEEK_END)
            file.write(digest)
            file.flush()
            os.fsync(file.fileno())
        part.rename(path)
    except BaseException:
        part.unlink(missing_ok=True)
        raise


def read_head(path: Path) -> tuple[Head, int, int]:
    """Return an archive's head, and where its dump begins and ends; raises Unusable for a damaged one."""
    try:
        with path.open("rb") as file:
            line = file.readline(_HEAD_LIMIT)
            head = msgspec.json.decode(line, type=Head)
            end = path.stat().st_size - _DIGEST
            file.seek(0)
            digest, left = hashlib.sha256(), end
            while left > 0 and (block := file.read(min(_BLOCK, left))):
                digest.update(block)
                left -= len(block)
            whole = file.read() == digest.digest()
    except (OSError, msgspec.DecodeError) as error:
        raise Unusable(f"{path} is no archive of a hub: {error}") from error
    if not whole or end < len(line):
        raise Unusable(f"{path} is damaged or not whole; take another copy.")
    return head, len(line), end


def dump_of(path: Path, begin: int, end: int) -> Iterator[bytes]:
    """Yield an archive's dump in blocks."""
    with path.open("rb") as file:
        file.seek(begin)
        while (left := end - file.tell()) > 0:
            yield file.read(min(_BLOCK, left))

"""Sealing: what two values, or two processes, must never share."""

from __future__ import annotations

import os

from entrepot.vault import Vault

_NONCE = slice(4, 16)


def test_no_two_values_share_a_nonce_whichever_process_seals_them() -> None:
    """A forked worker has its parent's key, and would count on from its parent's nonce."""
    vault = Vault({"k1": bytes(32)}, "k1")
    mine = [vault.seal(b"x")[_NONCE]]
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        os.write(writing, b"".join(vault.seal(b"x")[_NONCE] for _ in range(3)))
        os._exit(0)
    assert os.waitpid(child, 0)[1] == 0
    theirs = os.read(reading, 1024)
    os.close(reading)
    os.close(writing)
    mine += [vault.seal(b"x")[_NONCE] for _ in range(3)]
    both = [*mine, *(theirs[at : at + 12] for at in range(0, len(theirs), 12))]
    assert len(set(both)) == len(both) == 7

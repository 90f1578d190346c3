"""The key ring gets a new key as docs/how-to/rotate-secrets.md says."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

from entrepot.vault import Vault

PAGE = Path(__file__).resolve().parent.parent.parent / "docs" / "how-to" / "rotate-secrets.md"


def test_a_ring_gets_a_key_and_still_opens_what_was_sealed(tmp_path: Path) -> None:
    """What is sealed from now on needs the new key; what was, and how a phone is searched, stays."""
    (program,) = re.findall(r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    file = tmp_path / "entrepot.key"
    before = Vault.open(file)
    sealed = before.seal(b"said before")
    for _ in range(2):
        subprocess.run([sys.executable, "-c", program, str(file)], check=True)
    after = Vault.open(file)
    assert after.unseal(sealed) == b"said before"
    assert after.seal(b"")[:4] != before.seal(b"")[:4]
    assert after.fingerprint("13800138000") == before.fingerprint("13800138000")
    assert file.stat().st_mode & 0o777 == 0o600
    assert [path.name for path in tmp_path.iterdir()] == [file.name]

"""Build the wheel and try it as a user would: a new environment, no Node, no checkout.

``make wheel``. The wheel is left in dist/; exit code 1, with the reason, where it does not run. It must
answer /healthz, show the console's sign-in page with its style sheet, and end well at SIGTERM.
"""

import re
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
DIST = ROOT / "dist"
READY_WITHIN = 90.0


def main() -> int:
    """Build, install, serve, ask."""
    DIST.mkdir(exist_ok=True)
    for old in DIST.glob("entrepot-*.whl"):
        old.unlink()
    build = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(DIST)]
    subprocess.run(build, cwd=ROOT, check=True, stdout=subprocess.DEVNULL)
    (wheel,) = DIST.glob("entrepot-*.whl")
    # A short path: PostgreSQL's socket lies below it.
    with tempfile.TemporaryDirectory(prefix="entrepot-") as name:
        folder = Path(name)
        python = _installed(folder, wheel)
        _tried(folder, python)
    print(f"{wheel.relative_to(ROOT)} runs by itself.")
    return 0


def _installed(folder: Path, wheel: Path) -> Path:
    """Return the Python of a new environment that holds the locked packages and the wheel."""
    subprocess.run([sys.executable, "-m", "venv", folder / "venv"], check=True)
    python = folder / "venv" / "bin" / "python"
    pip = [python, "-m", "pip", "install", "-qq", "--disable-pip-version-check", "--no-deps"]
    locked = ROOT / "requirements" / "base.txt"
    subprocess.run([*pip, "--require-hashes", "-r", locked], check=True)
    subprocess.run([*pip, wheel], check=True)
    return python


def _tried(folder: Path, python: Path) -> None:
    """Serve the demonstration and look at it from outside; Node is not on the path."""
    port = _free_port()
    here = f"http://127.0.0.1:{port}"
    command = [python.with_name("entrepot"), "serve", "--demo", "--data", folder / "data"]
    environment = {"PATH": "/usr/bin:/bin", "HOME": str(folder), "LANG": "C.UTF-8"}
    hub = subprocess.Popen([*command, "--port", str(port)], cwd=folder, env=environment)
    try:
        assert _answer(f"{here}/healthz", hub) == '{"status":"ok"}'
        page = _answer(f"{here}/login", hub)
        parts = re.findall(r'(?:href|src)="(/[^"#]+\.(?:css|js))', page)
        assert parts, page[:2000]
        for part in parts:
            assert _answer(here + part, hub)
    finally:
        hub.send_signal(signal.SIGTERM)
        code = hub.wait(60)
    assert code == 0, f"it ended with {code}"
    assert not list((folder / "venv").rglob("node_modules"))


def _answer(url: str, hub: "subprocess.Popen[bytes]") -> str:
    """Return what a URL answers, as soon as the hub does."""
    deadline = time.monotonic() + READY_WITHIN
    while True:
        assert hub.poll() is None, "the hub has ended"
        try:
            with urllib.request.urlopen(url, timeout=10) as reply:
                return str(reply.read().decode())
        except OSError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.2)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


if __name__ == "__main__":
    sys.exit(main())

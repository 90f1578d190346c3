"""What a process is told from outside: environment and command line, nothing else."""

from __future__ import annotations

import math
import os
from pathlib import Path

from msgspec import Struct

from entrepot.errors import Unusable

ROLES = ("all", "web", "courier", "clock")


class Settings(Struct, frozen=True, kw_only=True):
    """Where the data is and what this process does. Sizes in bytes, times in seconds."""

    data: Path = Path("var")
    database_url: str | None = None
    key_file: Path | None = None
    host: str = "127.0.0.1"
    port: int = 8000
    public_url: str | None = None
    role: str = "all"
    workers: int = 1
    demo: bool = False
    traffic: bool = False
    body_limit: int = 4 * 1024 * 1024
    read_timeout: float = 30.0
    drain_timeout: float = 30.0
    log_level: str = "info"
    metrics_token: str | None = None

    @property
    def keys(self) -> Path:
        """Path of the key ring (see ``vault``)."""
        return self.key_file or self.data / "entrepot.key"

    @property
    def url(self) -> str:
        """The hub's own address as partners write it, without a trailing slash.

        Where it listens on every address and has no public one, partners can only be on this machine.
        """
        return (self.public_url or self.local_url).rstrip("/")

    @property
    def only_local(self) -> bool:
        """Tell whether nobody but this machine can reach the hub."""
        return self.host in ("127.0.0.1", "::1", "localhost")

    @property
    def local_host(self) -> str:
        """The address at which this machine reaches its own hub."""
        return {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(self.host, self.host)  # noqa: S104

    @property
    def local_url(self) -> str:
        """The URL at which this machine reaches its own hub, without a trailing slash."""
        host = f"[{self.local_host}]" if ":" in self.local_host else self.local_host
        return f"http://{host}:{self.port}"


def from_environment(**given: object) -> Settings:
    """Return the settings of this process: what is given, else the environment, else defaults."""
    environment: dict[str, object] = {
        "data": Path(os.environ.get("ENTREPOT_DATA", "var")),
        "database_url": os.environ.get("ENTREPOT_DATABASE_URL") or None,
        "public_url": os.environ.get("ENTREPOT_PUBLIC_URL") or None,
        "metrics_token": os.environ.get("ENTREPOT_METRICS_TOKEN") or None,
        "log_level": os.environ.get("ENTREPOT_LOG_LEVEL", "info"),
    }
    if key_file := os.environ.get("ENTREPOT_KEY_FILE"):
        environment["key_file"] = Path(key_file)
    if limit := os.environ.get("ENTREPOT_BODY_LIMIT"):
        environment["body_limit"] = int(_number("ENTREPOT_BODY_LIMIT", limit))
    if timeout := os.environ.get("ENTREPOT_READ_TIMEOUT"):
        environment["read_timeout"] = _number("ENTREPOT_READ_TIMEOUT", timeout)
    chosen = environment | {name: value for name, value in given.items() if value is not None}
    return Settings(**chosen)  # type: ignore[arg-type]  # names and types are checked by the CLI


def _number(name: str, text: str) -> float:
    """Return a variable's number; raises Unusable for what is none above 0."""
    try:
        number = float(text)
    except ValueError:
        number = 0.0
    if not 0 < number < math.inf:
        raise Unusable(f"{name}={text} should be a number above 0.")
    return number

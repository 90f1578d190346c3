"""What the console needs of the process it lives in; ``entrepot.hub.Hub`` is one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping

    from entrepot.connections.exchanges import Recorder
    from entrepot.connections.registry import Registry
    from entrepot.db import Database
    from entrepot.dialect import Dialect
    from entrepot.settings import Settings
    from entrepot.together import Together
    from entrepot.vault import Vault


class Hub(Protocol):
    """Everything one process shares."""

    settings: Settings
    db: Database
    vault: Vault
    dialects: Mapping[str, Dialect]
    registry: Registry
    together: Together
    recorder: Recorder

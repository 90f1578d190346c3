"""The demo's traffic: the partners do business over HTTP at a human pace, and our operator keeps up.

Each act of every part is played on its own, again and again; an act that fails is told in the log and
played again. Nothing here touches the documents' own examples: they keep working as printed.
"""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING

import structlog

from entrepot.demo import DEMO, PARTNERS, PARTS
from entrepot.demo.stage import Stage
from entrepot.errors import EntrepotError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from entrepot.demo.stage import Act
    from entrepot.hub import Hub

_log = structlog.get_logger()


async def run(hub: Hub, stop: asyncio.Event, *, pace: float = 1.0) -> None:
    """Play until ``stop`` is set; a ``pace`` of 10 is ten times as fast as people are."""
    names = {name: tenant_id for tenant_id, (name, _) in hub.registry.tenants.items()}
    if not {DEMO, PARTNERS} <= names.keys():
        _log.warning("traffic.no_demo", hint="start with --demo on an empty database")
        await stop.wait()
        return
    stage = Stage(hub, names[DEMO], names[PARTNERS])
    acts = [act for part in PARTS if part.dialects <= hub.dialects.keys() for act in part.acts]
    await _play_all(stage, acts, stop, pace)


async def _play_all(stage: Stage, acts: Sequence[Act], stop: asyncio.Event, pace: float) -> None:
    async with asyncio.TaskGroup() as group:
        for act in acts:
            group.create_task(_play(stage, act, stop, pace))


async def _play(stage: Stage, act: Act, stop: asyncio.Event, pace: float) -> None:
    while not stop.is_set():
        pause = act.every / pace * stage.chance.uniform(0.5, 1.5)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(pause):
                await stop.wait()
            return
        try:
            await act.play(stage)
        except (EntrepotError, OSError) as error:
            _log.warning("traffic.act_failed", act=act.name, error=str(error))
        except Exception:  # noqa: BLE001 - the others play on
            _log.exception("traffic.act_broke", act=act.name)

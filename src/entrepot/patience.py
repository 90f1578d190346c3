"""One limit for many short waits, at the price of one timer for all of them.

A timer of its own for every request's body cost a seventh of what answering it does, and next to none ever
rang.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from types import TracebackType


class Patience:
    """Ends what takes longer than ``seconds``; for the event loop it is made in.

    ``with patience.limit():`` raises TimeoutError in a block that is not over in time.
    """

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        # Kept, since Python 3.11 makes a system call each time it is asked which loop runs.
        self.loop = asyncio.get_running_loop()
        self._waits: dict[Wait, None] = {}
        self._timer: asyncio.TimerHandle | None = None

    def limit(self) -> Wait:
        """Return a limit for one block."""
        return Wait(self)

    def begin(self, wait: Wait) -> None:
        """Count a wait from now on."""
        wait.until = self.loop.time() + self.seconds
        self._waits[wait] = None
        if self._timer is None:
            self._timer = self.loop.call_at(wait.until, self._sweep)

    def end(self, wait: Wait) -> None:
        """Forget a wait."""
        self._waits.pop(wait, None)

    def _sweep(self) -> None:
        """End the waits that are over; the longest there are come first, since all last equally long."""
        self._timer = None
        for wait in list(self._waits):
            if wait.until > self.loop.time():
                self._timer = self.loop.call_at(wait.until, self._sweep)
                return
            del self._waits[wait]
            wait.expire()


class Wait:
    """One block under a limit."""

    __slots__ = ("_cancelling", "_expired", "_patience", "_task", "until")

    def __init__(self, patience: Patience) -> None:
        self._patience = patience
        self._expired = False
        self.until = 0.0

    def __enter__(self) -> None:
        task = asyncio.current_task(self._patience.loop)
        if task is None:
            raise RuntimeError("a limit needs a task that can be ended")
        self._task = task
        self._cancelling = task.cancelling()
        self._patience.begin(self)

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._patience.end(self)
        if not self._expired:
            return
        others_want_it_too = self._task.uncancel() > self._cancelling
        if kind is asyncio.CancelledError and not others_want_it_too:
            raise TimeoutError from error

    def expire(self) -> None:
        """End the block's task where it waits."""
        self._expired = True
        self._task.cancel()

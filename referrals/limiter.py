"""Count what one address asks of this process within a minute. Beyond a first limit it is served and not written down, beyond a second one it
is asked to wait; addresses are held in memory, for the minute only.
"""

from __future__ import annotations

import time
from collections.abc import Callable

UNCOUNTED, REFUSED = 120, 600
MOST = 100_000  # when more addresses come within a minute, those that came late are let through
MINUTE = 60


class Limiter:
    """How often each address has come since the minute began."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self.clock = clock
        self._minute = -1
        self._tries: dict[str, int] = {}

    def tries(self, address: str) -> int:
        """Count one more visit of an address, and return how many there were; of nobody known none is counted."""
        if not address:
            return 0
        minute = int(self.clock() // MINUTE)
        if minute != self._minute:
            self._minute, self._tries = minute, {}
        tries, before = self._tries, self._tries.get(address, 0)
        if before or len(tries) < MOST:
            tries[address] = before + 1
        return before + 1

    def forget(self) -> None:
        """Forget everybody."""
        self._tries = {}

"""Show progress on a terminal, or as one line every ten seconds where there is none. Everything goes to stderr: stdout is for results."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TextIO

from prm.runs.progress import Snapshot

LINE_EVERY = 10.0
BAR_EVERY = 0.1
BAR_WIDTH = 20


def count(number: int) -> str:
    """Return `number` with separators between thousands."""
    return f"{number:,}"


def clock_text(seconds: int) -> str:
    """Return a span as 0:13 or 1:02:05."""
    minutes, rest = divmod(seconds, 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def figures(now: Snapshot) -> str:
    """Return the numbers of a phase: `8,412/11,090  76 %  212/s  eta 0:13  failed 3`."""
    parts = [count(now.done) if now.total is None else f"{count(now.done)}/{count(now.total)}"]
    if now.percent is not None:
        parts.append(f"{now.percent:>3} %")
    if now.per_second is not None:
        parts.append(f"{count(now.per_second)}/s")
    if now.seconds_left:
        parts.append(f"eta {clock_text(now.seconds_left)}")
    if now.skipped:
        parts.append(f"skipped {count(now.skipped)}")
    if now.failed:
        parts.append(f"failed {count(now.failed)}")
    return "  ".join(parts)


def bar(now: Snapshot) -> str:
    """Return a phase as one line with a bar."""
    filled = BAR_WIDTH * (now.percent or 0) // 100
    drawn = f"[{'#' * filled}{'-' * (BAR_WIDTH - filled)}] " if now.total else ""
    return f"{now.phase or 'Working'} {drawn}{figures(now)}"


class Bar:
    """One bar per phase, drawn over itself."""

    def __init__(self, stream: TextIO, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._stream, self._clock = stream, clock
        self._drawn_at, self._width = float("-inf"), 0

    def show(self, now: Snapshot) -> None:
        """Draw the bar, ten times a second at most."""
        if self._clock() - self._drawn_at >= BAR_EVERY:
            self._draw(now)

    def close(self, now: Snapshot) -> None:
        """Leave the finished bar standing."""
        self._draw(now)
        self._stream.write("\n")
        self._stream.flush()
        self._width = 0

    def say(self, line: str) -> None:
        """Put a remark above the bar."""
        self._stream.write("\r" + line.ljust(self._width) + "\n")
        self._drawn_at = float("-inf")

    def _draw(self, now: Snapshot) -> None:
        text = bar(now)
        self._stream.write("\r" + text.ljust(self._width))
        self._stream.flush()
        self._width, self._drawn_at = len(text), self._clock()


class Lines:
    """One line when a phase begins, every ten seconds, and when it ends: for logs and cron mails."""

    def __init__(self, stream: TextIO, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._stream, self._clock = stream, clock
        self._written_at = clock()

    def show(self, now: Snapshot) -> None:
        """Write a line when the last one is ten seconds old."""
        if self._clock() - self._written_at >= LINE_EVERY:
            self._line(f"{now.phase or 'Working'}: {figures(now)}")

    def close(self, now: Snapshot) -> None:
        """Write how the phase ended and how long it took."""
        self._line(f"{now.phase or 'Working'}: {figures(now)}  in {now.seconds:.1f} s")

    def say(self, line: str) -> None:
        """Write a remark."""
        self._line(line)

    def _line(self, text: str) -> None:
        self._stream.write(text + "\n")
        self._stream.flush()
        self._written_at = self._clock()

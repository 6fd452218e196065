"""Keep a few child processes running and end them all together. However the parent ends, no child outlives it by more than a few
seconds; a child that falls is started again, more slowly each time, until it has fallen too often.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import selectors
import signal
import subprocess
import sys
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from types import FrameType
from typing import IO

PR_SET_PDEATHSIG = 1
STOP_SECONDS = 15.0
FALLS_ALLOWED = 5
FALLS_WITHIN = 600.0
Say = Callable[[str, str], None]


def _say(who: str, line: str) -> None:
    # The reader may be gone (a closed terminal, `| head`): that is no reason to leave children behind.
    with contextlib.suppress(BrokenPipeError, OSError):
        sys.stdout.write(f"{who:>6} | {line}\n")
        sys.stdout.flush()


def child_setup() -> None:
    """Tie a child that is just being started to its parent's life."""
    # An own session: Ctrl-C reaches only the parent, which then ends the children in order.
    os.setsid()
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)


@dataclass
class Child:
    """One process and the history of its falls."""

    name: str
    command: Sequence[str]
    process: subprocess.Popen[bytes] | None = None
    falls: deque[float] = field(default_factory=deque)
    start_at: float = 0.0

    @property
    def is_running(self) -> bool:
        """Tell whether the process runs now."""
        return self.process is not None and self.process.poll() is None

    def fell_too_often(self, now: float) -> bool:
        """Note a fall and tell whether it was one too many."""
        self.falls.append(now)
        while self.falls and now - self.falls[0] > FALLS_WITHIN:
            self.falls.popleft()
        return len(self.falls) > FALLS_ALLOWED


class Supervisor:
    """Start children, pass on what they print, restart what falls, end them all."""

    def __init__(
        self, commands: Mapping[str, Sequence[str]], *, env: Mapping[str, str], say: Say = _say
    ) -> None:
        self.children = [Child(name, command) for name, command in commands.items()]
        self.env = dict(env)
        self.say = say
        self.stops_asked = 0
        self._selector = selectors.DefaultSelector()
        self._tails: dict[str, bytes] = {}

    def run(self, *, on_tick: Callable[[], None] = lambda: None) -> int:
        """Run until a signal asks to stop or a child fell too often; return the exit code."""
        for wanted in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(wanted, self._ask_to_stop)
        code = 0
        try:
            while not self.stops_asked and code == 0:
                code = self._look_after(time.monotonic())
                self._pass_on(0.3)
                on_tick()
        finally:
            self._end_all()
        return code

    def _ask_to_stop(self, number: int, frame: FrameType | None) -> None:
        self.stops_asked += 1

    def _look_after(self, now: float) -> int:
        for child in self.children:
            if child.is_running:
                continue
            if child.process is not None:
                status, child.process = child.process.returncode, None
                if child.fell_too_often(now):
                    self.say(
                        "up", f"{child.name} ended {len(child.falls)} times (last with {status}); giving up"
                    )
                    return 1
                wait = min(2.0 ** (len(child.falls) - 1), 30.0)
                child.start_at = now + wait
                self.say("up", f"{child.name} ended with {status}; starting it again in {wait:.0f} s")
            if now >= child.start_at:
                self._start(child)
        return 0

    def _start(self, child: Child) -> None:
        process = subprocess.Popen(
            list(child.command),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env=self.env,
            preexec_fn=child_setup,
        )
        assert process.stdout is not None  # noqa: S101  asked for just above
        os.set_blocking(process.stdout.fileno(), False)
        self._selector.register(process.stdout, selectors.EVENT_READ, child.name)
        child.process = process

    def _pass_on(self, wait: float) -> None:
        if not self._selector.get_map():
            time.sleep(wait)
            return
        for key, _events in self._selector.select(wait):
            stream: IO[bytes] = key.fileobj  # type: ignore[assignment]
            self._print(key.data, stream)

    def _print(self, name: str, stream: IO[bytes]) -> None:
        data = stream.read()
        if not data:
            self._selector.unregister(stream)
            stream.close()
            data = b"\n" if self._tails.get(name) else b""
        *lines, self._tails[name] = (self._tails.get(name, b"") + data).split(b"\n")
        for line in lines:
            self.say(name, line.decode(errors="replace"))

    def _end_all(self) -> None:
        running = [child.process for child in self.children if child.process is not None]
        for process in running:
            with contextlib.suppress(ProcessLookupError):
                process.send_signal(signal.SIGTERM)
        patience = time.monotonic() + STOP_SECONDS
        while any(p.poll() is None for p in running) and time.monotonic() < patience and self.stops_asked < 2:
            self._pass_on(0.1)
        for process in running:
            # The whole group: a worker's own children must not stay behind either.
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()
        self._pass_on(0)

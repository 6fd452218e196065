"""Ask a web server for many things at once and remember how long each answer took: one process, some connections that stay open, no
library between us and the socket."""

from __future__ import annotations

import os
import random
import re
import selectors
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

_LENGTH = re.compile(rb"\r\nContent-Length: *(\d+)", re.IGNORECASE)
_CLICK = re.compile(rb"\r\nLocation: [^\r]*prm_click=([0-9a-z]{26})")
AGENT = "Mozilla/5.0 (X11; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145.0"


@dataclass
class Answers:
    """What a server answered: how long each answer took, how often each status came, and the click ids handed out."""

    seconds: float = 0.0
    waits: list[float] = field(default_factory=list)
    statuses: dict[int, int] = field(default_factory=dict)
    clicks: list[str] = field(default_factory=list)
    broken: int = 0

    @property
    def per_second(self) -> float:
        return len(self.waits) / self.seconds if self.seconds else 0.0

    def percentile_ms(self, percent: float) -> float:
        """Return the wait that `percent` of the answers did not exceed, in milliseconds."""
        ranked = sorted(self.waits)
        return 1000 * ranked[min(int(len(ranked) * percent / 100), len(ranked) - 1)] if ranked else 0.0

    def add(self, other: Answers) -> None:
        """Add the answers of another round."""
        self.seconds += other.seconds
        self.waits += other.waits
        self.clicks += other.clicks
        self.broken += other.broken
        for status, count in other.statuses.items():
            self.statuses[status] = self.statuses.get(status, 0) + count


class _Line:
    """One connection, asking one thing after the other."""

    def __init__(self, port: int, ask: Callable[[], bytes]) -> None:
        self.port, self.ask = port, ask
        self.socket: socket.socket | None = None
        self.since, self.rest = 0.0, b""

    def begin(self, chosen: selectors.BaseSelector) -> bool:
        self.end(chosen)
        try:
            self.socket = socket.create_connection(("127.0.0.1", self.port), timeout=2)
            self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            chosen.register(self.socket, selectors.EVENT_READ, self)
            self.send()
        except OSError:
            self.end(chosen)
            return False
        return True

    def send(self) -> None:
        assert self.socket is not None
        self.rest, self.since = b"", time.perf_counter()
        self.socket.sendall(self.ask())

    def end(self, chosen: selectors.BaseSelector) -> None:
        if self.socket is not None:
            with suppress(KeyError, ValueError):
                chosen.unregister(self.socket)
            self.socket.close()
            self.socket = None


def load(port: int, ask: Callable[[], bytes], *, seconds: float, lines: int = 16) -> Answers:
    """Ask on every line, again as soon as the answer is there, for some seconds; a line that breaks is begun anew."""
    found, chosen = Answers(), selectors.DefaultSelector()
    every = [_Line(port, ask) for _number in range(lines)]
    began = time.perf_counter()
    until = began + seconds
    broken = [line for line in every if not line.begin(chosen)]
    while (now := time.perf_counter()) < until:
        if broken:
            time.sleep(0.01)
            broken = [line for line in broken if not line.begin(chosen)]
        for key, _events in chosen.select(min(0.05, until - now)):
            line: _Line = key.data
            if not _hear(line, found):
                found.broken += 1
                if not line.begin(chosen):
                    broken.append(line)
    found.seconds = time.perf_counter() - began
    _hear_the_last(chosen, found)
    for line in every:
        line.end(chosen)
    return found


def _hear(line: _Line, found: Answers, *, goes_on: bool = True) -> bool:
    """Read what a line has received, and ask again when the answer is whole; False when the line broke."""
    assert line.socket is not None
    try:
        received = line.socket.recv(65_536)
    except OSError:
        return False
    if not received:
        return False
    line.rest += received
    head, separator, body = line.rest.partition(b"\r\n\r\n")
    if not separator:
        return True
    length = _LENGTH.search(head)
    if len(body) < (int(length[1]) if length else 0):
        return True
    found.waits.append(time.perf_counter() - line.since)
    status = int(head[9:12])
    found.statuses[status] = found.statuses.get(status, 0) + 1
    if (click := _CLICK.search(head)) is not None:
        found.clicks.append(click[1].decode())
    try:
        if goes_on:
            line.send()
    except OSError:
        return False
    return True


def _hear_the_last(chosen: selectors.BaseSelector, found: Answers) -> None:
    """Read the answers that are still on their way: their clicks are acknowledged too."""
    until, before = time.perf_counter() + 2, len(found.waits)
    waiting = len(chosen.get_map())
    while waiting and time.perf_counter() < until:
        for key, _events in chosen.select(0.2):
            counted = len(found.waits)
            if not _hear(key.data, found, goes_on=False) or len(found.waits) > counted:
                chosen.unregister(key.fileobj)
                waiting -= 1
    del found.waits[before:]  # they are no part of the seconds measured


def asking(paths: list[str], dice: random.Random) -> Callable[[], bytes]:
    """Return what asks for one of `paths`, each time as another visitor of another address."""

    def ask() -> bytes:
        number = dice.randrange(1 << 24)
        address = f"11.{number >> 16}.{number >> 8 & 255}.{number & 255}"
        return (
            f"GET {dice.choice(paths)} HTTP/1.1\r\nHost: 127.0.0.1\r\nUser-Agent: {AGENT}\r\n"
            f"Accept: text/html\r\nAccept-Language: en\r\nX-Forwarded-For: {address}\r\n\r\n"
        ).encode()

    return ask


def free_port() -> int:
    """Return a port that nobody uses."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def start_server(application: str, port: int, env: Mapping[str, str], *, log: Any) -> subprocess.Popen[bytes]:
    """Start gunicorn with one worker and four threads, in a group of its own."""
    command = [sys.executable, "-m", "gunicorn", application, "--bind", f"127.0.0.1:{port}", "--workers", "1"]
    command += ["--threads", "4", "--keep-alive", "30", "--no-control-socket", "--log-level", "error"]
    command += ["--preload"]  # who listens can answer
    return subprocess.Popen(
        command, env=dict(env), stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True
    )


def is_listening(port: int) -> bool:
    """Tell whether somebody accepts connections on `port`."""
    with socket.socket() as probe:
        probe.settimeout(0.2)
        return probe.connect_ex(("127.0.0.1", port)) == 0


def wait_for(port: int, *, seconds: float = 60) -> None:
    """Wait until somebody listens.

    Raises: TimeoutError.
    """
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        if is_listening(port):
            return
        time.sleep(0.05)
    raise TimeoutError(f"Nobody listens on {port}.")


@contextmanager
def server(application: str, env: Mapping[str, str]) -> Iterator[int]:
    """Keep a server running, and yield its port."""
    port = free_port()
    process = start_server(application, port, env, log=None)
    try:
        wait_for(port)
        yield port
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGTERM)
        process.wait(30)

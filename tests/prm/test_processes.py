"""Supervising children: they fall and rise, end together, and never outlive their parent."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from prm import processes

ROOT = Path(__file__).resolve().parents[2]
PARENT = """
import sys
from prm.processes import Supervisor
site = Supervisor({"a": ["sh", "-c", "echo $$ > A; exec sleep 60"], "b": ["sh", "-c", "echo $$ > B; sleep 60 & exec sleep 60"]}, env=%r)
sys.exit(site.run())
"""


def is_alive(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return False
    return state != "Z"


def wait_until(holds: Callable[[], bool], seconds: float = 20.0) -> None:
    until = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < until, "it did not happen in time"
        time.sleep(0.02)


def started(folder: Path) -> tuple[subprocess.Popen[bytes], list[int]]:
    env = {"PATH": os.environ["PATH"]}
    code = PARENT % env
    parent = subprocess.Popen([sys.executable, "-c", code], cwd=folder, env={**env, "PYTHONPATH": str(ROOT)})
    names = [folder / "A", folder / "B"]
    wait_until(lambda: all(name.exists() and name.read_text().strip() for name in names))
    return parent, [int(name.read_text()) for name in names]


def test_a_stop_ends_every_child(tmp_path: Path) -> None:
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        folder = tmp_path / number.name
        folder.mkdir()
        parent, children = started(folder)
        parent.send_signal(number)
        assert parent.wait(20) == 0
        assert not any(is_alive(child) for child in children)


def test_children_do_not_outlive_a_killed_parent(tmp_path: Path) -> None:
    parent, children = started(tmp_path)
    parent.kill()
    parent.wait()
    wait_until(lambda: not any(is_alive(child) for child in children), seconds=10)
    assert parent.returncode == -signal.SIGKILL


def run_falling(script: str, tmp_path: Path) -> tuple[int, list[str]]:
    said: list[str] = []
    site = processes.Supervisor(
        {"child": ["sh", "-c", script]},
        env={"PATH": os.environ["PATH"], "HERE": str(tmp_path)},
        say=lambda who, line: said.append(line),
    )
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)}

    def stop_when_told() -> None:
        if "stop now" in said:
            site.stops_asked += 1

    try:
        return site.run(on_tick=stop_when_told), said
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def test_a_child_that_falls_is_started_again_and_its_words_are_passed_on(tmp_path: Path) -> None:
    code, said = run_falling(
        "if [ -e $HERE/again ]; then echo stop now; sleep 30; else touch $HERE/again; exit 7; fi", tmp_path
    )
    assert code == 0
    assert said == ["child ended with 7; starting it again in 1 s", "stop now"]


def test_a_child_that_falls_too_often_ends_the_site_with_an_error() -> None:
    child = processes.Child("child", ["true"])
    too_often = [child.fell_too_often(second) for second in (0.0, 1.0, 3.0, 7.0, 15.0, 31.0)]
    assert too_often == [False, False, False, False, False, True]


def test_old_falls_are_forgiven() -> None:
    child = processes.Child("child", ["true"])
    assert not any(child.fell_too_often(hour * 3600.0) for hour in range(50))

"""`manage.py up` from an empty folder to a page, its second start, and its end. It is the command of the README."""

from __future__ import annotations

import http.client
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.core.management.base import CommandError

from prm.management.commands import up

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize(
    ("text", "wanted"), [("127.0.0.1:80", ("127.0.0.1", 80)), ("[::1]:8000", ("::1", 8000))]
)
def test_an_address_to_listen_on_is_read(text: str, wanted: tuple[str, int]) -> None:
    assert up.parse_bind(text) == wanted


@pytest.mark.parametrize("text", ["8000", ":8000", "host:", "host:0", "host:70000", "host:８０", "host:-1"])
def test_a_senseless_address_is_refused_with_exit_code_2(text: str) -> None:
    with pytest.raises(CommandError) as refused:
        up.parse_bind(text)
    assert refused.value.returncode == 2


def test_a_port_in_use_is_passed_over() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        assert up.free_port("127.0.0.1", port) > port


def test_the_web_server_of_the_embedded_default_is_one_process() -> None:
    web = up.commands("127.0.0.1", 8000)["web"]
    assert web[web.index("-w") + 1] == "1"


class Site:
    """A site started by the command, in a folder of its own."""

    def __init__(self, folder: Path, port: int) -> None:
        ours = (
            "PRM_",
            "DATABASE_URL",
            "REDIS_URL",
            "CACHE_URL",
            "SECRET_KEY",
            "DJANGO_",
            "SITE_URL",
            "EMAIL_URL",
        )
        clean = {name: value for name, value in os.environ.items() if not name.startswith(ours)}
        self.port, self.log = port, folder / f"log-{time.monotonic_ns()}"
        env = {**clean, "PRM_VAR": str(folder / "var"), "PRM_DOTENV": "off", "PRM_BIND": f"127.0.0.1:{port}"}
        command = [sys.executable, "manage.py", "up", "--no-demo"]
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(command, cwd=ROOT, env=env, stdout=log, stderr=subprocess.STDOUT)

    def words(self) -> str:
        return self.log.read_text(errors="replace")

    def wait_until_ready(self) -> None:
        until = time.monotonic() + 180
        while "Open  " not in self.words():
            assert self.process.poll() is None, self.words()
            assert time.monotonic() < until, self.words()
            time.sleep(0.1)

    def get(self, path: str) -> tuple[int, str]:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        connection.request("GET", path)
        answer = connection.getresponse()
        return answer.status, answer.read().decode()


@pytest.fixture
def port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture
def site(tmp_path: Path, port: int) -> Iterator[Site]:
    site = Site(tmp_path, port)
    yield site
    site.process.kill()
    site.process.wait()


@pytest.mark.slow
def test_up_serves_pages_runs_background_work_refuses_a_twin_and_ends_cleanly(
    site: Site, tmp_path: Path, port: int
) -> None:
    site.wait_until_ready()
    assert site.get("/livez") == (200, "ok")
    assert site.get("/readyz") == (200, "ok")
    assert site.get("/statusz")[0] == 404
    assert (tmp_path / "var" / "secret_key").stat().st_mode & 0o777 == 0o600

    twin = Site(tmp_path, port)
    assert twin.process.wait(60) == up.ALREADY_RUNNING
    assert "already running" in twin.words()

    key = (tmp_path / "var" / "secret_key").read_text()
    site.process.send_signal(signal.SIGINT)
    assert site.process.wait(30) == 0
    with socket.socket() as probe:
        assert probe.connect_ex(("127.0.0.1", port)) != 0
    assert (tmp_path / "var" / "secret_key").read_text() == key

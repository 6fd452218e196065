#!/usr/bin/env python3
"""Run a command against throw-away PostgreSQL and Redis servers on free loopback ports. Nothing outlives the command: no process,
no file, no account; servers named by DATABASE_URL and REDIS_URL are used as they are.
"""

from __future__ import annotations

import base64
import contextlib
import os
import pwd
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

MISSING = 3
PATIENCE = 30.0
POSTGRESQL = {
    "listen_addresses": "127.0.0.1",
    "unix_socket_directories": "",
    # The data is thrown away a minute later: durability would only cost time.
    "fsync": "off",
    # It would look into a test's open transaction, see none of its rows, and have every query planned for empty tables.
    "autovacuum": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "max_connections": "80",
}


class Servers:
    """The servers that were started, and the folder they live in."""

    def __init__(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="prm-services-"))
        self.folder.chmod(0o711)
        self.running: list[tuple[subprocess.Popen[bytes], signal.Signals]] = []

    def start_postgresql(self, binaries: Path) -> str:
        """Start PostgreSQL and return its address."""
        account = unprivileged()
        data, password_file, password = self.folder / "pg", self.folder / "pg.pw", secrets.token_hex(16)
        data.mkdir(mode=0o700)
        password_file.touch(mode=0o600)
        password_file.write_text(password, encoding="ascii")
        if account:
            for path in (data, password_file):
                os.chown(path, account["user"], account["group"])
        clean = {"PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8", "HOME": str(self.folder)}
        common: dict[str, Any] = {"cwd": "/", "env": clean, **account}
        initdb = [
            binaries / "initdb",
            "-D",
            data,
            "-U",
            "prm",
            "-A",
            "scram-sha-256",
            "-E",
            "UTF8",
            "--no-sync",
        ]
        subprocess.run(
            [*initdb, f"--pwfile={password_file}"], check=True, stdout=subprocess.DEVNULL, **common
        )
        password_file.unlink()
        port = free_port()
        options = [part for key, value in POSTGRESQL.items() for part in ("-c", f"{key}={value}")]
        command = [binaries / "postgres", "-D", data, "-p", str(port), *options]
        # SIGINT is PostgreSQL's fast shutdown; SIGTERM would wait for every client.
        self._start(command, signal.SIGINT, port, "PostgreSQL", **common)
        return f"postgres://prm:{password}@127.0.0.1:{port}/postgres"

    def start_redis(self, binary: str) -> str:
        """Start Redis and return its address."""
        port = free_port()
        command = [binary, "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"]
        command += ["--dir", str(self.folder), "--daemonize", "no", "--maxmemory-policy", "noeviction"]
        self._start(command, signal.SIGTERM, port, "Redis")
        return f"redis://127.0.0.1:{port}/0"

    def _start(self, command: list[Any], stop: signal.Signals, port: int, name: str, **options: Any) -> None:
        log = self.folder / f"{name}.log"
        with log.open("wb") as output:
            process = subprocess.Popen(
                command, stdout=output, stderr=subprocess.STDOUT, start_new_session=True, **options
            )
        self.running.append((process, stop))
        until = time.monotonic() + PATIENCE
        while not is_listening(port):
            if process.poll() is not None or time.monotonic() > until:
                raise SystemExit(f"{name} did not start:\n{log.read_text(errors='replace')[-2000:]}")
            time.sleep(0.05)

    def end(self) -> None:
        """Stop the servers and remove the folder."""
        for process, stop in reversed(self.running):
            process.send_signal(stop)
            try:
                process.wait(15)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        shutil.rmtree(self.folder, ignore_errors=True)


def free_port() -> int:
    """Return a port that nobody uses."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def is_listening(port: int) -> bool:
    """Tell whether somebody accepts connections on `port`."""
    with socket.socket() as probe:
        probe.settimeout(0.2)
        return probe.connect_ex(("127.0.0.1", port)) == 0


def postgresql_binaries() -> Path | None:
    """Return the folder that holds initdb and postgres: on PATH, or where Debian keeps them."""
    on_path = shutil.which("initdb")
    debian = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda folder: -int(folder.parent.name))
    for folder in ([Path(on_path).parent] if on_path else []) + debian:
        if all((folder / name).exists() for name in ("initdb", "postgres")):
            return folder
    return None


def redis_binary() -> str | None:
    """Return the program that serves Redis."""
    return shutil.which("redis-server") or shutil.which("valkey-server")


def unprivileged() -> dict[str, Any]:
    """Return an existing account to run PostgreSQL as, because it refuses to run as root."""
    if os.geteuid() != 0:
        return {}
    for name in ("postgres", "nobody"):
        with contextlib.suppress(KeyError):
            account = pwd.getpwnam(name)
            return {"user": account.pw_uid, "group": account.pw_gid, "extra_groups": []}
    raise SystemExit("PostgreSQL refuses to run as root, and there is no account postgres or nobody.")


def missing() -> list[str]:
    """Return the Debian packages that are needed and not there."""
    wanted = []
    if not os.environ.get("DATABASE_URL") and postgresql_binaries() is None:
        wanted.append("postgresql")
    if not os.environ.get("REDIS_URL") and redis_binary() is None:
        wanted.append("redis-server")
    return wanted


def prepared(servers: Servers) -> dict[str, str]:
    """Return the environment for the command, with every server that was not named started."""
    env = dict(os.environ)
    if not env.get("DATABASE_URL"):
        env["DATABASE_URL"] = servers.start_postgresql(postgresql_binaries() or Path())
    if not env.get("REDIS_URL"):
        env["REDIS_URL"] = servers.start_redis(redis_binary() or "redis-server")
    # On PostgreSQL the product insists on its own secrets and address; these live as long as the servers.
    env.setdefault("SECRET_KEY", secrets.token_urlsafe(48))
    env.setdefault("PRM_FIELD_KEYS", "k1:" + base64.b64encode(secrets.token_bytes(32)).decode())
    env.setdefault("SITE_URL", "http://127.0.0.1:8000")
    env.setdefault("EMAIL_URL", "consolemail://")
    return env


def main(command: list[str]) -> int:
    """Run the command and return its exit code, or 3 when a server cannot be started because it is not installed."""
    if command == ["--missing"]:
        print(" ".join(missing()))
        return 0
    if not command:
        print("usage: tools/with_services.py COMMAND [ARGUMENT ...]", file=sys.stderr)
        return 2
    if absent := missing():
        print(
            f"Not installed: {', '.join(absent)}. Run: apt-get install -y --no-install-recommends {' '.join(absent)}",
            file=sys.stderr,
        )
        return MISSING
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    began, servers = time.monotonic(), Servers()
    try:
        env = prepared(servers)
        print(f"PostgreSQL and Redis are up after {time.monotonic() - began:.1f} s", file=sys.stderr)
        return subprocess.run(command, env=env, check=False).returncode
    except KeyboardInterrupt:
        return 130
    finally:
        servers.end()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

"""Readers of the environment: right values arrive typed, senseless ones end the process with one sentence and code 2."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from prm import env

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("on", True),
        ("TRUE", True),
        ("1", True),
        ("yes", True),
        ("off", False),
        ("0", False),
        ("No", False),
        ("", True),
        ("  ", True),
    ],
)
def test_a_flag_is_a_yes_or_a_no(text: str, wanted: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("THING", text)
    assert env.flag("THING", default=True) is wanted


@pytest.mark.parametrize(
    ("reader", "text", "says"),
    [
        (lambda: env.flag("THING", default=True), "maybe", "on or off"),
        (lambda: env.number("THING", default=1, maximum=10), "11", "from 0 to 10"),
        (lambda: env.number("THING", default=1), "-1", "whole number"),
        (lambda: env.number("THING", default=1), "1e3", "whole number"),
        (lambda: env.number("THING", default=1), "٣", "whole number"),
        (lambda: env.number("THING", default=1), "9" * 400, "whole number"),
        (lambda: env.choice("THING", ("a", "b"), default="a"), "c", "one of a, b"),
        (lambda: env.url("THING", schemes=("redis",)), "http://host", "redis://"),
        (lambda: env.url("THING", schemes=("redis",)), "redis://", "no host"),
        (lambda: env.url("THING", schemes=("redis",)), "redis://host:port", "not a valid URL"),
        (lambda: env.origin("THING", ""), "https://host/path", "only a scheme and a host"),
        (lambda: env.origin("THING", ""), "https://me:pw@host", "only a scheme and a host"),
        (lambda: env.database("THING"), "mysql://host/db", "postgres://"),
        (lambda: env.database("THING"), "postgres://host", "no database"),
        (lambda: env.email("THING"), "pigeon://loft", "smtp://"),
        (lambda: env.secret("THING"), "one\ntwo", "single line"),
    ],
)
def test_nonsense_is_refused_in_one_sentence(
    reader: object, text: str, says: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("THING", text)
    with pytest.raises(SystemExit) as ended:
        reader()  # type: ignore[operator]
    said = capsys.readouterr().err
    assert ended.value.code == 2
    assert said.startswith("prm: THING ")
    assert says in said
    assert said.count("\n") == 1


def test_a_refused_address_is_not_repeated_because_it_may_hold_a_password(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("DATABASE_URL", "mysql://root:hunter2@host/db")
    with pytest.raises(SystemExit):
        env.database("DATABASE_URL")
    assert "hunter2" not in capsys.readouterr().err


def test_a_secret_comes_from_the_file_that_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "secret").write_text("from the file\n")
    monkeypatch.setenv("THING_FILE", str(tmp_path / "secret"))
    assert env.secret("THING") == "from the file"


def test_a_secret_given_twice_or_in_a_missing_file_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("THING_FILE", str(tmp_path / "absent"))
    with pytest.raises(SystemExit):
        env.secret("THING")
    monkeypatch.setenv("THING", "here as well")
    with pytest.raises(SystemExit):
        env.secret("THING")
    first, second = capsys.readouterr().err.splitlines()
    assert "cannot be read" in first
    assert "both set" in second


def test_a_kept_secret_is_made_once_and_only_its_owner_can_read_it(tmp_path: Path) -> None:
    file = tmp_path / "var" / "secret"
    first = env.kept(file, env.new_secret)
    assert env.kept(file, env.new_secret) == first
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert [path.name for path in file.parent.iterdir()] == ["secret"]


def test_a_new_key_ring_can_be_read_back() -> None:
    ring = env.key_ring("PRM_FIELD_KEYS", env.new_key_ring())
    assert list(ring) == ["k1"]


@pytest.mark.parametrize(
    "text", ["k1", "k1:short", ":AAAA", f"k1:{'A' * 43}=,k1:{'A' * 43}=", "k1:" + "é" * 44, ""]
)
def test_a_broken_key_ring_is_refused(text: str) -> None:
    with pytest.raises(SystemExit) as ended:
        env.key_ring("PRM_FIELD_KEYS", text)
    assert ended.value.code == 2


def test_the_cache_never_shares_a_database_with_the_broker() -> None:
    assert env.next_redis_database("redis://:pw@host:6379/0") == "redis://:pw@host:6379/1"
    assert env.next_redis_database("redis://host") == "redis://host/1"


COMMANDS = {
    "django": [sys.executable, "manage.py", "check"],
    "celery": [sys.executable, "-m", "celery", "-A", "prm", "worker"],
    "gunicorn": [
        sys.executable,
        "-m",
        "gunicorn",
        "prm.wsgi:application",
        "--preload",
        "--no-control-socket",
        "-b",
        "127.0.0.1:0",
    ],
}


@pytest.mark.parametrize("command", COMMANDS.values(), ids=COMMANDS)
@pytest.mark.parametrize(
    ("setting", "says"),
    [
        ({"DEBUG": "perhaps"}, "DEBUG must be on or off"),
        ({"DATABASE_URL": "postgres://u:p@127.0.0.1/x", "SITE_URL": "https://x.example"}, "SECRET_KEY"),
        ({"SITE_URL": "x.example"}, "SITE_URL must start with"),
    ],
    ids=["flag", "secret", "address"],
)
def test_every_way_to_start_ends_in_one_sentence(
    command: list[str], setting: dict[str, str], says: str, tmp_path: Path
) -> None:
    clean = {"PATH": os.environ["PATH"], "PRM_DOTENV": "off", "PRM_VAR": str(tmp_path), "HOME": str(tmp_path)}
    ended = subprocess.run(
        command, cwd=ROOT, env=clean | setting, capture_output=True, text=True, timeout=60, check=False
    )
    said = [line for line in ended.stderr.splitlines() if "[INFO]" not in line]
    assert ended.returncode == 2
    assert len(said) == 1
    assert says in said[0]


def test_a_production_refuses_to_invent_its_keys(tmp_path: Path) -> None:
    given = {
        "DATABASE_URL": "postgres://u:p@127.0.0.1/x",
        "SITE_URL": "https://x.example",
        "SECRET_KEY": "s" * 50,
    }
    clean = {"PATH": os.environ["PATH"], "PRM_DOTENV": "off", "PRM_VAR": str(tmp_path / "var")}
    ended = subprocess.run(
        COMMANDS["django"], cwd=ROOT, env=clean | given, capture_output=True, text=True, check=False
    )
    assert ended.returncode == 2
    assert "PRM_FIELD_KEYS" in ended.stderr
    assert not (tmp_path / "var").exists()

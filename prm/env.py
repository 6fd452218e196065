"""Read the environment into typed values, or refuse to start. A senseless value always ends the process with one sentence on
stderr and exit code 2, never with a traceback, whether Django, Celery or gunicorn was starting.
"""

from __future__ import annotations

import base64
import binascii
import contextlib
import os
import secrets
import sys
import tempfile
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, NoReturn
from urllib.parse import urlsplit

import environ

YES = frozenset({"1", "on", "true", "yes"})
NO = frozenset({"0", "off", "false", "no"})
KEY_BYTES = 32


def refuse(sentence: str) -> NoReturn:
    """Print one sentence and end the process with exit code 2."""
    sys.stderr.write(f"prm: {sentence}\n")
    # SystemExit passes through Django's, Celery's and gunicorn's own handlers, which all catch only Exception.
    raise SystemExit(2)


def read_dotenv(path: Path) -> None:
    """Load `path` into the environment where it exists; a variable already set wins."""
    if os.environ.get("PRM_DOTENV", "on") in NO or not path.is_file():
        return
    environ.Env.read_env(path, overwrite=False)


def text(name: str, default: str = "") -> str:
    """Return the variable stripped of blanks, or `default` when it is absent or blank."""
    value = os.environ.get(name, "").strip()
    if "\0" in value or "\n" in value:
        refuse(f"{name} must be a single line of text.")
    return value or default


def flag(name: str, *, default: bool) -> bool:
    """Return a yes or a no."""
    value = text(name).lower()
    if not value:
        return default
    if value not in YES | NO:
        refuse(f"{name} must be on or off, not {value!r}.")
    return value in YES


def number(name: str, *, default: int, minimum: int = 0, maximum: int = 2**31 - 1) -> int:
    """Return a whole number between `minimum` and `maximum`."""
    value = text(name)
    if not value:
        return default
    if not (value.isascii() and value.isdigit()) or not minimum <= int(value[:12]) <= maximum:
        refuse(f"{name} must be a whole number from {minimum} to {maximum}, not {value!r}.")
    return int(value)


def choice(name: str, options: Iterable[str], *, default: str) -> str:
    """Return one of `options`."""
    known = sorted(options)
    value = text(name, default)
    if value not in known:
        refuse(f"{name} must be one of {', '.join(known)}, not {value!r}.")
    return value


def names(name: str) -> list[str]:
    """Return a comma-separated list without blanks."""
    return [part.strip() for part in text(name).split(",") if part.strip()]


def link_hosts(name: str, *, own: str) -> frozenset[str]:
    """Return hosts that serve tracked links and nothing else; the site's own host must not be one of them."""
    hosts = frozenset(host.lower() for host in names(name))
    if own in hosts or any(not set(host) <= set("abcdefghijklmnopqrstuvwxyz0123456789.-") for host in hosts):
        refuse(f"{name} must name hosts other than the site's own, without scheme or port.")
    return hosts


def path(name: str, default: Path) -> Path:
    """Return an absolute path."""
    value = text(name)
    return Path(value).expanduser().resolve() if value else default


def url(name: str, *, schemes: Iterable[str], default: str = "", host: bool = True) -> str:
    """Return an address of one of the given schemes; a wrong one is refused without repeating it, as it may hold a password."""
    value = secret(name, default=default)
    if not value:
        return ""
    allowed = sorted(schemes)
    try:
        parts = urlsplit(value)
        parts.port  # noqa: B018  reading it raises ValueError when it is no port number
    except ValueError:
        refuse(f"{name} is not a valid URL.")
    if parts.scheme not in allowed:
        refuse(f"{name} must start with one of {', '.join(f'{s}://' for s in allowed)}.")
    if host and not parts.hostname:
        refuse(f"{name} names no host.")
    return value


def origin(name: str, default: str) -> str:
    """Return scheme, host and port of a site, without a path."""
    value = url(name, schemes=("http", "https"), default=default)
    parts = urlsplit(value)
    if value and (parts.path.rstrip("/") or parts.query or parts.fragment or parts.username):
        refuse(f"{name} must be only a scheme and a host, such as https://partners.example.com.")
    return value.rstrip("/")


def secret(name: str, *, default: str = "") -> str:
    """Return a secret given as VAR, or as VAR_FILE naming the file that holds it."""
    direct, file = text(name), text(f"{name}_FILE")
    if direct and file:
        refuse(f"{name} and {name}_FILE are both set; keep one of them.")
    if not file:
        return direct or default
    try:
        return Path(file).read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        refuse(f"{name}_FILE cannot be read: {getattr(error, 'strerror', None) or 'it is not UTF-8 text'}.")


def required(name: str, value: str, because: str) -> str:
    """Return `value`, refusing when it is empty."""
    return value or refuse(f"{name} must be set {because}.")


def kept(file: Path, make: Callable[[], str]) -> str:
    """Return the content of `file`, making it once, readable by its owner only, when it is not there yet."""
    try:
        file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        if not file.exists():
            _write_once(file, make())
        return file.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        refuse(
            f"{file} cannot be read or made: {getattr(error, 'strerror', None) or 'it is not UTF-8 text'}."
        )


def _write_once(file: Path, content: str) -> None:
    # Two processes may start at the same moment: the hard link lets exactly one of them win with a complete file.
    handle, name = tempfile.mkstemp(dir=file.parent)
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as opened:
            opened.write(content + "\n")
        with contextlib.suppress(FileExistsError):
            os.link(name, file)
    finally:
        Path(name).unlink()


def new_secret() -> str:
    """Return a fresh random secret for signing."""
    return secrets.token_urlsafe(48)


def new_key_ring() -> str:
    """Return a key ring with one fresh key for encryption at rest."""
    return "k1:" + base64.b64encode(secrets.token_bytes(KEY_BYTES)).decode()


def key_ring(name: str, value: str) -> dict[str, str]:
    """Return key names and base64 keys, the current key first, from `k2:base64,k1:base64`."""
    ring: dict[str, str] = {}
    for part in value.split(","):
        key_id, _, encoded = part.strip().partition(":")
        if not key_id.isalnum() or key_id in ring or not _is_key(encoded):
            refuse(
                f"{name} must be name:key pairs, each key {KEY_BYTES} random bytes in base64, parted by commas."
            )
        ring[key_id] = encoded
    return ring


def _is_key(encoded: str) -> bool:
    try:
        return len(base64.b64decode(encoded, validate=True)) == KEY_BYTES
    except (binascii.Error, ValueError):
        return False


def database(name: str) -> dict[str, Any]:
    """Return Django's settings for a PostgreSQL or SQLite database, or nothing when the variable is not set."""
    value = url(name, schemes=("postgres", "postgresql", "sqlite"), host=False)
    if not value:
        return {}
    config: dict[str, Any] = dict(environ.Env.db_url_config(value))
    if not config.get("NAME"):
        refuse(f"{name} names no database.")
    return config


def email(name: str) -> dict[str, Any]:
    """Return Django's e-mail settings from an SMTP address, or nothing when the variable is not set."""
    value = url(
        name, schemes=("smtp", "smtps", "smtp+tls", "smtp+ssl", "consolemail", "dummymail"), host=False
    )
    return dict(environ.Env.email_url_config(value)) if value else {}


def next_redis_database(address: str) -> str:
    """Return the same server's next database: Django empties its cache by FLUSHDB, which must never meet the broker's queues."""
    parts = urlsplit(address)
    current = parts.path.strip("/")
    following = int(current) + 1 if current.isdigit() else 1
    return parts._replace(path=f"/{following}").geturl()

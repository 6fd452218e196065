"""Issue, check, rotate and revoke API keys. The key is shown once; afterwards only its hash is known, so nobody can read it back."""

from __future__ import annotations

import hashlib
import re
import secrets
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from prm import audit
from prm.accounts import policy
from prm.accounts.choices import Scope
from prm.accounts.models import ApiKey, User
from prm.lib.errors import Refused

KEY_TEXT = re.compile(r"prm_live_([a-z0-9]{10})_([A-Za-z0-9_-]{43})", re.ASCII)
PREFIX_ALPHABET = "abcdefghijkmnpqrstuvwxyz23456789"
USED_RESOLUTION = timedelta(minutes=1)
LONGEST_OVERLAP = timedelta(days=7)
MOST_CALLS = 1_000_000


class UnknownScope(Refused):
    """A scope was asked for that the product does not know, or none at all."""

    message = _("Choose at least one of the scopes listed.")
    field = "scopes"


class AlreadyRevoked(Refused):
    """The key was revoked before."""

    message = _("This key was already revoked.")


class KeyExpired(Refused):
    """The key has come to its end."""

    message = _("This key has expired: issue another one.")


class LongOverlap(Refused):
    """Two secrets were to open a key for too long."""

    message = _("Both secrets may open the key for at most seven days.")
    field = "overlap"


class BadPace(Refused):
    """A limit was asked for that is none."""

    message = _("Write a whole number from 1 to %(most)s, or nothing.")
    field = "calls_per_minute"


@dataclass(frozen=True)
class IssuedKey:
    """A new key together with its text, which is shown once and kept nowhere."""

    key: ApiKey
    text: str

    def __repr__(self) -> str:
        return f"IssuedKey({self.key.prefix}, text=***)"


@transaction.atomic
def issue(
    *,
    name: str,
    scopes: Collection[str],
    by: User,
    at: datetime,
    expires_at: datetime | None = None,
) -> IssuedKey:
    """Make a key for `scopes` and return its text, the only time it is known.

    A fast hash is right here: the secret is 256 random bits, which no guessing reaches.

    Raises: Forbidden, UnknownScope.
    """
    policy.require(by, "manage_api_keys")
    if not scopes or not set(scopes) <= set(Scope.values):
        raise UnknownScope
    prefix = "".join(secrets.choice(PREFIX_ALPHABET) for _index in range(10))
    secret = secrets.token_urlsafe(32)
    key = ApiKey.objects.create(
        name=name,
        prefix=prefix,
        secret_sha256=_sha256(secret),
        scopes=sorted(scopes),
        created_by=by,
        created_at=at,
        expires_at=expires_at,
    )
    audit.record(by, "api_key.issued", key, at=at, scopes=sorted(scopes), expires_at=expires_at)
    return IssuedKey(key=key, text=f"prm_live_{prefix}_{secret}")


@transaction.atomic
def revoke(key: ApiKey, *, by: User, at: datetime, note: str = "") -> ApiKey:
    """Close a key for good.

    Raises: Forbidden, AlreadyRevoked.
    """
    policy.require(by, "manage_api_keys")
    if not ApiKey.objects.filter(pk=key.pk, revoked_at=None).update(revoked_at=at, revoked_by=by):
        raise AlreadyRevoked
    key.refresh_from_db()
    audit.record(by, "api_key.revoked", key, at=at, note=note)
    return key


@transaction.atomic
def rotate(key: ApiKey, *, by: User, at: datetime, overlap: timedelta = timedelta(0)) -> IssuedKey:
    """Give a key a new secret and return its text, the only time it is known; the secret before opens until `overlap` is over.

    Whoever rotates again meanwhile ends the older of the two: a key never has more than two.

    Raises: Forbidden, AlreadyRevoked, KeyExpired, LongOverlap.
    """
    policy.require(by, "manage_api_keys")
    if not timedelta(0) <= overlap <= LONGEST_OVERLAP:
        raise LongOverlap
    held = ApiKey.objects.select_for_update(of=("self",)).get(pk=key.pk)
    if held.revoked_at is not None:
        raise AlreadyRevoked
    if not held.is_usable(at=at):
        raise KeyExpired
    secret = secrets.token_urlsafe(32)
    held.previous_sha256 = held.secret_sha256 if overlap else ""
    held.previous_ends_at = at + overlap if overlap else None
    held.secret_sha256 = _sha256(secret)
    held.save(update_fields=["previous_sha256", "previous_ends_at", "secret_sha256"])
    audit.record(by, "api_key.rotated", held, at=at, previous_ends_at=held.previous_ends_at)
    return IssuedKey(key=held, text=f"prm_live_{held.prefix}_{secret}")


@transaction.atomic
def set_pace(key: ApiKey, *, calls_per_minute: int | None, by: User, at: datetime) -> ApiKey:
    """Let a key make so many calls a minute; without a number what the installation allows.

    Raises: Forbidden, AlreadyRevoked, BadPace.
    """
    policy.require(by, "manage_api_keys")
    if calls_per_minute is not None and not 1 <= calls_per_minute <= MOST_CALLS:
        raise BadPace(params={"most": MOST_CALLS})
    held = ApiKey.objects.select_for_update(of=("self",)).get(pk=key.pk)
    if held.revoked_at is not None:
        raise AlreadyRevoked
    before, held.calls_per_minute = held.calls_per_minute, calls_per_minute
    held.save(update_fields=["calls_per_minute"])
    audit.record(by, "api_key.paced", held, at=at, before=before, calls_per_minute=calls_per_minute)
    return held


def authenticate(text: str, *, at: datetime) -> ApiKey | None:
    """Return the key `text` opens at `at`, or None; the secret is compared in constant time.

    The last use is kept to the minute, so a busy key does not turn every read into a write.
    """
    parts = KEY_TEXT.fullmatch(text)
    if parts is None:
        return None
    key = ApiKey.objects.filter(prefix=parts.group(1)).first()
    sha256 = _sha256(parts.group(2))
    if key is None or not key.opens_with(sha256, at=at) or not key.is_usable(at=at):
        return None
    if key.last_used_at is None or key.last_used_at < at - USED_RESOLUTION:
        seldom = Q(last_used_at=None) | Q(last_used_at__lt=at - USED_RESOLUTION)
        ApiKey.objects.filter(seldom, pk=key.pk).update(last_used_at=at)
    return key


def _sha256(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()

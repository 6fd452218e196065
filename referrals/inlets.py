"""Open, renew and close doors for conversions that need no API key. A secret is shown once; while it is renewed the one before still holds,
so that no shop has to change over at the second."""

from __future__ import annotations

import secrets
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from prm import audit
from prm.accounts import policy
from prm.accounts.models import User
from prm.lib.errors import Refused
from referrals import reading
from referrals.choices import Channel, InletKind
from referrals.models import Conversion, Inlet
from tiers.choices import EventKind

CAPABILITY = "manage_tracking"
OVERLAP = timedelta(days=7)
USED_RESOLUTION = timedelta(minutes=1)
# What a browser may tell without a secret: nothing that takes money back or goes on for years.
PIXEL_KINDS = (
    EventKind.SIGNUP,
    EventKind.QUALIFIED_LEAD,
    EventKind.SALE,
    EventKind.INSTALL,
    EventKind.CUSTOM,
)


class BadKinds(Refused):
    """No kind was chosen, or one this inlet must not tell."""

    message = _("Choose at least one kind. A pixel may tell: %(kinds)s.")
    field = "kinds"

    def __init__(self) -> None:
        super().__init__(params={"kinds": ", ".join(str(EventKind(kind).label) for kind in PIXEL_KINDS)})


class SharedSource(Refused):
    """What a browser tells would stand in for what servers tell."""

    message = _(
        "Give a pixel a source of its own: whoever calls it could use up order numbers and name customers that servers tell of."
    )
    field = "source"


class Closed(Refused):
    """The inlet was closed before."""

    message = _("This inlet is closed. Open a new one.")


class NoSecret(Refused):
    """A pixel has no secret to renew."""

    message = _("A pixel has no secret.")


@dataclass(frozen=True)
class Opened:
    """An inlet together with its secret, which is shown once; a pixel has none."""

    inlet: Inlet
    secret: str

    def __repr__(self) -> str:
        return f"Opened({self.inlet.public_id}, secret=***)"


@transaction.atomic
def create(
    *,
    name: str,
    kind: str,
    source: str,
    kinds: Collection[str],
    by: User,
    at: datetime,
    needs_time: bool = False,
) -> Opened:
    """Open an inlet for events of `kinds` that are recorded under `source`.

    Raises: Forbidden, BadValue, BadKinds, SharedSource.
    """
    policy.require(by, CAPABILITY)
    allowed = PIXEL_KINDS if kind == InletKind.PIXEL else tuple(EventKind)
    if not kinds or not set(kinds) <= set(allowed):
        raise BadKinds
    is_signed = kind == InletKind.POSTBACK
    source = reading.word(source, field="source", longest=40, required=True)
    _require_apart(source, is_pixel=not is_signed)
    secret = _new_secret() if is_signed else ""
    inlet = Inlet.objects.create(
        name=reading.word(name, field="name", longest=80, required=True),
        kind=InletKind(kind),
        source=source,
        kinds=sorted(kinds),
        secret=secret,
        needs_time=needs_time and is_signed,
        created_at=at,
        created_by=by,
    )
    audit.record(by, "inlet.opened", inlet, at=at, kind=inlet.kind, source=inlet.source, kinds=inlet.kinds)
    return Opened(inlet, secret)


@transaction.atomic
def rotate(inlet: Inlet, *, by: User, at: datetime) -> Opened:
    """Give an inlet a new secret; the one before holds for a week more.

    Raises: Forbidden, Closed, NoSecret.
    """
    held = _held(inlet, by=by)
    if held.kind != InletKind.POSTBACK:
        raise NoSecret
    held.previous_secret, held.previous_ends_at = held.secret, at + OVERLAP
    held.secret = _new_secret()
    held.save(update_fields=["secret", "previous_secret", "previous_ends_at"])
    audit.record(by, "inlet.renewed", held, at=at, previous_ends_at=held.previous_ends_at)
    return Opened(held, held.secret)


@transaction.atomic
def close(inlet: Inlet, *, by: User, at: datetime) -> Inlet:
    """Close an inlet for good; its secrets are forgotten, and what it told stays.

    Raises: Forbidden, Closed.
    """
    held = _held(inlet, by=by)
    held.closed_at, held.closed_by = at, by
    held.secret = held.previous_secret = ""
    held.previous_ends_at = None
    held.save(update_fields=["closed_at", "closed_by", "secret", "previous_secret", "previous_ends_at"])
    audit.record(by, "inlet.closed", held, at=at)
    return held


def find(public_id: str, *, kind: str) -> Inlet | None:
    """Return the inlet at an address, closed or not."""
    return Inlet.objects.filter(public_id=public_id, kind=kind).first()


def secrets_of(inlet: Inlet, *, at: datetime) -> list[str]:
    """Return the secrets that hold at `at`, never an empty one."""
    found = [inlet.secret]
    if inlet.previous_ends_at is not None and at < inlet.previous_ends_at:
        found.append(inlet.previous_secret)
    return [secret for secret in found if secret]


def note_use(inlet: Inlet, *, at: datetime) -> None:
    """Remember to the minute when an inlet was last used."""
    if inlet.last_used_at is None or inlet.last_used_at <= at - USED_RESOLUTION:
        stale = Q(last_used_at=None) | Q(last_used_at__lte=at - USED_RESOLUTION)
        Inlet.objects.filter(stale, pk=inlet.pk).update(last_used_at=at)


def _held(inlet: Inlet, *, by: User) -> Inlet:
    policy.require(by, CAPABILITY)
    held = Inlet.objects.select_for_update().get(pk=inlet.pk)
    if held.closed_at is not None:
        raise Closed
    return held


def _require_apart(source: str, *, is_pixel: bool) -> None:
    """Refuse a source that a pixel and a server would share.

    Raises: SharedSource.
    """
    others = Inlet.objects.filter(source=source, closed_at=None).exclude(kind=InletKind.PIXEL)
    told = Conversion.objects.filter(source=source).exclude(channel=Channel.PIXEL)
    if is_pixel and (others.exists() or told.exists()):
        raise SharedSource
    if not is_pixel and Inlet.objects.filter(source=source, closed_at=None, kind=InletKind.PIXEL).exists():
        raise SharedSource


def _new_secret() -> str:
    return f"prm_in_{secrets.token_urlsafe(32)}"

"""Keep the addresses a partner wants to be called at. A membership has five at most, each says which events it wants, and its secret is
shown once; whoever signs with it can be told from anybody else."""

from __future__ import annotations

import secrets
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from partners.choices import TeamRole
from partners.models import Membership
from payouts.choices import PostbackDeliveryState, PostbackEvent
from payouts.models import Postback, PostbackDelivery
from prm import audit
from prm.lib import outbound
from prm.lib.errors import Refused

if TYPE_CHECKING:
    from prm.accounts.models import User

MOST = 5
OVERLAP = timedelta(hours=24)
LONGEST_URL = 500
MAY_MANAGE = (TeamRole.OWNER, TeamRole.MARKETING, TeamRole.SALES)


class NotYours(Refused):
    message = _("Only members of the partner's team who manage links may set postbacks.")


class TooMany(Refused):
    message = _("Five postbacks are the most. Remove one first.")
    field = "url"


class SameAgain(Refused):
    message = _("This address is set already.")
    field = "url"


class BadAddress(Refused):
    message = _("Use an https address on the public internet, on port 443 or 8443.")
    field = "url"


class NoEvents(Refused):
    message = _("Choose at least one event.")
    field = "events"


class Removed(Refused):
    message = _("This postback was removed.")


@dataclass(frozen=True)
class Made:
    """A postback with its secret, the only time it is known."""

    postback: Postback
    secret: str

    def __repr__(self) -> str:
        return f"Made({self.postback.public_id}, secret=***)"


@transaction.atomic
def add(membership: Membership, *, url: str, events: Collection[str], by: User, at: datetime) -> Made:
    """Begin to call `url` for `events` of `membership` that happen from now on.

    Raises: NotYours, TooMany, SameAgain, BadAddress, NoEvents.
    """
    membership = Membership.objects.lock().get(pk=membership.pk)
    _require(membership, by)
    wanted, address = _events(events), _address(url)
    known = Postback.objects.in_use().filter(membership=membership)
    if known.filter(url=address).exists():
        raise SameAgain
    if known.count() >= MOST:
        raise TooMany
    secret = new_secret()
    made = Postback.objects.create(
        membership=membership, url=address, events=wanted, secret=secret, created_at=at, created_by=by
    )
    audit.record(by, "postback.added", made, at=at, events=wanted, host=_host(address))
    return Made(made, secret)


@transaction.atomic
def change(postback: Postback, *, events: Collection[str], by: User, at: datetime) -> Postback:
    """Call for other events from now on.

    Raises: NotYours, NoEvents, Removed.
    """
    held = _hold(postback, by)
    held.events = _events(events)
    held.save(update_fields=["events"])
    audit.record(by, "postback.changed", held, at=at, events=held.events)
    return held


@transaction.atomic
def rotate(postback: Postback, *, by: User, at: datetime) -> Made:
    """Sign with a new secret from now on, and with the one before as well for a day.

    Raises: NotYours, Removed.
    """
    held = _hold(postback, by)
    held.previous_secret, held.previous_ends_at = held.secret, at + OVERLAP
    held.secret = new_secret()
    held.save(update_fields=["secret", "previous_secret", "previous_ends_at"])
    audit.record(by, "postback.secret_rotated", held, at=at)
    return Made(held, held.secret)


@transaction.atomic
def switch_on(postback: Postback, *, by: User, at: datetime) -> Postback:
    """Call an address again that was switched off because it did not answer.

    Raises: NotYours, Removed.
    """
    held = _hold(postback, by)
    if held.disabled_at is not None:
        held.disabled_at, held.disabled_because = None, ""
        held.failures, held.failing_since_at = 0, None
        held.save(update_fields=["disabled_at", "disabled_because", "failures", "failing_since_at"])
        audit.record(by, "postback.switched_on", held, at=at)
    return held


@transaction.atomic
def remove(postback: Postback, *, by: User, at: datetime) -> None:
    """Call an address no more, also not for what waits.

    Raises: NotYours, Removed.
    """
    held = _hold(postback, by)
    held.removed_at = at
    held.secret = held.previous_secret = ""
    held.save(update_fields=["removed_at", "secret", "previous_secret"])
    waiting = PostbackDelivery.objects.due().filter(postback=held)
    waiting.update(state=PostbackDeliveryState.GIVEN_UP, next_at=None, last_error="The postback was removed.")
    audit.record(by, "postback.removed", held, at=at)


def new_secret() -> str:
    """Return a secret nobody can guess."""
    return f"whsec_{secrets.token_urlsafe(32)}"


def _hold(postback: Postback, by: User) -> Postback:
    membership = Membership.objects.lock().get(pk=postback.membership_id)
    _require(membership, by)
    held = Postback.objects.lock().get(pk=postback.pk)
    if held.removed_at is not None:
        raise Removed
    return held


def _require(membership: Membership, by: User) -> None:
    if not membership.partner.members.filter(user=by, ended_at=None, role__in=MAY_MANAGE).exists():
        raise NotYours


def _events(events: Collection[str]) -> list[str]:
    wanted = [event.value for event in PostbackEvent if event in events]
    if not wanted or len(wanted) != len(set(events)):
        raise NoEvents
    return wanted


def _address(url: str) -> str:
    """Return an address that may be called as far as its text tells; where its name leads is looked at with each call."""
    text = url.strip()
    if len(text) > LONGEST_URL:
        raise BadAddress
    try:
        outbound.check(text)
    except outbound.NotOutside:
        raise BadAddress from None
    return text


def _host(url: str) -> str:
    return outbound.check(url)[1]

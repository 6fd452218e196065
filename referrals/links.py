"""Make tracked links and switch them. A link leads only to its program's own domain or to one the program allows, and that is asked
again whenever somebody clicks.
"""

from __future__ import annotations

import re
import secrets
import unicodedata
from datetime import datetime
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.utils.translation import gettext_lazy as _

from partners.choices import MembershipState
from partners.models import Membership
from prm import audit
from prm.lib.errors import Refused
from referrals.models import Link
from referrals.models.link import slug_validator
from referrals.redirect import allowed_hosts, leads_outside
from tiers.models import Program

if TYPE_CHECKING:
    from prm.accounts.models import User

ALPHABET = "abcdefghjkmnpqrstuvwxyz23456789"
LONGEST_LABEL = 80
LONGEST_URL = 500


class NotActive(Refused):
    """The membership is not active, so it cannot get anything to promote with."""

    message = _("Only an active membership can have links and codes.")


class BadSlug(Refused):
    """The short address has characters it may not have."""

    message = _("Use lower-case letters a to z, digits and hyphens, 1 to 40 of them.")
    field = "slug"


class SlugTaken(Refused):
    """Another link has this short address."""

    message = _("This short address is taken. Choose another one.")
    field = "slug"


class BadLabel(Refused):
    """The label is empty or too long."""

    message = _("Give the link a name of 1 to 80 characters.")
    field = "label"


class DestinationNotAllowed(Refused):
    """The link would lead where the program does not allow."""

    message = _("Links of this program may lead to these domains only: %(hosts)s.")
    field = "destination_url"


@transaction.atomic
def make(
    membership: Membership,
    *,
    label: str,
    at: datetime,
    by: User | None = None,
    slug: str = "",
    destination_url: str = "",
) -> Link:
    """Make a link that leads to `destination_url`, or to where the program's links lead by default.

    Raises: NotActive, BadLabel, BadSlug, SlugTaken, DestinationNotAllowed.
    """
    membership = Membership.objects.lock().get(pk=membership.pk)
    require_active(membership)
    label = label.strip()
    if not 1 <= len(label) <= LONGEST_LABEL:
        raise BadLabel
    destination = destination_url.strip() or membership.program.destination_url
    require_destination(destination, program=membership.program)
    slug = slug.strip().lower()
    _require_slug(slug)
    link = _create(membership, slug=slug or _free_slug(label), label=label, destination=destination, at=at)
    audit.record(by, "link.made", link, at=at, membership=membership, destination=destination)
    return link


@transaction.atomic
def switch(link: Link, *, on: bool, by: User | None, at: datetime) -> Link:
    """Turn a link on or off; one that is off answers with a neutral page and counts nothing."""
    if Link.objects.filter(pk=link.pk, is_active=not on).update(is_active=on):
        link.refresh_from_db()
        audit.record(by, "link.switched_on" if on else "link.switched_off", link, at=at)
    return link


def require_active(membership: Membership) -> None:
    """Let a membership through that may promote.

    Raises: NotActive.
    """
    if membership.state != MembershipState.ACTIVE or membership.ended_at is not None:
        raise NotActive


def require_destination(url: str, *, program: Program) -> None:
    """Let an address through that a link of `program` may lead to.

    Raises: DestinationNotAllowed.
    """
    hosts = allowed_hosts(program.destination_url, program.allowed_domains)
    if len(url) > LONGEST_URL or leads_outside(url, hosts) or _is_own_link(url):
        raise DestinationNotAllowed(params={"hosts": ", ".join(sorted(hosts))})


def slug_words(text: str, *, longest: int = 24) -> str:
    """Return `text` in letters, digits and hyphens an address can hold, perhaps nothing."""
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode().lower()
    return re.sub(r"[^a-z0-9]+", "-", plain)[:longest].strip("-")


def random_word(length: int, *, alphabet: str = ALPHABET) -> str:
    """Return letters and digits that cannot be mistaken for each other."""
    return "".join(secrets.choice(alphabet) for _index in range(length))


def _is_own_link(url: str) -> bool:
    # A tracked link that leads to a tracked link would send its visitors round in circles.
    own, given = urlsplit(settings.SITE_URL), urlsplit(url)
    return given.hostname == own.hostname and given.port == own.port and given.path.startswith("/r/")


def _require_slug(slug: str) -> None:
    if not slug:
        return
    try:
        slug_validator(slug)
    except ValidationError:
        raise BadSlug from None
    if Link.objects.filter(slug=slug).exists():
        raise SlugTaken


def _free_slug(label: str) -> str:
    words = slug_words(label)
    return f"{words}-{random_word(5)}" if words else random_word(8)


def _create(membership: Membership, *, slug: str, label: str, destination: str, at: datetime) -> Link:
    try:
        with transaction.atomic():
            return Link.objects.create(
                membership=membership, slug=slug, label=label, destination_url=destination, created_at=at
            )
    except IntegrityError:
        raise SlugTaken from None

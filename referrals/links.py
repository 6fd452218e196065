"""Make tracked links, change, replace and switch them. A link leads only to its program's own domain or to one the program allows, and
that is asked again whenever somebody clicks; its short address never changes.
"""

from __future__ import annotations

import posixpath
import re
import secrets
import unicodedata
from collections.abc import Mapping
from dataclasses import replace as with_changes
from datetime import datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.utils.translation import gettext_lazy as _

from partners.choices import MembershipState
from partners.models import Membership
from prm import audit
from prm.accounts import policy
from prm.lib.errors import Refused
from referrals.link_facts import Facts, campaign_of, require_free_word, require_later, utm_of
from referrals.models import Link
from referrals.models.link import slug_validator
from referrals.redirect import allowed_hosts, leads_outside
from tiers.models import Program

if TYPE_CHECKING:
    from prm.accounts.models import User

ALPHABET = "abcdefghjkmnpqrstuvwxyz23456789"
LONGEST_LABEL = 80
LONGEST_URL = 500
_WEB = 443
_DEFAULT_PORTS = frozenset({80, _WEB})


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


class OtherMembership(Refused):
    """Visits would go to somebody else's link."""

    message = _("A link is replaced by another one of the same partner in the same program.")
    field = "by_link"


class InACircle(Refused):
    """Visits would go round, or on from a link that itself sends them on."""

    message = _("A link cannot be replaced by itself, nor by one that was replaced.")
    field = "by_link"


class ReplacementOff(Refused):
    """Visits would come to nothing."""

    message = _("This link is off or over. Choose one that works.")
    field = "by_link"


@transaction.atomic
def make(
    membership: Membership,
    *,
    label: str,
    at: datetime,
    by: User | None = None,
    slug: str = "",
    destination_url: str = "",
    campaign: str = "",
    utm: Mapping[str, str] | None = None,
    expires_at: datetime | None = None,
) -> Link:
    """Make a link that leads to `destination_url`, or to where the program's links lead by default.

    Raises: Forbidden, NotActive, BadLabel, BadSlug, ReservedSlug, SlugTaken, DestinationNotAllowed, BadCampaign, BadUtm,
    UnknownUtm, EndsInThePast.
    """
    require_may(by)
    membership = Membership.objects.lock().get(pk=membership.pk)
    require_active(membership)
    facts = checked(
        Facts(label, destination_url, campaign, utm or {}, expires_at), program=membership.program
    )
    require_later(facts.expires_at, at=at)
    slug = slug.strip().lower()
    require_slug(slug)
    if slug and Link.objects.filter(slug=slug).exists():
        raise SlugTaken
    link = _create(membership, facts, slug=slug or _free_slug(facts.label), at=at)
    audit.record(by, "link.made", link, at=at, membership=membership, destination=facts.destination_url)
    return link


@transaction.atomic
def change(link: Link, facts: Facts, *, by: User | None, at: datetime) -> Link:
    """Let a link say and lead to something else; its short address and what it brought stay.

    Raises: Forbidden, NotActive, BadLabel, DestinationNotAllowed, BadCampaign, BadUtm, UnknownUtm, EndsInThePast.
    """
    require_may(by)
    membership = Membership.objects.lock().get(pk=link.membership_id)
    require_active(membership)
    link = Link.objects.lock().get(pk=link.pk)
    facts = checked(facts, program=membership.program)
    if facts.expires_at != link.expires_at:
        require_later(facts.expires_at, at=at)
    before = link.destination_url
    changed = sorted(name for name, value in vars_of(facts).items() if getattr(link, name) != value)
    for name in changed:
        setattr(link, name, getattr(facts, name))
    if changed:
        link.save(update_fields=changed)
        moved = {"before": before, "after": link.destination_url} if "destination_url" in changed else {}
        audit.record(by, "link.changed", link, at=at, fields=changed, **moved)
    return link


@transaction.atomic
def replace(link: Link, by_link: Link | None, *, by: User | None, at: datetime) -> Link:
    """Send the visits of one link to another one, or with None no longer.

    Nobody is sent on twice: who was sent to `link` before goes straight to the new one.

    Raises: Forbidden, OtherMembership, InACircle, ReplacementOff.
    """
    require_may(by)
    Membership.objects.lock().get(pk=link.membership_id)
    rows = {row.pk: row for row in Link.objects.filter(membership=link.membership_id).lock()}
    link = rows[link.pk]
    target = rows.get(by_link.pk) if by_link is not None else None
    if by_link is not None:
        _require_replacement(link, target, at=at)
    if link.replacement_id == (target.pk if target else None):
        return link
    for row in rows.values():
        if row.pk == link.pk or (target is not None and row.replacement_id == link.pk):
            row.replacement = target
            row.save(update_fields=["replacement"])
            action = "link.replaced" if target else "link.replacement_ended"
            audit.record(by, action, row, at=at, replacement=target.public_id if target else "")
    return link


@transaction.atomic
def switch(link: Link, *, on: bool, by: User | None, at: datetime) -> Link:
    """Turn a link on or off; one that is off answers with a neutral page and counts nothing.

    Raises: Forbidden.
    """
    require_may(by)
    if Link.objects.filter(pk=link.pk, is_active=not on).update(is_active=on):
        link.refresh_from_db()
        audit.record(by, "link.switched_on" if on else "link.switched_off", link, at=at)
    return link


def require_may(by: User | None) -> None:
    """Let the product itself and people of partners' teams through, whose role their own door asks for, and of the staff those who
    keep links.

    Raises: Forbidden.
    """
    if by is not None and by.is_staff:
        policy.require(by, "manage_links")


def checked(facts: Facts, *, program: Program) -> Facts:
    """Return what a link of `program` is asked to say, as it is stored.

    Raises: BadLabel, DestinationNotAllowed, BadCampaign, BadUtm, UnknownUtm.
    """
    label = facts.label.strip()
    if not 1 <= len(label) <= LONGEST_LABEL:
        raise BadLabel
    destination = facts.destination_url.strip() or program.destination_url
    require_destination(destination, program=program)
    return with_changes(
        facts,
        label=label,
        destination_url=destination,
        campaign=campaign_of(facts.campaign),
        utm=utm_of(facts.utm),
    )


def vars_of(facts: Facts) -> dict[str, Any]:
    """Return facts by the names of a link's columns."""
    return {name: getattr(facts, name) for name in Facts.__dataclass_fields__}


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
    if len(url) > LONGEST_URL or leads_outside(url, hosts) or not _has_plain_host(url) or _is_own_link(url):
        raise DestinationNotAllowed(params={"hosts": ", ".join(sorted(hosts))})


def slug_words(text: str, *, longest: int = 24) -> str:
    """Return `text` in letters, digits and hyphens an address can hold, perhaps nothing."""
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode().lower()
    return re.sub(r"[^a-z0-9]+", "-", plain)[:longest].strip("-")


def random_word(length: int, *, alphabet: str = ALPHABET) -> str:
    """Return letters and digits that cannot be mistaken for each other."""
    return "".join(secrets.choice(alphabet) for _index in range(length))


def require_slug(slug: str) -> None:
    """Let a short address through that is written as one and is none of our own; none at all is fine.

    Raises: BadSlug, ReservedSlug.
    """
    if not slug:
        return
    try:
        slug_validator(slug)
    except ValidationError:
        raise BadSlug from None
    require_free_word(slug)


def _require_replacement(link: Link, target: Link | None, *, at: datetime) -> None:
    if target is None:
        raise OtherMembership
    if target.pk == link.pk or target.replacement_id is not None:
        raise InACircle
    if not target.is_active or (target.expires_at is not None and target.expires_at <= at):
        raise ReplacementOff


def _has_plain_host(url: str) -> bool:
    # Letters of other alphabets look like ours; a domain that has some is written in its ASCII form.
    return url.isascii() or (urlsplit(url).hostname or "").isascii()


def _is_own_link(url: str) -> bool:
    # A tracked link that leads to a tracked link would send its visitors round in circles.
    own, given = urlsplit(settings.SITE_URL), urlsplit(url)
    if given.hostname in getattr(settings, "LINK_HOSTS", ()):
        return True
    path = posixpath.normpath(f"/{unquote(given.path).lstrip('/')}")
    is_here = given.hostname == own.hostname and (given.port or _WEB) in {own.port or _WEB, *_DEFAULT_PORTS}
    return is_here and f"{path}/".startswith(("/r/", "/l/"))


def _free_slug(label: str) -> str:
    words = slug_words(label)
    return f"{words}-{random_word(5)}" if words else random_word(8)


def _create(membership: Membership, facts: Facts, *, slug: str, at: datetime) -> Link:
    try:
        with transaction.atomic():
            return Link.objects.create(membership=membership, slug=slug, **vars_of(facts), created_at=at)
    except IntegrityError:
        raise SlugTaken from None

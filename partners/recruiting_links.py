"""Links to a program page that say where an applicant came from: a post, a mail, a partner. Somebody who comes by a partner's own link was
introduced by that partner."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING
from urllib.parse import urlencode

from django.db import IntegrityError, transaction
from django.db.models import Count, Q, Sum
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from partners.choices import ApplicationState, Channel, MembershipState
from partners.mails import absolute
from partners.models import Application, Member, Membership, ProgramVisit, RecruitingLink
from prm import audit
from prm.accounts import policy
from prm.lib import ids
from prm.lib.errors import Refused
from tiers.models import Program

if TYPE_CHECKING:
    from prm.accounts.models import User

PARAMETER = "via"
KEY = re.compile(r"[A-Za-z0-9_-]{1,40}")
_WORD_LENGTH = 24


class NoName(Refused):
    message = _("Give the link a name, such as “LinkedIn, March”.")
    field = "name"


class UnknownChannel(Refused):
    message = _("Choose where the link is put.")
    field = "channel"


class KeyTaken(Refused):
    message = _("Another link of this program has this word.")
    field = "key"


class BadKey(Refused):
    message = _("The word may hold letters, digits, hyphens and underscores, up to 40 of them.")
    field = "key"


class AlreadyRetired(Refused):
    message = _("This link is out of use already.")


class NotOfTheTeam(Refused):
    message = _("Only people of the partner's team have this link.")


class NotActive(Refused):
    message = _("Only an active partner can introduce others.")


@dataclass(frozen=True)
class Counts:
    """What a link brought: applications that count, and how many of them were approved."""

    visits: int = 0
    applications: int = 0
    approved: int = 0


@transaction.atomic
def make(
    program: Program, *, name: str, channel: str, by: User, at: datetime, key: str = ""
) -> RecruitingLink:
    """Make a link of the house; without a `key` its word comes from its name.

    Raises: Forbidden, NoName, UnknownChannel, BadKey, KeyTaken.
    """
    policy.require(by, "manage_prospects")
    name, key = name.strip(), key.strip()
    if not name:
        raise NoName
    if channel not in Channel.values:
        raise UnknownChannel
    if key and not KEY.fullmatch(key):
        raise BadKey
    link = _store(program, key or _word(name), name=name, channel=channel, by=by, at=at, is_fixed=bool(key))
    audit.record(by, "recruiting_link.made", link, at=at, program=program.public_id, channel=channel)
    return link


@transaction.atomic
def retire(link: RecruitingLink, *, by: User, at: datetime) -> RecruitingLink:
    """Take a link out of use: the page still opens by it, but the source is no longer kept.

    Raises: Forbidden, AlreadyRetired.
    """
    policy.require(by, "manage_prospects")
    if not RecruitingLink.objects.filter(pk=link.pk, retired_at=None).update(retired_at=at):
        raise AlreadyRetired
    link.refresh_from_db()
    audit.record(by, "recruiting_link.retired", link, at=at)
    return link


def own_link(membership: Membership, *, by: User, at: datetime) -> RecruitingLink:
    """Return the link by which a partner introduces others, made when it is asked for first.

    Raises: NotOfTheTeam, NotActive.
    """
    team = Member.objects.current().filter(partner=membership.partner_id, user=by)
    if not (policy.may(by, "manage_prospects") or team.exists()):
        raise NotOfTheTeam
    if membership.state != MembershipState.ACTIVE or membership.ended_at is not None:
        raise NotActive
    living = RecruitingLink.objects.filter(membership=membership, retired_at=None).select_related("program")
    return living.first() or _make_own(membership, by=by, at=at)


def living(program: Program, key: str) -> RecruitingLink | None:
    """Return the link a word in an address means, None for unknown and retired ones, and for partners who are out."""
    if not KEY.fullmatch(key):
        return None
    found = RecruitingLink.objects.filter(program=program, key=key, retired_at=None)
    active = Q(membership=None) | Q(membership__state=MembershipState.ACTIVE, membership__ended_at=None)
    return found.filter(active).select_related("membership").first()


def address(link: RecruitingLink) -> str:
    """Return the whole address to put somewhere."""
    path = reverse("public:program", args=[link.program.slug])
    return f"{absolute(path)}?{urlencode({PARAMETER: link.key})}"


def counts_of(links: Iterable[RecruitingLink]) -> dict[int, Counts]:
    """Return what each link brought so far, by its id, in two queries."""
    wanted = list(links)
    pairs = {(link.program_id, link.key): link.pk for link in wanted}
    visits: dict[int, int] = {}
    opened = ProgramVisit.objects.filter(
        program__in={link.program_id for link in wanted}, source_key__in={link.key for link in wanted}
    )
    for program_id, key, total in opened.values_list("program_id", "source_key").annotate(Sum("count")):
        if (program_id, key) in pairs:
            visits[pairs[program_id, key]] = total
    sent = Application.objects.filter(source_link__in=wanted).counting().order_by()
    rows = sent.values("source_link").annotate(
        all=Count("pk"), approved=Count("pk", filter=Q(state=ApplicationState.APPROVED))
    )
    applied = {row["source_link"]: (row["all"], row["approved"]) for row in rows}
    return {link.pk: Counts(visits.get(link.pk, 0), *applied.get(link.pk, (0, 0))) for link in wanted}


def _make_own(membership: Membership, *, by: User, at: datetime) -> RecruitingLink:
    try:
        with transaction.atomic():
            link = RecruitingLink.objects.create(
                program=membership.program,
                key=ids.ulid()[-10:],  # the random end
                name=membership.partner.name[:80],
                channel=Channel.PARTNER,
                membership=membership,
                created_at=at,
                created_by=by,
            )
            audit.record(by, "recruiting_link.made", link, at=at, membership=membership.public_id)
    except IntegrityError:
        # A colleague asked for it in the same moment.
        return RecruitingLink.objects.select_related("program").get(membership=membership, retired_at=None)
    return link


def _store(
    program: Program, key: str, *, name: str, channel: str, by: User, at: datetime, is_fixed: bool
) -> RecruitingLink:
    taken = set(
        RecruitingLink.objects.filter(program=program, key__startswith=key).values_list("key", flat=True)
    )
    if key in taken and is_fixed:
        raise KeyTaken
    number, free = 2, key
    while free in taken:
        number, free = number + 1, f"{key}-{number}"
    try:
        with transaction.atomic():
            return RecruitingLink.objects.create(
                program=program, key=free, name=name[:80], channel=channel, created_at=at, created_by=by
            )
    except IntegrityError:
        raise KeyTaken from None


def _word(name: str) -> str:
    """Return a word for an address made from a name, something for any name."""
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    return re.sub(r"[^a-z0-9]+", "-", plain)[:_WORD_LENGTH].strip("-") or "link"

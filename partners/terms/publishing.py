"""Write terms and publish them. A version is published whole, and members hear of a change as many days before as it promises."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Any

from django.db import transaction
from django.db.models import Exists, OuterRef, QuerySet
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

from partners.choices import TermsState
from partners.events import TermsPublished
from partners.models import Membership, Placement, TermsVersion
from partners.terms.versions import SECTIONS, TEXTS, fingerprint, heading, published_for
from prm import audit
from prm.accounts import policy
from prm.lib import l10n
from prm.lib.errors import Refused
from prm.lib.events import announce
from prm.lib.periods import local_day
from tiers.models import Program, Tier

if TYPE_CHECKING:
    from django.utils.functional import Promise

    from prm.accounts.models import User

SETTINGS = ("notice_days", "accept_within_days", "asks_members", "consequence")


class IncompleteTerms(Refused):
    message = _("These sections of the terms are empty: %(sections)s.")


class AlreadyPublished(Refused):
    message = _("This version is published already; make a new one.")


class TooSoon(Refused):
    message = _("Members have to hear of it %(days)s days before. The first day it can be in force: %(day)s.")
    field = "effective_on"


class OutOfOrder(Refused):
    message = _("Another version is published for %(day)s. A newer one cannot be in force before it.")
    field = "effective_on"


class OtherTier(Refused):
    message = _("Choose a tier of this program that is in use.")
    field = "tier"


class EffectiveInThePast(Refused):
    message = _("Terms cannot be in force from a day that is over.")
    field = "effective_on"


@transaction.atomic
def draft(
    program: Program, *, sections: Mapping[str, Any], by: User, at: datetime, tier: Tier | None = None
) -> TermsVersion:
    """Make the next version of a program's terms; `sections` may hold texts and the settings of the version.

    With a `tier` they are its own, and the program's hold for the other tiers.

    Raises: Forbidden, OtherTier.
    """
    policy.require(by, "publish_terms")
    _refuse_tier(tier, program)
    newest = TermsVersion.objects.filter(program=program).order_by("-number").first()
    known = {name: sections[name] for name in (*TEXTS, *SETTINGS) if name in sections}
    number = newest.number + 1 if newest else 1
    version = TermsVersion.objects.create(program=program, tier=tier, number=number, **known)
    audit.record(by, "terms.drafted", version, at=at, tier=tier.key if tier else "")
    return version


@transaction.atomic
def draft_from_current(program: Program, *, by: User, at: datetime, tier: Tier | None = None) -> TermsVersion:
    """Make a draft that says what the newest published version says; an open draft is returned as it is.

    The first one of a tier says what the program's says.

    Raises: Forbidden, OtherTier.
    """
    policy.require(by, "publish_terms")
    open_one = TermsVersion.objects.filter(program=program, tier=tier, state=TermsState.DRAFT)
    found = open_one.order_by("-number").first()
    if found is not None:
        return found
    newest = published_for(program, tier).first() or published_for(program, None).first()
    said = {name: getattr(newest, name) for name in (*TEXTS, *SETTINGS)} if newest else {}
    return draft(program, sections=said, by=by, at=at, tier=tier)


@transaction.atomic
def edit(version: TermsVersion, *, values: Mapping[str, Any], by: User, at: datetime) -> TermsVersion:
    """Change texts and settings of a draft, and for which `tier` it is (None: for every tier without terms of its own).

    Raises: Forbidden, AlreadyPublished, OtherTier.
    """
    policy.require(by, "publish_terms")
    locked = _draft(version)
    if "tier" in values:
        _refuse_tier(values["tier"], locked.program)
    changed = [
        name
        for name in (*TEXTS, *SETTINGS, "tier")
        if name in values and getattr(locked, name) != values[name]
    ]
    for name in changed:
        setattr(locked, name, values[name])
    if changed:
        locked.save(update_fields=changed)
        audit.record(by, "terms.edited", locked, at=at, fields=sorted(changed))
    return locked


@transaction.atomic
def publish(version: TermsVersion, *, effective_at: datetime, by: User, at: datetime) -> TermsVersion:
    """Publish a draft so that it is what newcomers accept from `effective_at` on, and members are asked to accept.

    The first version is always asked for: nobody has accepted anything before it.

    Raises: Forbidden, AlreadyPublished, IncompleteTerms, TooSoon, OutOfOrder, EffectiveInThePast, OtherTier.
    """
    policy.require(by, "publish_terms")
    locked = _draft(version)
    _refuse_gaps(locked)
    refuse_date(locked, effective_at=effective_at, at=at)
    _refuse_tier(locked.tier, locked.program)
    if not published_for(locked.program, locked.tier_id).exists():
        locked.asks_members = True
    locked.state, locked.effective_at = TermsState.PUBLISHED, effective_at
    locked.published_at, locked.published_by = at, by
    locked.sha256 = fingerprint(locked)
    locked.save(
        update_fields=["state", "effective_at", "published_at", "published_by", "sha256", "asks_members"]
    )
    supersede(locked.program, at=at)
    audit.record(by, "terms.published", locked, at=at, effective_at=effective_at, fingerprint=locked.sha256)
    announce(TermsPublished(locked.pk))
    return locked


def refuse_date(version: TermsVersion, *, effective_at: datetime, at: datetime) -> None:
    """Refuse a date before which members would not have heard of the version in time.

    Raises: TooSoon, OutOfOrder, EffectiveInThePast.
    """
    zone = version.program.zone
    newest = published_for(version.program, version.tier_id).first()
    if newest is None and version.tier_id is None:
        return  # terms that were in force before this product was are brought in with their own date
    if local_day(effective_at, zone) < local_day(at, zone):
        raise EffectiveInThePast
    if newest is not None and newest.effective_at is not None and effective_at < newest.effective_at:
        raise OutOfOrder(params={"day": _day(local_day(newest.effective_at, zone))})
    has_members = _members(version).exists()
    first = local_day(at, zone) + timedelta(days=version.notice_days)
    if has_members and version.asks_members and local_day(effective_at, zone) < first:
        raise TooSoon(params={"days": version.notice_days, "day": _day(first)})


def supersede(program: Program, *, at: datetime) -> int:
    """Mark what is no longer in force, for the program and for each tier; a version dated ahead leaves the present one standing."""
    begun = TermsVersion.objects.filter(
        program=program, state=TermsState.PUBLISHED, effective_at__lte=at
    ).order_by("-effective_at", "-number")
    seen, over = set(), []
    for pk, tier_id in begun.values_list("pk", "tier"):
        if tier_id in seen:
            over.append(pk)
        seen.add(tier_id)
    return TermsVersion.objects.filter(pk__in=over).update(state=TermsState.SUPERSEDED) if over else 0


def empty_sections(version: TermsVersion) -> list[str | Promise]:
    """Return the mandatory sections that say nothing."""
    return [heading(name) for name in SECTIONS if not getattr(version, name).strip()]


def _members(version: TermsVersion) -> QuerySet[Membership]:
    """Return who would have to hear of a version: who stands in its tier, or all that live."""
    living = Membership.objects.filter(program=version.program, ended_at=None)
    if version.tier_id is None:
        return living
    return living.filter(
        Exists(Placement.objects.open().filter(membership=OuterRef("pk"), tier=version.tier_id))
    )


def _refuse_tier(tier: Tier | None, program: Program) -> None:
    if tier is not None and (tier.program_id != program.pk or tier.retired_at is not None):
        raise OtherTier


def _draft(version: TermsVersion) -> TermsVersion:
    locked = (
        TermsVersion.objects.select_for_update(of=("self",))
        .select_related("program", "tier")
        .get(pk=version.pk)
    )
    if locked.state != TermsState.DRAFT:
        raise AlreadyPublished
    return locked


def _refuse_gaps(version: TermsVersion) -> None:
    empty = empty_sections(version)
    if empty:
        raise IncompleteTerms(params={"sections": format_lazy("{}" + ", {}" * (len(empty) - 1), *empty)})


def _day(day: date) -> str:
    return l10n.date_text(day, l10n.active_locale(), "long")

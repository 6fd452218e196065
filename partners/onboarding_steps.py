"""Read how far memberships are with terms, profile and team. What accounts, taxes and links say is read by the apps that keep them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

from partners import profiles
from partners.checklists import Progress
from partners.choices import TermsState
from partners.models import Acceptance, Invitation, Member, Membership, Placement, TermsVersion


def terms(memberships: Sequence[Membership], at: datetime) -> Mapping[int, Progress]:
    """Return who accepted the newest terms its members are asked to accept; two queries.

    A third one reads who stands where, where tiers have terms of their own.
    """
    asked = _asked_versions({each.program_id for each in memberships}, at)
    ids = [each.pk for each in memberships]
    tiers: dict[int, int] = {}
    if any(tier_id is not None for _program_id, tier_id in asked):
        here = Placement.objects.in_force(at=at).filter(membership__in=ids)
        tiers = dict(here.values_list("membership", "tier"))
    accepted = {
        (membership_id, version_id): accepted_at
        for membership_id, version_id, accepted_at in Acceptance.objects.filter(
            membership__in=ids
        ).values_list("membership_id", "terms_version_id", "accepted_at")
    }
    found = {}
    for each in memberships:
        own = asked.get((each.program_id, tiers.get(each.pk)), [])
        versions = own or asked.get((each.program_id, None), [])
        when = next((accepted[each.pk, pk] for pk in versions if (each.pk, pk) in accepted), None)
        if not versions or when is not None:
            found[each.pk] = Progress(True, when)
        else:
            found[each.pk] = Progress(False, words=_("The newest terms wait for somebody of your team."))
    return found


def profile(memberships: Sequence[Membership], _at: datetime) -> Mapping[int, Progress]:
    """Return whose profile misses nothing; no query."""
    return {each.pk: _profile(each) for each in memberships}


def team(memberships: Sequence[Membership], _at: datetime) -> Mapping[int, Progress]:
    """Return who has a colleague in the team or has invited one; two queries."""
    partners = {each.partner_id for each in memberships}
    people: dict[int, list[datetime]] = {}
    for partner_id, joined_at in (
        Member.objects.current()
        .filter(partner__in=partners)
        .order_by("joined_at", "pk")
        .values_list("partner_id", "joined_at")
    ):
        people.setdefault(partner_id, []).append(joined_at)
    rows = Invitation.objects.filter(partner__in=partners, withdrawn_at=None).order_by("-invited_at", "-pk")
    invited = dict(rows.values_list("partner_id", "invited_at"))
    found = {}
    for each in memberships:
        here = people.get(each.partner_id, [])
        when = here[1] if len(here) > 1 else invited.get(each.partner_id)
        found[each.pk] = Progress(when is not None, when, _("So that not everything depends on one person."))
    return found


def _profile(membership: Membership) -> Progress:
    missing = profiles.missing(membership.partner)
    if not missing:
        return Progress(True)
    labels = [profiles.label_of(name) for name in missing]
    named = format_lazy("{}" + ", {}" * (len(labels) - 1), *labels)
    return Progress(False, words=format_lazy("{} {}", _("Still missing:"), named))


def _asked_versions(program_ids: set[int], at: datetime) -> dict[tuple[int, int | None], list[int]]:
    """Return the versions of which one has to be accepted, by program and tier (None: every tier without terms of its own): the newest
    that asks, and all since."""
    rows = (
        TermsVersion.objects.filter(program__in=program_ids, effective_at__lte=at)
        .exclude(state=TermsState.DRAFT)
        .order_by("-effective_at", "-number")
        .values_list("program_id", "tier_id", "pk", "asks_members")
    )
    found: dict[tuple[int, int | None], list[int]] = {}
    closed = set()
    for program_id, tier_id, pk, asks in rows:
        scope = (program_id, tier_id)
        if scope in closed:
            continue
        found.setdefault(scope, []).append(pk)
        if asks:
            closed.add(scope)
    return found

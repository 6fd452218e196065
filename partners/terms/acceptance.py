"""Who has accepted which terms, who still has to, and by when. Nobody accepts while a question of theirs about the text is open, and
while it is open no deadline runs."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, TypeVar

from django.db import transaction
from django.db.models import BigIntegerField, Exists, F, OuterRef, Q, QuerySet, Subquery, Value
from django.db.models.functions import Coalesce
from django.utils.translation import gettext_lazy as _

from partners import clause_questions
from partners.choices import TermsState
from partners.events import TermsAccepted
from partners.models import (
    Acceptance,
    Application,
    ClauseQuestion,
    Membership,
    Placement,
    TermsNotice,
    TermsVersion,
)
from partners.team import require_owner
from partners.terms.versions import published_for
from prm import audit
from prm.lib.errors import Refused
from prm.lib.events import announce

if TYPE_CHECKING:
    from prm.accounts.models import User

# For whom a version is: the id of a tier, 0 for everybody else.
_SCOPE = BigIntegerField()
Memberships = TypeVar("Memberships", bound=QuerySet[Membership])


class NotPublished(Refused):
    message = _("Only published terms can be accepted.")


class QuestionOpen(Refused):
    message = _(
        "A question of yours about these terms is open. Wait for the answer, or withdraw the question."
    )
    field = "terms"


class NotOffered(Refused):
    message = _("Other terms are to be accepted by now. Read them, and accept those.")
    field = "terms"


class MembershipOver(Refused):
    message = _("This membership has ended: there is nothing to accept.")


@dataclass(frozen=True)
class Waiting:
    """What a membership has to accept: the text, the version that made it necessary, and by when (None while the clock stands)."""

    version: TermsVersion
    because_of: TermsVersion
    deadline: datetime | None


@transaction.atomic
def accept(
    version: TermsVersion,
    *,
    name: str,
    email: str,
    at: datetime,
    application: Application | None = None,
    membership: Membership | None = None,
    person: User | None = None,
    address: str | None = None,
) -> Acceptance:
    """Record that a person accepted `version`; for an application, and for a membership, the first acceptance stands.

    Raises: NotPublished, QuestionOpen.
    """
    if version.state == TermsState.DRAFT:
        raise NotPublished
    asker = application or membership
    if asker is not None and clause_questions.open_of(asker).exists():
        raise QuestionOpen
    values = {
        "accepted_name": name,
        "accepted_email": email,
        "accepted_at": at,
        "person": person,
        "address": address,
        "text_sha256": version.sha256,
    }
    if application is not None:
        acceptance, _created = Acceptance.objects.get_or_create(
            terms_version=version, application=application, defaults={**values, "membership": membership}
        )
        return acceptance
    if membership is None:
        return Acceptance.objects.create(terms_version=version, **values)
    acceptance, _created = Acceptance.objects.get_or_create(
        terms_version=version, membership=membership, defaults=values
    )
    _settle(membership, version, at=at)
    return acceptance


@transaction.atomic
def agree(
    version: TermsVersion,
    *,
    membership: Membership,
    shown: str,
    by: User,
    at: datetime,
    address: str | None = None,
) -> Acceptance:
    """Accept, for a partner, the text that `shown` is the hash of; what was held back because of it goes on.

    Raises: NotYours, MembershipOver, NotOffered, NotPublished, QuestionOpen.
    """
    locked = Membership.objects.lock().select_related("program", "partner").get(pk=membership.pk)
    require_owner(locked.partner, by)
    if locked.ended_at is not None:
        raise MembershipOver
    if version.program_id != locked.program_id or shown != version.sha256:
        raise NotOffered
    asked = needs_acceptance(locked, at)
    if asked is None:
        known = Acceptance.objects.filter(membership=locked, terms_version=version).first()
        if known is None:
            raise NotOffered
        return known
    if asked != version:
        raise NotOffered
    acceptance = accept(
        version,
        name=by.get_full_name(),
        email=by.email,
        at=at,
        membership=locked,
        person=by,
        address=address,
    )
    audit.record(by, "terms.accepted", locked, at=at, version=version.public_id, fingerprint=version.sha256)
    return acceptance


def waiting_for(memberships: Memberships, *, at: datetime) -> Memberships:
    """Add to each membership what it is asked: `asked_from` and `asked_number` of the version, and whether it `has_accepted`.

    A tier that has terms of its own asks for those, any other for the program's. A version accepted later counts for every
    one before it that is for the same tier.
    """
    here = Placement.objects.in_force(at=at).filter(membership=OuterRef("pk"))
    newest = (
        TermsVersion.objects.filter(program=OuterRef("program"), asks_members=True)
        .filter(Q(tier=None) | Q(tier=OuterRef("stands_in")))
        .exclude(state=TermsState.DRAFT)
        .order_by(F("tier").desc(nulls_last=True), "-effective_at", "-number")
    )
    at_least = Q(terms_version__effective_at__gt=OuterRef("asked_from")) | Q(
        terms_version__effective_at=OuterRef("asked_from"),
        terms_version__number__gte=OuterRef("asked_number"),
    )
    accepted = Acceptance.objects.annotate(
        scope=Coalesce("terms_version__tier", Value(0), output_field=_SCOPE)
    ).filter(at_least, membership=OuterRef("pk"), scope=OuterRef("asked_scope"))
    asked: Memberships = memberships.annotate(stands_in=Subquery(here.values("tier")[:1])).annotate(
        asked_from=Subquery(newest.values("effective_at")[:1]),
        asked_number=Subquery(newest.values("number")[:1]),
        asked_scope=Coalesce(Subquery(newest.values("tier")[:1]), Value(0), output_field=_SCOPE),
    )
    return asked.annotate(has_accepted=Exists(accepted))


def needs_acceptance(membership: Membership, at: datetime) -> TermsVersion | None:
    """Return the text the membership has to accept, None when it has."""
    found = waits(membership, at)
    return found.version if found else None


def waits(membership: Membership, at: datetime) -> Waiting | None:
    """Return what the membership has to accept and by when, None when nothing."""
    asked = waiting_for(Membership.objects.filter(pk=membership.pk), at=at).get()
    begins, number = getattr(asked, "asked_from", None), getattr(asked, "asked_number", None)
    if begins is None or getattr(asked, "has_accepted", False):
        return None
    assert number is not None  # noqa: S101
    because_of = TermsVersion.objects.select_related("program").get(
        program=membership.program_id, number=number
    )
    versions = published_for(because_of.program, because_of.tier_id)
    current = versions.filter(effective_at__lte=at).first()
    # A correction that asks nobody may have come since: what is read is what is in force.
    later = current is not None and current.effective_at is not None and current.effective_at > begins
    version = current if later and current is not None else because_of
    return Waiting(version, because_of, deadline(because_of, membership))


def deadline(version: TermsVersion, membership: Membership) -> datetime | None:
    """Return until when the membership may accept `version` without the consequence; None while a question of its own is open.

    The days run from the latest of: in force, joined, told, and until it was told, placed in the tier it stands in. They
    stand still while an own question about the terms is open.
    """
    notices = TermsNotice.objects.filter(terms_version=version, membership=membership)
    told_at = notices.filter(settled_at=None).values_list("told_at", flat=True).first()
    if told_at is None:
        here = Placement.objects.open().filter(membership=membership)
        told_at = here.values_list("starts_at", flat=True).first()
    questions = ClauseQuestion.objects.filter(
        membership=membership, terms_version__program=version.program_id
    )
    return due(version, membership, told_at=told_at, questions=questions)


def due(
    version: TermsVersion,
    membership: Membership,
    *,
    told_at: datetime | None,
    questions: QuerySet[ClauseQuestion] | list[ClauseQuestion],
) -> datetime | None:
    """Return the deadline from what was read already."""
    begins = max(each for each in (version.effective_at, membership.joined_at, told_at) if each is not None)
    end = begins + timedelta(days=version.accept_within_days)
    stood = begins
    for question in sorted(questions, key=lambda each: each.asked_at):
        opened, closed = max(question.asked_at, stood), question.answered_at or question.withdrawn_at
        if opened >= end:
            break
        if closed is None:
            return None
        if closed > opened:
            end += closed - opened
            stood = closed
    return end


def _settle(membership: Membership, version: TermsVersion, *, at: datetime) -> None:
    """Note that what was asked is answered, and tell who held something back because it was not."""
    before = Q(terms_version__effective_at__lt=version.effective_at) | Q(
        terms_version__effective_at=version.effective_at, terms_version__number__lte=version.number
    )
    notices = TermsNotice.objects.filter(
        before, membership=membership, settled_at=None, terms_version__tier=version.tier_id
    )
    was_overdue = notices.filter(overdue_at__isnull=False).exists()
    TermsNotice.objects.filter(pk__in=list(notices.values_list("pk", flat=True))).update(settled_at=at)
    if was_overdue:
        announce(TermsAccepted(membership.pk))

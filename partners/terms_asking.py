"""Ask members to accept new terms, remind them, and carry out what was announced for those who do not. Nobody meets a consequence they
were not told of: the days run from the notice at the earliest, and accepting lifts it at once."""

from __future__ import annotations

from collections import defaultdict
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from django.db import transaction
from django.db.models import BigIntegerField, Exists, OuterRef, Q, QuerySet, Value
from django.db.models.functions import Coalesce

from partners import leaving, mails_terms, terms, terms_scope
from partners.choices import Consequence, MembershipState, SanctionReason, TermsState
from partners.events import TermsOverdue
from partners.models import Acceptance, ClauseQuestion, Membership, Suspension, TermsNotice, TermsVersion
from partners.terms.acceptance import due, waits
from partners.terms.publishing import supersede
from prm import audit
from prm.lib.events import announce
from tiers.models import Program

if TYPE_CHECKING:
    from prm.accounts.models import User

REMIND_BEFORE = timedelta(days=7)
SWEEP_SINCE = timedelta(days=7)
# For whom a version is: the id of a tier, 0 for everybody else.
_SCOPE = BigIntegerField()
LIVING = (MembershipState.ONBOARDING, MembershipState.ACTIVE, MembershipState.SUSPENDED)


def members_to_ask(version: TermsVersion, *, at: datetime) -> QuerySet[Membership]:
    """Return the living memberships `version` holds for that have not accepted it or a later one; for a draft these are all that live."""
    living = terms_scope.members_of(version, at=at).filter(state__in=LIVING, ended_at=None)
    living = living.select_related("partner", "program").order_by("pk")
    if version.state == TermsState.DRAFT or version.effective_at is None:
        return living
    later = Q(terms_version__effective_at__gt=version.effective_at) | Q(
        terms_version__effective_at=version.effective_at, terms_version__number__gte=version.number
    )
    accepted = Acceptance.objects.filter(later, terms_version__tier=version.tier_id)
    return living.exclude(Exists(accepted.filter(membership=OuterRef("pk"))))


def tell(version_id: int, *, at: datetime) -> int:
    """Write to all living members who have to accept a newly published version, each once; return how many were told."""
    version = _asking().filter(pk=version_id).select_related("program", "tier").first()
    if version is None:
        return 0
    count = _tell(version, at=at)
    done = TermsVersion.objects.filter(pk=version.pk, notice_sent_at=None).update(notice_sent_at=at)
    if done:
        audit.record(None, "terms.announced", version, at=at, memberships=count)
    return count


def sweep(*, at: datetime) -> int:
    """Tell of versions that bells missed; return how many members were told."""
    missed = _asking().filter(notice_sent_at=None, published_at__gt=at - SWEEP_SINCE).order_by("pk")
    return sum(tell(pk, at=at) for pk in list(missed.values_list("pk", flat=True)))


def keep(*, at: datetime) -> dict[str, int]:
    """Do what is due about terms: release who moved to a tier with others, tell who joined or came since, remind, and carry out
    consequences; return how many of each."""
    for program in Program.objects.filter(terms_versions__state=TermsState.PUBLISHED).distinct():
        supersede(program, at=at)
    terms_scope.release(at=at)
    told = sum(_tell(version, at=at) for version in _newest_asking())
    reminded = overdue = 0
    for notice, deadline in _running(at=at):
        if at >= deadline:
            overdue += carry_out(notice, at=at)
        elif at >= deadline - REMIND_BEFORE and notice.reminded_at is None:
            reminded += _remind(notice, deadline, at=at)
    return {"told": told, "reminded": reminded, "overdue": overdue}


def follow(membership_id: int, *, at: datetime) -> int:
    """Ask a membership for the terms of the tier it has come to, and release it from those of the one it left; return how often it was
    asked.
    """
    terms_scope.release(at=at, membership_id=membership_id)
    membership = Membership.objects.get(pk=membership_id)
    waiting = waits(membership, at)
    if waiting is None or waiting.because_of.notice_sent_at is None:
        return 0  # whoever tells everybody of a version tells this one too
    return _tell(waiting.because_of, at=at, membership_id=membership_id)


@transaction.atomic
def carry_out(notice: TermsNotice, *, at: datetime) -> bool:
    """Let the consequence of a version hold for a membership that did not accept it in time."""
    membership = Membership.objects.lock().select_related("partner", "program").get(pk=notice.membership_id)
    waiting = TermsNotice.objects.filter(pk=notice.pk, settled_at=None, overdue_at=None)
    # Asked under the same lock: a question that came in the meantime stops the clock.
    open_ones = ClauseQuestion.objects.filter(membership=membership, answered_at=None, withdrawn_at=None)
    if open_ones.exists():
        return False
    version = notice.terms_version
    if not terms_scope.members_of(version, at=at).filter(pk=membership.pk).exists():
        return False  # it moved to a tier with other terms in the meantime
    if membership.state not in LIVING or not waiting.update(overdue_at=at):
        return False
    audit.record(
        None,
        "terms.overdue",
        membership,
        at=at,
        version=version.public_id,
        consequence=version.consequence,
    )
    if version.consequence == Consequence.SUSPENDED and membership.state != MembershipState.SUSPENDED:
        leaving.suspend(membership, reason=SanctionReason.TERMS_NOT_ACCEPTED, by=None, at=at)
    announce(TermsOverdue(membership.pk))
    return True


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
    """Accept terms for a partner as `terms.agree` does, and lift the suspension that was there for want of it.

    Raises: NotYours, MembershipOver, NotOffered, NotPublished, QuestionOpen.
    """
    acceptance = terms.agree(version, membership=membership, shown=shown, by=by, at=at, address=address)
    suspended = Suspension.objects.filter(
        membership=membership, lifted_at=None, reason=SanctionReason.TERMS_NOT_ACCEPTED
    )
    if suspended.exists() and waits(membership, at) is None:
        leaving.reinstate(membership, by=None, at=at)
    return acceptance


def payments_wait() -> QuerySet[TermsNotice]:
    """Return the notices because of which a membership is not paid at the moment."""
    return TermsNotice.objects.filter(
        overdue_at__isnull=False,
        settled_at=None,
        membership__ended_at=None,
        terms_version__consequence=Consequence.PAYMENTS_WAIT,
    )


def changed_sections(version: TermsVersion) -> list[str]:
    """Return the keys of the sections that say something else than in the version before; nothing for the first."""
    before = _before(version, version.tier_id) or _before(version, None)
    return _differ(before, version) if before is not None else []


def _asking() -> QuerySet[TermsVersion]:
    return TermsVersion.objects.exclude(state=TermsState.DRAFT).filter(asks_members=True)


def _newest_asking() -> list[TermsVersion]:
    """Return the newest version of each program, and of each of its tiers, that asks members, once its members were told of it."""
    found: dict[tuple[int, int | None], TermsVersion] = {}
    versions = _asking().filter(notice_sent_at__isnull=False).select_related("program", "tier")
    for version in versions.order_by("effective_at", "number"):
        found[version.program_id, version.tier_id] = version
    return list(found.values())


def _tell(version: TermsVersion, *, at: datetime, membership_id: int | None = None) -> int:
    told = TermsNotice.objects.filter(terms_version=version, membership=OuterRef("pk"), settled_at=None)
    changed: list[str] | None = None
    count = 0
    members = members_to_ask(version, at=at).exclude(Exists(told))
    for membership in members if membership_id is None else members.filter(pk=membership_id):
        if changed is None:
            changed = changed_sections(version)
        count += _tell_one(version, membership, changed, at=at)
    return count


@transaction.atomic
def _tell_one(version: TermsVersion, membership: Membership, changed: list[str], *, at: datetime) -> bool:
    Membership.objects.lock().get(pk=membership.pk)
    # Asked again under the lock: somebody may have accepted, or moved it to another tier.
    if not members_to_ask(version, at=at).filter(pk=membership.pk).exists():
        return False
    notice, created = TermsNotice.objects.get_or_create(
        terms_version=version, membership=membership, defaults={"told_at": at}
    )
    if not created and not _again(notice, at=at):
        return False
    knows = _accepted_last(membership)
    if knows is None:
        changed = []
    elif knows.tier_id != version.tier_id:
        changed = _differ(knows, version)
    deadline = due(version, membership, told_at=at, questions=[])
    since = "" if created else at.isoformat()
    mails_terms.ask(version, membership, changed=changed, deadline=deadline, since=since)
    return True


def _again(notice: TermsNotice, *, at: datetime) -> bool:
    """Ask again who left a tier without accepting its terms and came back; all days run anew."""
    settled = TermsNotice.objects.filter(pk=notice.pk, settled_at__isnull=False)
    return bool(settled.update(settled_at=None, told_at=at, reminded_at=None, overdue_at=None))


def _accepted_last(membership: Membership) -> TermsVersion | None:
    found = Acceptance.objects.filter(membership=membership).select_related("terms_version")
    last = found.order_by("-accepted_at", "-pk").first()
    return last.terms_version if last is not None else None


def _before(version: TermsVersion, tier_id: int | None) -> TermsVersion | None:
    earlier = terms.published_for(version.program, tier_id).exclude(pk=version.pk)
    if version.effective_at is not None:
        earlier = earlier.filter(effective_at__lte=version.effective_at)
    return earlier.first()


def _differ(before: TermsVersion, after: TermsVersion) -> list[str]:
    return [each.key for each in terms.compare(before, after).changed]


@transaction.atomic
def _remind(notice: TermsNotice, deadline: datetime, *, at: datetime) -> bool:
    waiting = TermsNotice.objects.filter(pk=notice.pk, settled_at=None, reminded_at=None)
    if not waiting.update(reminded_at=at):
        return False
    mails_terms.ask(notice.terms_version, notice.membership, changed=[], deadline=deadline, again=True)
    return True


def _running(*, at: datetime) -> list[tuple[TermsNotice, datetime]]:
    """Return the notices whose days run, with their deadline; where a question is open, no deadline runs."""
    notices = TermsNotice.objects.annotate(
        scope=Coalesce("terms_version__tier", Value(0), output_field=_SCOPE)
    )
    open_ones = notices.filter(
        settled_at=None,
        overdue_at=None,
        membership__ended_at=None,
        membership__state__in=LIVING,
        terms_version__effective_at__lte=at + REMIND_BEFORE,
    ).exclude(Exists(_accepted_since(OuterRef("membership"))))
    rows = list(
        open_ones.select_related(
            "terms_version__program", "membership__partner", "membership__program"
        ).order_by("membership_id", "pk")
    )
    questions: dict[int, list[ClauseQuestion]] = defaultdict(list)
    asked = ClauseQuestion.objects.filter(membership__in={row.membership_id for row in rows})
    for question in asked:
        if question.membership_id is not None:
            questions[question.membership_id].append(question)
    found: list[tuple[TermsNotice, datetime]] = []
    for row in rows:
        deadline = due(
            row.terms_version, row.membership, told_at=row.told_at, questions=questions[row.membership_id]
        )
        if deadline is not None:
            found.append((row, deadline))
    return found


def _accepted_since(membership: OuterRef) -> QuerySet[Acceptance]:
    """Return acceptances of the version a notice is about, or of a later one."""
    later = Q(terms_version__effective_at__gt=OuterRef("terms_version__effective_at")) | Q(
        terms_version__effective_at=OuterRef("terms_version__effective_at"),
        terms_version__number__gte=OuterRef("terms_version__number"),
    )
    of_all = Acceptance.objects.annotate(scope=Coalesce("terms_version__tier", Value(0), output_field=_SCOPE))
    return of_all.filter(later, membership=membership, scope=OuterRef("scope"))

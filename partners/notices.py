"""Tell people what changes in a plan: members what no longer holds, what is new and from when on, owners what is proposed to them, and
staff what they answered. Each mailbox is told once, and a version remembers that its notice was given."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from django.db.models import Exists, OuterRef, QuerySet
from django.utils import translation
from django.utils.translation import gettext_lazy as _

from partners.mails import absolute, moment_text
from partners.models import Membership
from partners.readers import OWNERS, Reader, readers_of
from partners.standing import names_for, plan_of, standing_of
from prm import audit
from prm.mail import outbox
from tiers import audience
from tiers.choices import Grandfather
from tiers.models import PlanVersion
from tiers.rulebook import Rulebook

if TYPE_CHECKING:
    from prm.accounts.models import User

JUST_BEFORE = timedelta(microseconds=1)
SWEEP_SINCE = timedelta(days=7)  # a change of last month is no news


def tell_of_version(version_id: int, *, at: datetime) -> int:
    """Write to all active members whom a newly published version concerns, and return how many mailboxes that were.

    Who keeps an older version or has one of its own hears nothing. Calling again writes to nobody twice.
    """
    version = _untold().filter(pk=version_id).select_related("plan__program").first()
    if version is None or version.effective_at is None:
        return 0
    book = Rulebook.load([version.plan.program_id])
    members = Membership.objects.active().filter(program=version.plan.program, ended_at=None)
    count = 0
    for membership in members.select_related("partner", "program").order_by("pk"):
        count += _tell(membership, version, book)
    done = PlanVersion.objects.filter(pk=version.pk, notice_sent_at=None).update(notice_sent_at=at)
    if done:
        audit.record(None, "plan_version.announced", version, at=at, mails=count)
    return count


def sweep(*, at: datetime) -> int:
    """Tell what bells missed; return how many mailboxes were written to."""
    recent = _untold().filter(published_at__gt=at - SWEEP_SINCE).order_by("pk")
    return sum(tell_of_version(pk, at=at) for pk in list(recent.values_list("pk", flat=True)))


def _untold() -> QuerySet[PlanVersion]:
    """Return published versions for everybody that follow another one and that nobody was told of."""
    earlier = PlanVersion.objects.published().filter(
        plan=OuterRef("plan"), member_key="", effective_at__lt=OuterRef("effective_at")
    )
    published = PlanVersion.objects.published().of_program()
    return published.filter(Exists(earlier), notice_sent_at=None, effective_at__isnull=False)


def _tell(membership: Membership, version: PlanVersion, book: Rulebook) -> int:
    begins = version.effective_at
    if begins is None:
        return 0
    new = plan_of(membership, at=begins, book=book)
    old = plan_of(membership, at=begins - JUST_BEFORE, book=book)
    if new is None or old is None or new.version_id != version.pk:
        return 0
    standing = standing_of(membership, at=begins)
    readers, names = readers_of(membership.partner), names_for(membership)
    for reader in readers:
        with translation.override(reader.language):
            change = audience.change(
                old, new, standing, currency=membership.program.currency, locale=reader.locale, names=names
            )
        _write(membership, version, reader, change, begins)
    return len(readers)


def _write(
    membership: Membership,
    version: PlanVersion,
    reader: Reader,
    change: audience.Change,
    begins: datetime,
) -> None:
    _queue(
        "plan_changed",
        version,
        to=reader.email,
        language=reader.language,
        key=f"{version.public_id}:{membership.public_id}",
        name=reader.name,
        partner=membership.partner.name,
        program=membership.program.name,
        from_text=moment_text(begins, membership, reader.locale),
        before=change.before,
        after=change.after,
        customers_keep=version.grandfather == Grandfather.CUSTOMERS,
        button_text=_("See what you earn"),
        button_url=absolute("/portal/rates/"),
    )


def tell_of_proposal(version: PlanVersion, membership: Membership) -> None:
    """Write to the owners of the partner's team that own terms wait for their answer."""
    begins = version.effective_at
    if begins is None:
        return
    for reader in readers_of(membership.partner, OWNERS):
        _queue(
            "terms_proposed",
            version,
            to=reader.email,
            language=reader.language,
            key=f"{version.public_id}:{version.proposed_at}",
            name=reader.name,
            partner=membership.partner.name,
            program=membership.program.name,
            from_text=moment_text(begins, membership, reader.locale),
            button_text=_("Read the proposal"),
            button_url=absolute(f"/portal/proposals/{version.public_id}/"),
        )


def tell_of_answer(
    version: PlanVersion,
    membership: Membership,
    *,
    by: User,
    at: datetime,
    reason: str = "",
    to: User | None = None,
) -> None:
    """Write to whoever made a proposal that it was accepted, or with a `reason` that it was declined."""
    proposer, begins = to or version.proposed_by, version.effective_at
    if proposer is None:
        return
    locale = Reader(proposer.email, proposer.language, "").locale
    _queue(
        "proposal_answered",
        version,
        to=proposer.email,
        language=proposer.language,
        key=f"{version.public_id}:{at}",
        name=proposer.get_full_name(),
        person=by.get_full_name(),
        partner=membership.partner.name,
        program=membership.program.name,
        reason=reason,
        from_text=moment_text(begins, membership, locale) if begins else "",
        button_text=_("Open the version"),
        button_url=absolute(f"/admin/tiers/planversion/{version.pk}/change/"),
    )


def _queue(kind: str, version: PlanVersion, *, to: str, language: str, key: str, **context: Any) -> None:
    outbox.queue(
        kind,
        to=to,
        key=f"{kind}:{key}:{to.casefold()}",
        about=version.public_id,
        language=language,
        context=context,
    )

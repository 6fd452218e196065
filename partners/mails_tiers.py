"""Write the mails about tiers to the owners of a team: a rise, the notice of a fall with what is missing and until when, what became of it,
and what was decided by hand. Each is written once, in its reader's language, with one button to the page of the review."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Any

from django.urls import NoReverseMatch, reverse
from django.utils import translation
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from partners.choices import AppealState
from partners.mails import absolute, moment_text
from partners.mails_leaving import whom_to_write
from partners.readers import OWNERS, Reader, readers_of
from prm.lib import l10n
from prm.lib.periods import local_day
from prm.mail import outbox
from tiers.requirement_sentences import figure_text, sentence

if TYPE_CHECKING:
    from partners.models import Appeal, Membership, Placement, TierOverride, TierReview
    from tiers.qualify import Found

Values = Callable[[Reader], dict[str, Any]]


def review_url(case: TierReview) -> str:
    """Return the partner's page of a review."""
    try:
        return absolute(reverse("portal:tier_review", args=[case.public_id]))
    except NoReverseMatch:
        return absolute(reverse("portal:home"))


def risen(case: TierReview) -> int:
    """Say that a membership stands in a higher tier from now on."""
    return _of_case("tier_rise", case, lambda reader: {"from_text": _from(case, reader)})


def fall_noticed(case: TierReview, lacking: Iterable[Found]) -> int:
    """Say that a membership would fall: what is missing, until when it can be made up, and until when to object."""
    missing = list(lacking)

    def values(reader: Reader) -> dict[str, Any]:
        return {
            # Called while the message is written, in its reader's language.
            "missing": lambda: [_missing(each, case.membership, reader.locale) for each in missing],
            "grace_text": _last_day(case.grace_ends_at, case.membership, reader),
            "appeal_text": _last_day(case.appeal_ends_at, case.membership, reader),
        }

    return _of_case("tier_fall_notice", case, values)


def confirmed(case: TierReview) -> int:
    """Say that the tier is kept after all, with the reason where a person decided it."""
    return _of_case("tier_confirmed", case, lambda reader: {"note": case.note})


def fallen(case: TierReview) -> int:
    """Say that a membership stands in a lower tier from now on."""
    keeps = case.placement is not None and case.placement.keeps_customers
    until = case.placement.customers_keep_ends_at if case.placement is not None else None

    def values(reader: Reader) -> dict[str, Any]:
        return {
            "from_text": _from(case, reader),
            "keeps_customers": keeps,
            "keep_until_text": moment_text(until, case.membership, reader.locale) if until else "",
            "note": case.note,
        }

    return _of_case("tier_fall", case, values)


def appeal_received(appeal: Appeal, case: TierReview) -> int:
    """Confirm an appeal to the owners, and ask who looks after the partner for an answer."""
    manager = case.membership.partner.account_manager
    if manager is not None and manager.is_active:
        locale = l10n.reader_locale(manager.language)
        outbox.queue(
            "tier_appeal_waits",
            to=manager.email,
            key=f"tier_appeal_waits:{appeal.public_id}",
            about=case.public_id,
            language=manager.language,
            context={
                "name": manager.get_full_name(),
                "partner": case.membership.partner.name,
                "program": case.membership.program.name,
                "text": appeal.text,
                "answer_on": l10n.date_text(appeal.answer_on, locale, "long"),
                "button_text": gettext_lazy("Open the membership"),
                "button_url": absolute(
                    reverse("admin:partners_membership_change", args=[case.membership_id])
                ),
            },
        )
    return _of_case(
        "tier_appeal_received",
        case,
        lambda reader: {"answer_on": _day(appeal.answer_on, reader), "text": appeal.text},
    )


def appeal_answered(appeal: Appeal, case: TierReview) -> int:
    """Pass the answer to an appeal on."""
    return _of_case(
        "tier_appeal_answered",
        case,
        lambda reader: {
            "is_granted": appeal.state == AppealState.GRANTED,
            "answer": appeal.answer,
            "grace_text": _last_day(case.grace_ends_at, case.membership, reader),
        },
    )


def waived(waiver: TierOverride) -> int:
    """Say that the tier is kept until a day although it is not reached."""
    return _by_hand("tier_waived", waiver)


def overridden(override: TierOverride) -> int:
    """Say that a person decided the tier until a day."""
    return _by_hand("tier_by_hand", override)


def changed(placed: Placement, before: str) -> int:
    """Say that a person placed a membership in another tier, which the next review looks at as always."""
    membership, until = placed.membership, placed.customers_keep_ends_at

    def values(reader: Reader) -> dict[str, Any]:
        return {
            "before": before,
            "after": placed.tier.name,
            "from_text": moment_text(placed.starts_at, membership, reader.locale),
            "keeps_customers": placed.keeps_customers,
            "keep_until_text": moment_text(until, membership, reader.locale) if until else "",
            "reason": placed.because,
            "button_text": gettext_lazy("Open the portal"),
        }

    return _tell("tier_changed", membership, str(placed.pk), absolute(reverse("portal:home")), values)


def _by_hand(kind: str, row: TierOverride) -> int:
    membership = row.membership

    def values(reader: Reader) -> dict[str, Any]:
        return {
            "tier": row.tier.name,
            "reason": row.reason,
            "until_text": _last_day(row.expires_at, membership, reader),
        }

    url = review_url(row.review) if row.review is not None else absolute(reverse("portal:home"))
    return _tell(kind, membership, row.public_id, url, values)


def _of_case(kind: str, case: TierReview, values: Values) -> int:
    def all_values(reader: Reader) -> dict[str, Any]:
        return {"before": case.from_tier.name, "after": case.to_tier.name, **values(reader)}

    return _tell(kind, case.membership, case.public_id, review_url(case), all_values)


def _tell(kind: str, membership: Membership, key: str, url: str, values: Values) -> int:
    readers = readers_of(membership.partner, OWNERS)
    for reader in readers:
        outbox.queue(
            kind,
            to=reader.email,
            key=f"{kind}:{key}:{reader.email.casefold()}",
            about=membership.public_id,
            language=reader.language,
            context={
                "name": reader.name,
                "partner": membership.partner.name,
                "program": membership.program.name,
                "contact": whom_to_write(membership),
                "button_text": gettext_lazy("Open the review"),
                "button_url": url,
                **values(reader),
            },
        )
    return len(readers)


def _missing(found: Found, membership: Membership, locale: str) -> str:
    """Return one requirement with the figure and what is missing to it."""
    program, question = membership.program, found.requirement.question
    said = {"requirement": sentence(found.requirement, program, locale)}
    if found.figure.value is None or found.gap is None:
        return _("%(requirement)s: nothing is known about it yet.") % said
    said["figure"] = figure_text(question, found.figure.value, program.currency, locale)
    said["gap"] = figure_text(question, found.gap, program.currency, locale, is_gap=True)
    if found.requirement.operator == "at_most":
        return _("%(requirement)s: it stands at %(figure)s, which is %(gap)s too much.") % said
    return _("%(requirement)s: it stands at %(figure)s, %(gap)s is missing.") % said


def _from(case: TierReview, reader: Reader) -> str:
    return moment_text(case.effective_at, case.membership, reader.locale) if case.effective_at else ""


def _last_day(ends_at: datetime | None, membership: Membership, reader: Reader) -> str:
    """Return the last day that still counts, of a time that ends with a day."""
    if ends_at is None:
        return ""
    return _day(local_day(ends_at - timedelta(microseconds=1), membership.program.zone), reader)


def _day(day: date, reader: Reader) -> str:
    with translation.override(reader.language):
        return l10n.date_text(day, reader.locale, "long")

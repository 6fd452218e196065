"""Correct who is credited for an event, when the rule's answer was wrong. What was credited before is superseded and stays on record;
the event's refunds and chargebacks follow, and commission follows them.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from typing import NamedTuple

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from partners.intervals import gaps_of
from partners.models import Membership
from partners.own_team import refuse_own
from prm import audit
from prm.accounts import policy
from prm.accounts.models import User
from prm.lib.errors import Refused
from prm.lib.events import announce
from referrals import marks, refunds
from referrals.attribution import record
from referrals.attribution.apply import OtherCurrency
from referrals.attribution.members import earner
from referrals.choices import ConversionState, CreditReason, CreditRole
from referrals.events import ConversionsAttributed
from referrals.models import Conversion, Credit

SMALLEST = Decimal("0.000001")  # what the share's column holds


class Share(NamedTuple):
    """Who is to be credited: a membership, its share as a fraction of one, and the part it had in the event."""

    membership: Membership
    share: Decimal
    role: str = CreditRole.SOURCED


class FollowsItsSale(Refused):
    """A refund that names its sale is credited as the sale is."""

    message = _("This is credited as the event it names: correct %(original)s instead.")


class DeclinedEvent(Refused):
    """An event that was declined counts nowhere."""

    message = _("This event was declined and is credited to nobody.")


class NoReasonGiven(Refused):
    """A correction needs a reason."""

    message = _("Say why this is corrected: the partners may ask.")
    field = "reason"


class NothingChanges(Refused):
    """The credits asked for are those that stand."""

    message = _("This is who is credited now: nothing would change.")


class CreditedTwice(Refused):
    """A membership is named more than once."""

    message = _("%(partner)s is named twice: give each partner one share and one role.")


class BadShare(Refused):
    """A share is no fraction of one with six decimals."""

    message = _(
        "The share of %(partner)s must be more than 0 and at most 100 %%, with at most four decimals."
    )


class SharesNotWhole(Refused):
    """The shares of those who are not only assisting do not make up the event."""

    message = _("The shares add up to %(sum)s %%: those of all who did not only assist must come to 100 %%.")


class OtherProgram(Refused):
    """A membership is of another program than the event counts in."""

    message = _("%(partner)s is credited in %(program)s, but this event counts in %(expected)s.")


class NotEarningThen(Refused):
    """A membership did not earn at the time of the event."""

    message = _("%(partner)s was not an active member of %(program)s when this happened.")


@transaction.atomic
def correct(
    conversion: Conversion, *, credits: Sequence[Share], by: User, reason: str, at: datetime
) -> list[Credit]:
    """Credit `conversion` as `credits` say instead of as it is credited now, and its refunds with it; nobody, when there are none.

    Raises: Forbidden, NoReasonGiven, FollowsItsSale, DeclinedEvent, CreditedTwice, BadShare, SharesNotWhole, OtherProgram,
        OwnTeam, OtherCurrency, NotEarningThen, NothingChanges.
    """
    held = Conversion.objects.lock().get(pk=conversion.pk)
    check(held, credits=credits, by=by, reason=reason)
    follow = Conversion.objects.filter(original=held).exclude(state=ConversionState.REJECTED)
    moves = list(follow.values_list("pk", flat=True))
    replaced = Credit.objects.standing().filter(conversion__in=[held.pk, *moves])
    rows = list(replaced.lock().select_related("membership"))
    before = [credit for credit in rows if credit.conversion_id == held.pk]
    marks.mark_conversions([held.pk, *moves])
    Credit.objects.filter(pk__in=[credit.pk for credit in rows]).update(superseded_at=at)
    made = Credit.objects.bulk_create(_new(held, share, before, at=at) for share in credits)
    refunds.copy_credits(dict.fromkeys(moves, held.pk), at=at)
    marks.mark_conversions([held.pk, *moves])
    record.by_hand(
        held,
        {share.membership.pk: (f"{share.share:.6f}", str(share.role)) for share in credits},
        program=credits[0].membership.program_id if credits else None,
        reason=reason.strip(),
        by=by.pk,
        at=at,
    )
    audit.record(
        by,
        "conversion.credits_corrected",
        held,
        at=at,
        note=reason.strip(),
        before=[_told(credit.membership, credit.share, credit.role) for credit in before],
        after=[_told(*share) for share in credits],
    )
    announce(ConversionsAttributed(tuple(sorted([held.pk, *moves]))))
    return made


def check(conversion: Conversion, *, credits: Sequence[Share], by: User, reason: str) -> None:
    """Say whether `correct` would do this, without doing it.

    Raises: as `correct` does.
    """
    policy.require(by, "correct_credits")
    if not reason.strip():
        raise NoReasonGiven
    if conversion.original_external_id:
        raise FollowsItsSale(params={"original": conversion.original_external_id})
    if conversion.state == ConversionState.REJECTED:
        raise DeclinedEvent
    _check_shares(credits)
    expected = program_of(conversion)
    for share in credits:
        refuse_own(share.membership.partner_id, by)
        _check_membership(conversion, share.membership, expected)
        expected = expected or share.membership.program_id
    standing = conversion.credits.filter(superseded_at=None).values_list("membership", "share", "role")
    if sorted(standing) == sorted((share.membership.pk, share.share, share.role) for share in credits):
        raise NothingChanges


def standing(conversion: Conversion) -> list[Share]:
    """Return who is credited now, in the order amounts are split in."""
    rows = Credit.objects.standing().filter(conversion=conversion).order_by("pk")
    rows = rows.select_related("membership__partner", "membership__program")
    return [Share(row.membership, row.share, row.role) for row in rows]


def is_correctable(conversion: Conversion) -> bool:
    """Say whether the event is credited by itself: it names no other one and was not declined."""
    return not conversion.original_external_id and conversion.state != ConversionState.REJECTED


def program_of(conversion: Conversion) -> int | None:
    """Return the program the event counts in by whoever was credited first; an event nobody brought counts in none."""
    return conversion.credits.order_by("pk").values_list("membership__program", flat=True).first()


def _check_shares(credits: Sequence[Share]) -> None:
    seen = set()
    for membership, share, _role in credits:
        named: dict[str, object] = {"partner": membership.partner.name}
        if membership.pk in seen:
            raise CreditedTwice(params=named)
        seen.add(membership.pk)
        if not 0 < share <= 1 or share != share.quantize(SMALLEST):
            raise BadShare(params=named)
    total = sum((share.share for share in credits if share.role != CreditRole.ASSISTED), Decimal(0))
    if credits and total != 1:
        raise SharesNotWhole(params={"sum": f"{total * 100:f}"})


def _check_membership(conversion: Conversion, membership: Membership, expected: int | None) -> None:
    program = membership.program
    named: dict[str, object] = {"partner": membership.partner.name, "program": program.name}
    if expected is not None and program.pk != expected:
        name = type(program)._default_manager.get(pk=expected).name
        raise OtherProgram(params={**named, "expected": name})
    if program.currency != conversion.currency:
        raise OtherCurrency(params={"given": conversion.currency, "expected": program.currency})
    gaps = gaps_of([membership.pk]).get(membership.pk, ())
    who = earner(
        membership.pk, membership.state, membership.ended_at, gaps=gaps, joined_at=membership.joined_at
    )
    if not who.earns(conversion.occurred_at):
        raise NotEarningThen(params=named)


def _new(conversion: Conversion, share: Share, before: Sequence[Credit], *, at: datetime) -> Credit:
    """Return a credit; one that was credited before keeps the code or link it came by."""
    known = next((credit for credit in before if credit.membership_id == share.membership.pk), None)
    return Credit(
        conversion=conversion,
        membership=share.membership,
        role=share.role,
        share=share.share,
        reason=CreditReason.CORRECTED,
        code_id=known.code_id if known else None,
        click_id=known.click_id if known else None,
        touch_id=known.touch_id if known else None,
        referral_id=known.referral_id if known else None,
        occurred_at=conversion.occurred_at,
        attributed_at=at,
    )


def _told(membership: Membership, share: Decimal, role: str) -> dict[str, str]:
    return {"membership": membership.public_id, "share": f"{share:f}", "role": str(role)}

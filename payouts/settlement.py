"""What happens to the money of a membership that is suspended or ends: said beforehand from the books, and done. Nothing that was earned is
lost by leaving; only who is suspended or banned waits, and after a ban finance has the last word."""

from __future__ import annotations

from collections.abc import Collection
from datetime import date, datetime, timedelta

from django.db import models
from django.utils.translation import gettext as _
from django.utils.translation import override

from partners.choices import EndingKind, MembershipState
from partners.leaving import SUSPENDED
from partners.models import Membership, Suspension
from payouts import ledger, pauses
from payouts.choices import AccountKind, CommissionState, PauseCause
from payouts.models import Account, Commission, Pause, PaymentMethod
from prm.lib import l10n
from prm.lib.money import Money
from prm.lib.periods import local_day
from prm.mail import outbox

DECIDE_WITHIN = timedelta(days=14)
_WAITING = (CommissionState.ON_HOLD, CommissionState.PAUSED, CommissionState.IN_REVIEW)


def stopped(membership_ids: Collection[int]) -> set[int]:
    """Return which of these memberships are paid nothing now: suspended ones, also when they have ended since, and banned ones about
    which finance has not decided."""
    found = Membership.objects.filter(pk__in=membership_ids).filter(_stopped())
    return set(found.values_list("pk", flat=True))


def _stopped() -> models.Q:
    mine = models.OuterRef("pk")
    is_suspended = models.Exists(Suspension.objects.filter(membership=mine, lifted_at=None))
    # Finance lets the money of a banned partner go by ending the pause that the ban made.
    decided = Pause.objects.of_payments().filter(
        membership=mine, cause=PauseCause.RISK, ended_at__gte=models.OuterRef("ended_at")
    )
    return (
        models.Q(state=MembershipState.SUSPENDED)
        | models.Q(is_suspended)
        | models.Q(state=MembershipState.BANNED) & ~models.Q(models.Exists(decided))
    )


def hold_for_finance(*, at: datetime, membership_id: int | None = None) -> int:
    """Pause the payments of banned memberships until finance has decided, and return how many were not paused yet."""
    wanted = Membership.objects.filter(state=MembershipState.BANNED, ended_at__isnull=False)
    if membership_id is not None:
        wanted = wanted.filter(pk=membership_id)
    asked = Pause.objects.of_payments().filter(membership=models.OuterRef("pk"), cause=PauseCause.RISK)
    asked = asked.filter(models.Q(ended_at=None) | models.Q(ended_at__gte=models.OuterRef("ended_at")))
    count = 0
    for membership in (
        wanted.exclude(models.Exists(asked)).select_related("partner", "program").order_by("pk")
    ):
        count += _pause(membership, at=at)
    return count


def _pause(membership: Membership, *, at: datetime) -> int:
    with override(membership.partner.language):
        reason = _("The membership was ended for a breach of the terms. Finance decides what is paid.")
    try:
        # The mail about the ban has said so.
        with outbox.quiet():
            pauses.pause_payments(
                membership,
                cause=PauseCause.RISK,
                reason=reason,
                review_on=review_day(membership, at=at),
                by=None,
                at=at,
            )
    except pauses.PausedAlready:
        return 0
    return 1


def review_day(membership: Membership, *, at: datetime) -> date:
    """Return the day by which finance decides after a ban."""
    return local_day(at + DECIDE_WITHIN, membership.program.zone)


def sentences(membership: Membership, what: str, at: datetime) -> list[str]:
    """Say what happens to the money of a membership when it is suspended, or ends in the way `what` names."""
    balances = _balances(membership)
    pending, payable, on_its_way = (
        balances.get(kind, Money(0, membership.program.currency))
        for kind in (AccountKind.PENDING, AccountKind.PAYABLE, AccountKind.IN_PAYMENT)
    )
    said = _of_holds(membership, pending)
    if what == EndingKind.BANNED:
        said += _of_a_ban(membership, payable, at=at)
    elif what == SUSPENDED:
        said += _of_a_suspension(payable)
    else:
        said += _of_the_last_payment(membership, payable)
    if on_its_way.minor:
        said.append(_("%(amount)s is on its way already and arrives as announced.") % _amount(on_its_way))
    if (pending + payable).minor < 0 and what != SUSPENDED:
        said.append(
            _(
                "The balance of %(amount)s is less than nothing: it stays on the account, and we may ask for it back."
            )
            % _amount(pending + payable)
        )
    if not said:
        said.append(_("Nothing is owed now, in either direction."))
    said.append(_("When an order is refunded later, its commission is taken back as before."))
    return said


def _of_holds(membership: Membership, pending: Money) -> list[str]:
    if pending.minor <= 0:
        return []
    lines = Commission.objects.filter(membership=membership, state__in=_WAITING)
    last = lines.aggregate(last=models.Max("payable_at"))["last"]
    if last is None:
        return [_("%(amount)s is on hold and becomes ready to pay when its hold ends.") % _amount(pending)]
    day = l10n.date_text(local_day(last, membership.program.zone), l10n.active_locale(), "long")
    return [
        _("%(amount)s is on hold; the last of it becomes ready to pay on %(day)s.")
        % {**_amount(pending), "day": day}
    ]


def _of_the_last_payment(membership: Membership, payable: Money) -> list[str]:
    said = []
    minimum = membership.program.minimum_payout
    if payable.minor > 0:
        said.append(_("%(amount)s is ready to pay.") % _amount(payable))
    if payable.minor > 0 or _has_holds(membership):
        text = _(
            "Everything is paid on the usual payment days, also what is less than the minimum of %(amount)s."
        )
        said.append(text % _amount(minimum))
        if not _has_method(membership):
            said.append(_("No bank account is known yet: it can still be added after the end."))
    if Suspension.objects.filter(membership=membership, lifted_at=None).exists():
        said.append(
            _(
                "The membership is suspended: payments wait until the suspension is lifted, also after the end."
            )
        )
    return said


def _of_a_suspension(payable: Money) -> list[str]:
    said = []
    if payable.minor > 0:
        said.append(_("%(amount)s is ready to pay.") % _amount(payable))
    said.append(_("Nothing is paid while the suspension lasts. When it is lifted, everything is paid."))
    return said


def _of_a_ban(membership: Membership, payable: Money, *, at: datetime) -> list[str]:
    said = []
    if payable.minor > 0:
        said.append(_("%(amount)s is ready to pay.") % _amount(payable))
    day = l10n.date_text(review_day(membership, at=at), l10n.active_locale(), "long")
    said.append(_("Nothing is paid until finance has decided, by %(day)s.") % {"day": day})
    return said


def _balances(membership: Membership) -> dict[str, Money]:
    accounts = Account.objects.filter(membership=membership, currency=membership.program.currency)
    kinds = (AccountKind.PENDING, AccountKind.PAYABLE, AccountKind.IN_PAYMENT)
    return {account.kind: ledger.balance(account) for account in accounts.filter(kind__in=kinds)}


def _has_holds(membership: Membership) -> bool:
    return Commission.objects.filter(membership=membership, state__in=_WAITING).exists()


def _has_method(membership: Membership) -> bool:
    methods = PaymentMethod.objects.current().filter(partner=membership.partner_id)
    return methods.filter(currency=membership.program.currency).exists()


def _amount(amount: Money) -> dict[str, str]:
    return {"amount": l10n.money_text(amount, l10n.active_locale())}

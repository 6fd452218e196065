"""End a case: cleared, its lines go on with the dates they had; or confirmed, what was earned by the conversions chosen is taken back through the engine
and a sanction may follow. Each case is decided once, and the partner reads how."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING

from django.db import transaction

from partners import leaving
from partners.choices import SanctionReason
from payouts import reconcile
from payouts.choices import RiskCaseState, RiskKind, RiskSanction
from payouts.models import RiskCase
from payouts.risk import lines, notices
from payouts.risk.common import (
    LONGEST_OUTCOME,
    OPEN,
    CaseDecided,
    NoOutcome,
    NotInTheCase,
    UnknownSanction,
    lock,
    one_line,
    require_decider,
)
from prm import audit
from prm.accounts import policy
from referrals import ownership
from referrals.attribution import correct as correcting
from referrals.attribution.correct import SMALLEST, Share
from referrals.choices import CreditRole
from referrals.models import Conversion, Referral

if TYPE_CHECKING:
    from django.db.models import QuerySet

    from prm.accounts.models import User

_TRAFFIC = frozenset({RiskKind.CLICK_FLOOD, RiskKind.BOT_SHARE, RiskKind.VELOCITY, RiskKind.TOO_SOON})


@transaction.atomic
def clear(case: RiskCase, *, outcome: str, by: User, at: datetime) -> RiskCase:
    """Decide that nothing is wrong: every line goes on with its promised date, and the partner is told.

    Raises: Forbidden, OwnTeam, NoOutcome, CaseDecided.
    """
    text = one_line(outcome, NoOutcome, most=LONGEST_OUTCOME)
    membership = lock(case.membership_id)
    require_decider(membership.partner_id, by)
    _decide(case, RiskCaseState.CLEARED, outcome=text, by=by, at=at)
    resumed = lines.resume_all(case, outcome=text, by=by, at=at)
    audit.record(by, "risk_case.cleared", case, at=at, note=text, lines=resumed)
    notices.tell_decided(case)
    return case


def confirm(
    case: RiskCase,
    *,
    outcome: str,
    sanction: str = RiskSanction.NONE,
    conversions: Collection[Conversion],
    by: User,
    at: datetime,
) -> RiskCase:
    """Decide that something is wrong: the partner loses the credit of the conversions chosen, the rest of its lines go on, a sanction may follow.

    What is taken away is reversed by the engine at once; should that be interrupted, the monitor carries it out.

    Customers it owns because of them are nobody's from then on.

    Raises: Forbidden, OwnTeam, NoOutcome, UnknownSanction, CaseDecided, NotInTheCase, and what a correction or a sanction is refused for.
    """
    text = one_line(outcome, NoOutcome, most=LONGEST_OUTCOME)
    if sanction not in RiskSanction.values:
        raise UnknownSanction
    case = _confirm(case, text, sanction, {each.pk for each in conversions}, by=by, at=at)
    settle(case, at=at)
    return case


@transaction.atomic
def _confirm(
    case: RiskCase, outcome: str, sanction: str, chosen: set[int], *, by: User, at: datetime
) -> RiskCase:
    membership = lock(case.membership_id)
    require_decider(membership.partner_id, by)
    policy.require(by, "correct_credits")
    _decide(case, RiskCaseState.CONFIRMED, outcome=outcome, by=by, at=at, sanction=sanction)
    wanted = list(takeable(case).filter(pk__in=chosen).order_by("pk"))
    if len(wanted) != len(chosen):
        raise NotInTheCase
    kinds = set(case.signals.values_list("kind", flat=True))
    why = "self_referral" if kinds == {RiskKind.SELF_REFERRAL.value} else "fraud"
    for conversion in Conversion.objects.lock().filter(pk__in=chosen):
        # Under its lock, so that nobody is credited again who lost it meanwhile.
        rest = without(conversion, membership.pk)
        correcting.correct(conversion, credits=rest, by=by, reason=f"{why}: {case.public_id}", at=at)
    # What these orders made the partner's must not earn it anything later either.
    for brought in (
        Referral.objects.open().filter(membership=membership, conversion__in=chosen).order_by("pk")
    ):
        ownership.end(brought, reason=f"{why}: {case.public_id}", by=by, at=at)
    followers = Conversion.objects.filter(original__in=chosen).values_list("pk", flat=True)
    resumed = lines.resume_all(case, outcome=outcome, by=by, at=at, but={*chosen, *followers})
    audit.record(
        by, "risk_case.confirmed", case, at=at, note=outcome, sanction=sanction, conversions=len(wanted),
        resumed=resumed,
    )  # fmt: skip
    notices.tell_decided(case, taken=len(wanted))
    _carry_out(case, kinds, by=by, at=at)
    return case


def settle(case: RiskCase, *, at: datetime) -> int:
    """Reverse what a confirmed case took away, then let the lines concerned go on, so that they and their reversals cancel out.

    Safe to repeat: return how many lines went on.
    """
    listed = set(case.lines.values_list("commission__conversion_id", flat=True))
    named = set(case.signals.values_list("conversion_id", flat=True))
    reconcile.reconcile_superseded(sorted((listed | named) - {None}), at=at)
    with transaction.atomic():
        lock(case.membership_id)
        return lines.resume_all(case, outcome=case.outcome, by=None, at=at)


def takeable(case: RiskCase) -> QuerySet[Conversion]:
    """Return the conversions of a case whose credit the partner can lose: sales and the like, not the refunds that follow them."""
    concerned = lines.concerned(case.membership_id, case.signals.all())
    named = case.signals.filter(conversion__isnull=False).values("conversion")
    found = Conversion.objects.filter(original_external_id="").filter(
        credits__membership=case.membership_id, credits__superseded_at=None
    )
    mine = found.filter(pk__in=concerned.values("conversion")) | found.filter(pk__in=named)
    listed = found.filter(pk__in=case.lines.values("commission__conversion"))
    return (mine | listed).distinct()


def without(conversion: Conversion, membership_id: int) -> list[Share]:
    """Return who stays credited when one membership is not: the others share the whole in the proportion they had."""
    others = [each for each in correcting.standing(conversion) if each.membership.pk != membership_id]
    parted = [each for each in others if each.role != CreditRole.ASSISTED]
    if not parted:
        return []
    whole = int(1 / SMALLEST)
    total = sum((each.share for each in parted), Decimal(0))
    parts = [int(each.share * whole / total) for each in parted]
    for place in range(whole - sum(parts)):
        parts[place % len(parts)] += 1
    shares = {each.membership.pk: part * SMALLEST for each, part in zip(parted, parts, strict=True)}
    return [each._replace(share=shares.get(each.membership.pk, each.share)) for each in others]


def _decide(
    case: RiskCase, state: RiskCaseState, *, outcome: str, by: User, at: datetime, sanction: str = ""
) -> None:
    """Move an open case to its end.

    Raises: CaseDecided.
    """
    moved = RiskCase.objects.filter(pk=case.pk, state__in=OPEN).update(
        state=state, outcome=outcome, decided_at=at, decided_by=by, sanction=sanction
    )
    if not moved:
        raise CaseDecided
    case.refresh_from_db()


def _carry_out(case: RiskCase, kinds: Collection[str], *, by: User, at: datetime) -> None:
    """Suspend or ban, as the sanction says; a warning is part of the mail about the decision."""
    reason = SanctionReason.FAKE_TRAFFIC if _all_traffic(list(kinds)) else SanctionReason.FRAUD
    if case.sanction == RiskSanction.SUSPENSION:
        leaving.suspend(case.membership, reason=reason, note=case.outcome, by=by, at=at)
    elif case.sanction == RiskSanction.BAN:
        leaving.ban(case.membership, reason=reason, note=case.outcome, by=by, at=at)


def _all_traffic(kinds: Sequence[str]) -> bool:
    return bool(kinds) and set(kinds) <= _TRAFFIC

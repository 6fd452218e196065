"""Keep who brought which customer, in a program at a time. A customer has one owner at a time in a program, from the first event that was
credited until staff give it to somebody else; an owner holds after the instant it began and up to the instant it ended.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import datetime, timedelta, tzinfo
from typing import Literal, NamedTuple

from django.db import IntegrityError, transaction
from django.db.models import DateTimeField, Value
from django.db.models.functions import Greatest
from django.utils.translation import gettext_lazy as _

from partners.choices import MembershipState
from partners.models import Membership
from partners.own_team import refuse_own
from prm import audit
from prm.accounts import policy
from prm.accounts.models import User
from prm.lib.errors import Refused
from referrals.attribution_versions import settings_at
from referrals.choices import ReferralCause
from referrals.models import Customer, Referral
from tiers.engine.windows import anniversary
from tiers.models import Program

Window = Literal["rest", "new"]
"""What a new owner gets: what is left of the time purchases earn in, or a time of its own from now on."""
LONGEST_REASON = 200


class Pair(NamedTuple):
    """A credited event of a customer, and for how many months the owner of it earns: nothing for as long as it is the owner."""

    conversion: int
    customer: int
    membership: int
    program: int
    occurred_at: datetime
    recurring_months: int | None


class Owner(NamedTuple):
    """Who brought a customer in a program, with the interval it holds in."""

    referral: int
    customer: int
    program: int
    membership: int
    since_at: datetime
    earns_until_at: datetime | None
    ended_at: datetime | None

    def holds(self, at: datetime) -> bool:
        """Say whether this was the owner at `at`. The event that made it the owner comes before it is one."""
        return self.since_at < at and (self.ended_at is None or at <= self.ended_at)

    def earns(self, at: datetime) -> bool:
        """Say whether a purchase at `at` still lies in the time purchases earn in."""
        return self.holds(at) and (self.earns_until_at is None or at < self.earns_until_at)


class NoReasonGiven(Refused):
    """Who brought a customer changes with a reason only."""

    message = _("Say why: partners may ask, and it stays on record.")
    field = "reason"


class ReasonTooLong(Refused):
    """A reason is a sentence or two."""

    message = _("Keep the reason under 200 characters.")
    field = "reason"


class OtherProgram(Refused):
    """The new owner is a member of another program."""

    message = _("%(partner)s is a member of %(given)s, but this is about %(program)s.")
    field = "to"


class NotActive(Refused):
    """The new owner could not earn."""

    message = _("%(partner)s is not an active member of %(program)s: give the customer to one that is.")
    field = "to"


class SameOwner(Refused):
    """Nothing would change."""

    message = _("%(partner)s is the owner already.")
    field = "to"


class OwnerChanged(Refused):
    """Somebody else was faster, or a first purchase came in meanwhile."""

    message = _("The customer has another owner by now. Look at the page again before you decide.")


class WindowIsOver(Refused):
    """There is nothing left of the time purchases earn in."""

    message = _("Nothing is left of the time in which later purchases earn: begin a new one.")
    field = "window"


class EndedAlready(Refused):
    """An ownership ends once."""

    message = _("This has ended already.")


def open_for(pairs: Iterable[tuple[int, int, int, int, datetime, int | None]], *, at: datetime) -> None:
    """Make memberships the owners of customers that have none in the program. Of several events of a customer the earliest decides; an
    event from before the end of an earlier ownership opens nothing, since the customer had an owner then.

    It is called in the transaction that credits the events, with `Pair`s or plain tuples of the same order.
    """
    told = [Pair(*pair) for pair in pairs]
    if not told:
        return
    first = _earliest(told, known=owners_of({pair.customer for pair in told}))
    zones = {row.pk: row.zone for row in Program.objects.filter(pk__in={program for program, _ in first})}
    # Sorted, so that two workers that meet the same customers wait for each other and never in a circle.
    rows = [
        Referral(
            program_id=pair.program,
            membership_id=pair.membership,
            customer_id=pair.customer,
            conversion_id=pair.conversion,
            cause=ReferralCause.ATTRIBUTED,
            since_at=pair.occurred_at,
            earns_until_at=earns_until(pair.occurred_at, pair.recurring_months, zones[pair.program]),
            recorded_at=at,
        )
        for _key, pair in sorted(first.items())
    ]
    Referral.objects.bulk_create(rows, ignore_conflicts=True)


def owners_of(customer_ids: Collection[int]) -> list[Owner]:
    """Return everybody who ever owned these customers, in any program; ask each whether it holds at an event."""
    rows = Referral.objects.filter(customer__in=customer_ids).order_by("pk")
    return [
        Owner(*row)
        for row in rows.values_list(
            "pk", "customer_id", "program_id", "membership_id", "since_at", "earns_until_at", "ended_at"
        )
    ]


def owners_at(customer_ids: Collection[int], *, at: datetime) -> list[Owner]:
    """Return who owned these customers at `at`, one per program."""
    return [owner for owner in owners_of(customer_ids) if owner.holds(at)]


def earns_until(since: datetime, months: int | None, zone: tzinfo) -> datetime | None:
    """Return when purchases stop to earn: the same time of day `months` later by the program's calendar; nothing without an end."""
    return None if months is None else anniversary(since, months, zone)


@transaction.atomic
def transfer(
    customer: Customer,
    program: Program,
    *,
    to: Membership,
    reason: str,
    by: User,
    at: datetime,
    window: Window = "rest",
    seen: Referral | None = None,
) -> Referral:
    """Give `customer` to another membership from now on: what was credited before stays. With `seen`, the owner somebody saw before
    deciding, a change meanwhile is refused.

    Raises: Forbidden, OwnTeam, NoReasonGiven, ReasonTooLong, OtherProgram, NotActive, SameOwner, OwnerChanged, WindowIsOver.
    """
    policy.require(by, "manage_referrals")
    refuse_own(to.partner_id, by)
    to = Membership.objects.select_related("partner", "program").lock().get(pk=to.pk)
    _lock(customer)
    now = Referral.objects.open().filter(program=program, customer=customer).lock().first()
    _check(program, now, to=to, reason=reason, seen=seen)
    begins = at if now is None else max(at, now.since_at)
    until = _window(program, now, window, begins)
    if now is not None:
        _end(now, by=by, at=begins)
    return _begin(customer, program, to, reason=reason, by=by, at=begins, until=until, before=now)


@transaction.atomic
def end(referral: Referral, *, reason: str, by: User, at: datetime) -> Referral:
    """Let a customer belong to nobody: its next credited event decides who brought it.

    Raises: Forbidden, NoReasonGiven, ReasonTooLong, EndedAlready.
    """
    policy.require(by, "manage_referrals")
    said = _reason(reason)
    _lock(referral.customer)
    held = Referral.objects.lock().get(pk=referral.pk)
    if held.ended_at is not None:
        raise EndedAlready
    _end(held, by=by, at=max(at, held.since_at))
    audit.record(by, "referral.ended", held, at=at, note=said)
    return held


def pass_on(ended: Membership, goes_on: Membership, *, reason: str, by: User, at: datetime) -> int:
    """Give all customers of a membership that ends to the one that goes on, with what is left of their time; return how many.

    It is part of a verb that has asked who may do it, and calls it in its transaction.
    """
    rows = list(Referral.objects.open().filter(membership=ended).lock())
    Referral.objects.filter(pk__in=[row.pk for row in rows]).update(
        ended_at=Greatest("since_at", Value(at, DateTimeField())), ended_by=by
    )
    Referral.objects.bulk_create(_passed(row, goes_on, reason=reason, by=by, at=at) for row in rows)
    if rows:
        audit.record(by, "referral.passed_on", goes_on, at=at, before=ended, customers=len(rows))
    return len(rows)


def _passed(row: Referral, goes_on: Membership, *, reason: str, by: User, at: datetime) -> Referral:
    """Return what follows an ownership; one whose time is over stays over."""
    begins = max(at, row.since_at)
    until = row.earns_until_at
    return Referral(
        program_id=row.program_id,
        membership=goes_on,
        customer_id=row.customer_id,
        cause=ReferralCause.TRANSFERRED,
        reason=reason[:LONGEST_REASON],
        since_at=begins,
        earns_until_at=until if until is None else max(until, begins + timedelta(microseconds=1)),
        recorded_at=at,
        recorded_by=by,
    )


def _earliest(told: Iterable[Pair], *, known: Iterable[Owner]) -> dict[tuple[int, int], Pair]:
    """Return the event that decides for each program and customer without an owner."""
    open_now = {(owner.program, owner.customer) for owner in known if owner.ended_at is None}
    last_ends: dict[tuple[int, int], datetime] = {}
    for owner in known:
        if owner.ended_at is not None:
            key = owner.program, owner.customer
            last_ends[key] = max(owner.ended_at, last_ends.get(key, owner.ended_at))
    first: dict[tuple[int, int], Pair] = {}
    for pair in sorted(told, key=lambda pair: (pair.occurred_at, pair.conversion)):
        key = pair.program, pair.customer
        owned_then = key in last_ends and pair.occurred_at <= last_ends[key]
        if key not in open_now and not owned_then:
            first.setdefault(key, pair)
    return first


def _lock(customer: Customer) -> None:
    """Let decisions about one customer wait for each other, also while it has no owner whose row could be held."""
    list(Customer.objects.select_for_update(of=("self",), no_key=True).filter(pk=customer.pk))


def _check(
    program: Program, now: Referral | None, *, to: Membership, reason: str, seen: Referral | None
) -> None:
    _reason(reason)
    named: dict[str, object] = {"partner": to.partner.name, "program": program.name}
    if to.program_id != program.pk:
        raise OtherProgram(params={**named, "given": to.program.name})
    if to.state != MembershipState.ACTIVE:
        raise NotActive(params=named)
    if seen is not None and (now is None or now.pk != seen.pk):
        raise OwnerChanged
    if now is not None and now.membership_id == to.pk:
        raise SameOwner(params=named)


def _reason(reason: str) -> str:
    said = reason.strip()
    if not said:
        raise NoReasonGiven
    if len(said) > LONGEST_REASON:
        raise ReasonTooLong
    return said


def _window(program: Program, now: Referral | None, window: Window, begins: datetime) -> datetime | None:
    if now is None or window == "new":
        return earns_until(begins, settings_at(program, at=begins).recurring_months, program.zone)
    if now.earns_until_at is not None and now.earns_until_at <= begins:
        raise WindowIsOver
    return now.earns_until_at


def _end(held: Referral, *, by: User, at: datetime) -> None:
    held.ended_at, held.ended_by = at, by
    held.save(update_fields=["ended_at", "ended_by"])


def _begin(
    customer: Customer,
    program: Program,
    to: Membership,
    *,
    reason: str,
    by: User,
    at: datetime,
    until: datetime | None,
    before: Referral | None,
) -> Referral:
    made = Referral(
        program=program,
        membership=to,
        customer=customer,
        cause=ReferralCause.TRANSFERRED,
        reason=reason.strip(),
        since_at=at,
        earns_until_at=until,
        recorded_at=at,
        recorded_by=by,
    )
    try:
        with transaction.atomic():
            made.save()
    except IntegrityError as error:  # a first purchase made somebody the owner between our look and now
        raise OwnerChanged from error
    audit.record(
        by,
        "referral.transferred",
        made,
        at=at,
        note=reason.strip(),
        before=before.membership if before else None,
        after=to,
        earns_until=until,
    )
    return made

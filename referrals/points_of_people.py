"""Earn points toward tiers by activities and credentials: from the moment somebody confirmed them, once each. A credential that is revoked,
and an activity that is no longer confirmed, take back what they had earned.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from itertools import islice

from django.db import transaction
from django.db.models import Exists, OuterRef, Q, Value
from django.db.models.functions import Concat

from partners.choices import ActivityState, CredentialState
from partners.models import Activity, Credential, Membership
from referrals.models import PointEntry
from referrals.point_customers import BACK
from referrals.point_rates import Rates, entry, known, taken_back
from tiers.qualify import PointRate

AT_ONCE = 500
ACTIVITY, CREDENTIAL = "activity", "credential"


@dataclass(frozen=True, slots=True)
class _Thing:
    """Something that may have earned: since when it counts, and from when on it does not any more."""

    source: str
    reference: str
    membership_id: int
    program_id: int
    country: str
    counts_at: datetime | None
    kind: str = ""
    ended_at: datetime | None = None

    def key(self, suffix: str = "") -> tuple[int, str, str]:
        return self.membership_id, self.source, self.reference + suffix


def sweep(*, at: datetime) -> int:
    """Write the points of what was confirmed or revoked since the last time; return how many entries that were."""
    rates = Rates()
    things = iter((*_activities(rates), *_credentials(rates)))
    written = 0
    while chunk := list(islice(things, AT_ONCE)):
        written += _earn(chunk, rates, at)
    return written


def _activities(rates: Rates) -> Iterator[_Thing]:
    rows = Activity.objects.filter(membership__program__in=_asking(rates, ACTIVITY)).order_by("pk")
    earned, back = _entries(ACTIVITY, Q(membership=OuterRef("membership")))
    confirmed = Q(state=ActivityState.CONFIRMED)
    due = rows.filter((confirmed & ~Q(earned)) | (~confirmed & Q(earned) & ~Q(back)))
    for row in due.select_related("membership__partner"):
        counts = row.state == ActivityState.CONFIRMED
        yield _Thing(
            ACTIVITY,
            row.public_id,
            row.membership_id,
            row.membership.program_id,
            row.membership.partner.country,
            row.decided_at if counts else None,
            kind=row.kind,
            ended_at=None if counts else row.decided_at,
        )


def _credentials(rates: Rates) -> Iterator[_Thing]:
    programs = _asking(rates, CREDENTIAL)
    rows = Credential.objects.filter(certification__program__in=programs).order_by("pk")
    earned, back = _entries(CREDENTIAL, Q(membership__partner=OuterRef("staff__partner")))
    valid, revoked = Q(state=CredentialState.VALID), Q(state=CredentialState.REVOKED)
    due = rows.filter((valid & ~Q(earned)) | (revoked & Q(earned) & ~Q(back)))
    for row in due.select_related("staff__partner", "certification"):
        counts_at = row.decided_at or row.given_at
        member = _member(row.staff.partner_id, row.certification.program_id, counts_at)
        if member is not None:
            yield _Thing(
                CREDENTIAL,
                row.public_id,
                member,
                row.certification.program_id,
                row.staff.country or row.staff.partner.country,
                counts_at,
                ended_at=row.revoked_at,
            )


def _asking(rates: Rates, source: str) -> list[int]:
    return [program for program in rates.programs if source in rates.sources(program)]


def _entries(source: str, whose: Q) -> tuple[Exists, Exists]:
    """Say whether a row has earned, and whether that was taken back."""
    mine = PointEntry.objects.filter(whose, source=source)
    back = Concat(OuterRef("public_id"), Value(BACK))
    return Exists(mine.filter(reference=OuterRef("public_id"))), Exists(mine.filter(reference=back))


def _member(partner_id: int, program_id: int, at: datetime) -> int | None:
    """Return the membership that ran then."""
    found = Membership.objects.filter(partner=partner_id, program=program_id, joined_at__lte=at)
    running = found.filter(Q(ended_at=None) | Q(ended_at__gt=at))
    return running.order_by("pk").values_list("pk", flat=True).first()


@transaction.atomic
def _earn(things: Iterable[_Thing], rates: Rates, at: datetime) -> int:
    mine = list(things)
    members = {each.membership_id for each in mine}
    # Two that earn for one membership would both find nothing: the second waits, and then finds what the first wrote.
    list(Membership.objects.lock().filter(pk__in=members).values_list("pk"))
    names = {each.reference for each in mine}
    there = known(members, (ACTIVITY, CREDENTIAL), names | {name + BACK for name in names})
    made = [
        new
        for each in mine
        if (new := _entry(each, there.get(each.key()), each.key(BACK) in there, rates, at)) is not None
    ]
    PointEntry.objects.bulk_create(made)
    return len(made)


def _entry(
    thing: _Thing, earned: PointEntry | None, is_back: bool, rates: Rates, at: datetime
) -> PointEntry | None:
    """Return what is to be written about a thing."""
    if earned is not None:
        if thing.ended_at is None or is_back:
            return None
        return taken_back(earned, reference=thing.reference + BACK, earned_at=thing.ended_at, at=at)
    if thing.counts_at is None or thing.ended_at is not None:
        return None
    earning = rates.earning(
        thing.program_id, thing.source, at=thing.counts_at, country=thing.country, fits=_fits(thing.kind)
    )
    if earning is None:
        return None
    return entry(
        earning,
        membership_id=thing.membership_id,
        source=thing.source,
        reference=thing.reference,
        milli=earning.milli,
        earned_at=thing.counts_at,
        at=at,
    )


def _fits(kind: str) -> Callable[[PointRate], bool]:
    return lambda rate: rate.kind in ("", kind)

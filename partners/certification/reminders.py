"""Remind of credentials that end soon: 60, 30 and 7 days before, the person and the owners of the team, once each. A night that was missed
is made up for the next, with the reminder that is due by then."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime, timedelta
from itertools import groupby

from django.db import transaction
from django.db.models import Exists, OuterRef, Q, QuerySet

from partners.certification import mails
from partners.choices import CredentialState
from partners.models import Certification, Credential, Membership
from prm.lib.periods import local_day
from tiers.models import Program

STEPS = (7, 30, 60)


def remind(*, at: datetime) -> int:
    """Send the reminders that are due, and return of how many credentials that were."""
    programs = Program.objects.filter(
        pk__in=Certification.objects.filter(retired_at=None).values("program")
    ).order_by("pk")
    return sum(_remind_of(program, on=local_day(at, program.zone)) for program in programs)


def due_step(credential: Credential, on: date) -> int | None:
    """Return which reminder is due on a day, None for none: one that was sent is not sent again, nor one from before it was earned."""
    if credential.expires_on is None or credential.expires_on <= on:
        return None
    left = (credential.expires_on - on).days
    step = next((each for each in STEPS if left <= each), None)
    if step is None or credential.expires_on - timedelta(days=step) <= credential.earned_on:
        return None
    told = credential.reminded_days
    return step if told is None or step < told else None


def _remind_of(program: Program, *, on: date) -> int:
    rows = _ending(program, on).order_by("staff__partner", "expires_on", "pk")
    found = [each for each in rows if due_step(each, on) is not None]
    return sum(
        _tell(list(team), on) for _partner, team in groupby(found, key=lambda each: each.staff.partner_id)
    )


def _ending(program: Program, on: date) -> QuerySet[Credential]:
    """Return the credentials that end within the longest step and are not renewed yet, of people who are still there."""
    same = Credential.objects.filter(
        certification=OuterRef("certification"), staff=OuterRef("staff"), state=CredentialState.VALID
    )
    renewed = same.filter(Q(expires_on=None) | Q(expires_on__gt=OuterRef("expires_on")))
    here = Membership.objects.filter(partner=OuterRef("staff__partner"), program=program, ended_at=None)
    found = Credential.objects.filter(
        ~Exists(renewed),
        Exists(here),
        certification__program=program,
        certification__retired_at=None,
        state=CredentialState.VALID,
        staff__left_at=None,
        expires_on__gt=on,
        expires_on__lte=on + timedelta(days=STEPS[-1]),
    )
    return found.select_related("certification__program", "staff__partner", "staff__member__user")


@transaction.atomic
def _tell(credentials: list[Credential], on: date) -> int:
    """Write about the credentials of one team; whatever another worker has claimed meanwhile is left to it."""
    claimed = list(_claimed(credentials, on))
    for credential, step in claimed:
        mails.lapses(credential, days=_days(credential, on), step=step)
    if claimed:
        mails.lapses_to_owners([credential for credential, _step in claimed], on=on)
    return len(claimed)


def _claimed(credentials: list[Credential], on: date) -> Iterator[tuple[Credential, int]]:
    for credential in credentials:
        step = due_step(credential, on)
        if step is None:
            continue
        rows = Credential.objects.filter(pk=credential.pk, state=CredentialState.VALID)
        if rows.filter(Q(reminded_days=None) | Q(reminded_days__gt=step)).update(reminded_days=step):
            yield credential, step


def _days(credential: Credential, on: date) -> int:
    return (credential.expires_on - on).days if credential.expires_on is not None else 0

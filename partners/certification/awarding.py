"""Give the credential that passed lessons add up to. Everything learned counts for one credential: to renew it, lessons are passed again, in
the next round, which begins some time before the old one ends."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING

from django.db import transaction

from partners.certification import mails
from partners.certification.days import ONE_DAY, expiry
from partners.choices import CourseState, CredentialSource, CredentialState
from partners.events import CredentialsChanged
from partners.models import Certification, Credential, Lesson, LessonAttempt, Staff
from prm import audit
from prm.lib.events import announce
from prm.lib.periods import local_day

if TYPE_CHECKING:
    from django.db.models import QuerySet

RENEWED_FROM = timedelta(days=90)
LOOKED_BACK = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class Round:
    """Which round a person learns in, and whether passing everything in it earns a credential.

    `last` is the newest credential that courses gave; `opens_on` is when the next round begins, None for never.
    """

    number: int
    earns: bool
    last: Credential | None = None
    opens_on: date | None = None


def round_of(certification: Certification, staff: Staff, *, at: datetime) -> Round:
    """Return the round somebody learns in at an instant."""
    given = Credential.objects.filter(
        certification=certification, staff=staff, source=CredentialSource.COURSE
    )
    return round_after(list(given), local_day(at, certification.program.zone))


def round_after(given: list[Credential], day: date) -> Round:
    """Return the round that follows the credentials courses gave a person, as of a day."""
    if not given:
        return Round(1, earns=True)
    last = max(given, key=lambda each: (each.given_at, each.pk))
    if last.state == CredentialState.REVOKED:
        return Round(len(given) + 1, earns=True, last=last)
    opens_on = last.expires_on - RENEWED_FROM if last.expires_on else None
    # What holds for less time than that is renewed from the day after it was earned.
    if opens_on is not None:
        opens_on = max(opens_on, last.earned_on + ONE_DAY)
    if opens_on is not None and opens_on <= day:
        return Round(len(given) + 1, earns=True, last=last, opens_on=opens_on)
    return Round(len(given), earns=False, last=last, opens_on=opens_on)


def needed(certification: Certification) -> QuerySet[Lesson]:
    """Return the lessons that have to be passed: all of all open courses."""
    open_ones = Lesson.objects.filter(course__certification=certification, course__state=CourseState.OPEN)
    return open_ones.filter(removed_at=None)


def award(certification: Certification, staff: Staff, *, at: datetime) -> Credential | None:
    """Give a person, whose row the caller has locked, the credential if nothing is missing; None when something is."""
    if certification.retired_at is not None or staff.left_at is not None:
        return None
    this = round_of(certification, staff, at=at)
    lessons = needed(certification)
    passed = LessonAttempt.objects.filter(staff=staff, round=this.number, passed=True, lesson__in=lessons)
    if not this.earns or not (count := lessons.count()) or passed.count() < count:
        return None
    day = local_day(at, certification.program.zone)
    same_day = Credential.objects.filter(certification=certification, staff=staff, earned_on=day)
    if same_day.filter(state=CredentialState.VALID).exists():
        return None
    credential = Credential.objects.create(
        certification=certification,
        staff=staff,
        state=CredentialState.VALID,
        source=CredentialSource.COURSE,
        earned_on=day,
        expires_on=expiry(certification, day),
        given_at=at,
    )
    audit.record(None, "credential.earned", credential, at=at, certification=certification, round=this.number)
    mails.earned(credential)
    announce(CredentialsChanged(staff.partner_id))
    return credential


def award_all(certification: Certification, *, at: datetime, since: datetime | None = None) -> int:
    """Give everybody the credential to whom nothing is missing any more, and return how many that were.

    With `since` only who has passed something from then on is looked at.
    """
    learned = LessonAttempt.objects.filter(lesson__course__certification=certification, passed=True)
    if since is not None:
        learned = learned.filter(attempted_at__gte=since)
    ids = sorted(learned.filter(staff__left_at=None).values_list("staff", flat=True).distinct())
    given = 0
    for pk in ids:
        person = Staff.objects.select_for_update(of=("self",), no_key=True).get(pk=pk)
        given += award(certification, person, at=at) is not None
    return given


def sweep(*, at: datetime) -> int:
    """Give the credentials that a course closed in the same moment would have kept back, and return how many that were."""
    given = 0
    since = at - LOOKED_BACK
    busy = Certification.objects.filter(courses__lessons__attempts__attempted_at__gte=since, retired_at=None)
    for certification in busy.select_related("program").distinct():
        with transaction.atomic():
            given += award_all(certification, at=at, since=since)
    return given

"""Give the credential that passed lessons add up to. Everything learned counts for one credential: to renew it, lessons are passed again, in
the next round, which begins some time before the old one ends."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING

from partners.certification import mails
from partners.choices import CourseState, CredentialSource, CredentialState
from partners.events import CredentialsChanged
from partners.models import Credential, Lesson, LessonAttempt, Staff
from prm import audit
from prm.lib.events import announce
from prm.lib.periods import local_day
from tiers.qualify.windows import months_before

if TYPE_CHECKING:
    from django.db.models import QuerySet

    from partners.models import Certification

RENEWED_FROM = timedelta(days=90)


@dataclass(frozen=True, slots=True)
class Round:
    """Which round a person learns in, and whether passing everything in it earns a credential.

    `last` is the newest credential that courses gave; `opens_on` is when the next round begins, None for never.
    """

    number: int
    earns: bool
    last: Credential | None = None
    opens_on: date | None = None


def months_after(day: date, months: int) -> date:
    """Return the same day `months` months later, or the last one of a shorter month."""
    return months_before(day, -months)


def expiry(certification: Certification, earned_on: date) -> date | None:
    """Return the first day a credential earned on a day counts no more; None for never."""
    months = certification.valid_months
    return months_after(earned_on, months) if months is not None else None


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
        opens_on = max(opens_on, last.earned_on + timedelta(days=1))
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


def award_all(certification: Certification, *, at: datetime) -> int:
    """Give everybody the credential to whom nothing is missing any more, and return how many that were."""
    learned = LessonAttempt.objects.filter(lesson__course__certification=certification, passed=True)
    ids = sorted(learned.filter(staff__left_at=None).values_list("staff", flat=True).distinct())
    given = 0
    for pk in ids:
        person = Staff.objects.select_for_update(of=("self",), no_key=True).get(pk=pk)
        given += award(certification, person, at=at) is not None
    return given

"""Build what people can be certified in: certifications and their courses. A course that was opened keeps its lessons, so that what somebody
has passed stays passed; one that has to change is closed and another one opened."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from partners.certification import awarding
from partners.certification.texts import by_language
from partners.choices import CourseState, StaffRole
from partners.models import Certification, Course
from prm import audit
from prm.accounts import policy
from prm.lib.errors import Refused

if TYPE_CHECKING:
    from prm.accounts.models import User
    from tiers.models import Program

_KEY = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
LONGEST_KEY, LONGEST_NAME, LONGEST_SUMMARY = 40, 80, 600
MOST_MONTHS = 120


class BadKey(Refused):
    message = _("Use small letters, digits and hyphens, up to 40 characters, such as sales-specialist.")
    field = "key"


class KeyTaken(Refused):
    message = _("The program has a certification with this key already.")
    field = "key"


class UnknownRole(Refused):
    message = _("Choose roles from the list.")
    field = "roles"


class BadMonths(Refused):
    message = _("Credentials are valid for 1 to 120 months, or for good.")
    field = "valid_months"


class BadPassMark(Refused):
    message = _("The pass mark lies between 1 and 100 percent.")
    field = "pass_mark"


class CertificationClosed(Refused):
    message = _("This certification is closed. Open it again first.")


class NothingToLearn(Refused):
    message = _("A course without lessons cannot be opened. Add a lesson first.")


class StateChanged(Refused):
    message = _("The course or certification is in another state by now. Look at it again.")


@transaction.atomic
def create_certification(
    program: Program,
    *,
    key: str,
    name: Mapping[str, str],
    by: User,
    at: datetime,
    description: Mapping[str, str] | None = None,
    roles: Iterable[str] = (),
    valid_months: int | None = None,
    takes_proof: bool = False,
) -> Certification:
    """Add something people can be certified in; nobody can learn for it until a course is open. The key stays for good.

    Raises: Forbidden, BadKey, KeyTaken, EnglishMissing, TextTooLong, UnknownRole, BadMonths.
    """
    policy.require(by, "manage_courses")
    if not _KEY.fullmatch(key) or len(key) > LONGEST_KEY:
        raise BadKey
    values = _certification_values(name, description, roles, valid_months, takes_proof=takes_proof)
    row, made = Certification.objects.get_or_create(
        program=program, key=key, defaults={**values, "created_at": at, "created_by": by}
    )
    if not made:
        raise KeyTaken
    audit.record(by, "certification.created", row, at=at, program=program, key=key)
    return row


@transaction.atomic
def edit_certification(
    certification: Certification,
    *,
    name: Mapping[str, str],
    by: User,
    at: datetime,
    description: Mapping[str, str] | None = None,
    roles: Iterable[str] = (),
    valid_months: int | None = None,
    takes_proof: bool = False,
) -> Certification:
    """Change what a certification says and how long new credentials hold; those that were given keep their end.

    Raises: Forbidden, EnglishMissing, TextTooLong, UnknownRole, BadMonths.
    """
    policy.require(by, "manage_courses")
    values = _certification_values(name, description, roles, valid_months, takes_proof=takes_proof)
    row = Certification.objects.select_for_update(of=("self",), no_key=True).get(pk=certification.pk)
    changed = _assign(row, values)
    if changed:
        audit.record(by, "certification.changed", row, at=at, fields=changed)
    return row


@transaction.atomic
def close_certification(certification: Certification, *, by: User, at: datetime) -> Certification:
    """Let nobody learn for a certification any more; credentials count on until they expire.

    Raises: Forbidden, StateChanged.
    """
    policy.require(by, "manage_courses")
    found = Certification.objects.filter(pk=certification.pk, retired_at=None)
    if not found.update(retired_at=at, retired_by=by):
        raise StateChanged
    certification.refresh_from_db()
    audit.record(by, "certification.closed", certification, at=at)
    return certification


@transaction.atomic
def open_certification(certification: Certification, *, by: User, at: datetime) -> Certification:
    """Let people learn for a closed certification again.

    Raises: Forbidden, StateChanged.
    """
    policy.require(by, "manage_courses")
    found = Certification.objects.filter(pk=certification.pk, retired_at__isnull=False)
    if not found.update(retired_at=None, retired_by=None):
        raise StateChanged
    certification.refresh_from_db()
    audit.record(by, "certification.opened", certification, at=at)
    return certification


@transaction.atomic
def create_course(
    certification: Certification,
    *,
    title: Mapping[str, str],
    by: User,
    at: datetime,
    summary: Mapping[str, str] | None = None,
    pass_mark: int = 80,
    position: int | None = None,
) -> Course:
    """Begin a course, as a draft at the end of its certification unless told where; nobody sees it until it is opened.

    Raises: Forbidden, CertificationClosed, EnglishMissing, TextTooLong, BadPassMark.
    """
    policy.require(by, "manage_courses")
    values = _course_values(title, summary, pass_mark)
    if certification.retired_at is not None:
        raise CertificationClosed
    last = certification.courses.order_by("-position").first()
    course = Course.objects.create(
        certification=certification,
        position=position or (last.position + 1 if last else 1),
        created_at=at,
        created_by=by,
        **values,
    )
    audit.record(by, "course.created", course, at=at, certification=certification)
    return course


@transaction.atomic
def edit_course(
    course: Course,
    *,
    title: Mapping[str, str],
    by: User,
    at: datetime,
    summary: Mapping[str, str] | None = None,
    pass_mark: int = 80,
    position: int | None = None,
) -> Course:
    """Change what a course says, where it stands and its pass mark; quizzes that were passed stay passed.

    Raises: Forbidden, EnglishMissing, TextTooLong, BadPassMark.
    """
    policy.require(by, "manage_courses")
    values = _course_values(title, summary, pass_mark)
    row = locked(course)
    changed = _assign(row, {**values, "position": position or row.position})
    if changed:
        audit.record(by, "course.changed", row, at=at, fields=changed)
    return row


@transaction.atomic
def open_course(course: Course, *, by: User, at: datetime) -> Course:
    """Let people take a course, for the first time or again. From the first time on its lessons are neither more nor fewer.

    Raises: Forbidden, CertificationClosed, NothingToLearn, StateChanged.
    """
    policy.require(by, "manage_courses")
    row = locked(course)
    if row.state == CourseState.OPEN:
        raise StateChanged
    if row.certification.retired_at is not None:
        raise CertificationClosed
    if not row.lessons.filter(removed_at=None).exists():
        raise NothingToLearn
    _assign(row, {"state": CourseState.OPEN})
    audit.record(by, "course.opened", row, at=at)
    return row


@transaction.atomic
def close_course(course: Course, *, by: User, at: datetime) -> Course:
    """Ask a course of nobody any more. Who had passed all the others has the certification with that.

    Raises: Forbidden, StateChanged.
    """
    policy.require(by, "manage_courses")
    row = locked(course)
    if row.state != CourseState.OPEN:
        raise StateChanged
    _assign(row, {"state": CourseState.CLOSED})
    audit.record(by, "course.closed", row, at=at)
    awarding.award_all(row.certification, at=at)
    return row


def locked(course: Course) -> Course:
    """Return a course with its row locked: what is done to its lessons happens one after the other."""
    rows = Course.objects.select_for_update(of=("self",), no_key=True)
    return rows.select_related("certification__program").get(pk=course.pk)


def _certification_values(
    name: Mapping[str, str],
    description: Mapping[str, str] | None,
    roles: Iterable[str],
    valid_months: int | None,
    *,
    takes_proof: bool,
) -> dict[str, Any]:
    asked = set(roles)
    if asked - set(StaffRole.values):
        raise UnknownRole
    if valid_months is not None and not 1 <= valid_months <= MOST_MONTHS:
        raise BadMonths
    return {
        "name": by_language(name, name="name", longest=LONGEST_NAME, needed=True),
        "description": by_language(description, name="description", longest=LONGEST_SUMMARY, lines=True),
        "roles": [role for role in StaffRole.values if role in asked],
        "valid_months": valid_months,
        "takes_proof": takes_proof,
    }


def _course_values(
    title: Mapping[str, str], summary: Mapping[str, str] | None, pass_mark: int
) -> dict[str, Any]:
    if not 1 <= pass_mark <= 100:
        raise BadPassMark
    return {
        "title": by_language(title, name="title", longest=LONGEST_NAME, needed=True),
        "summary": by_language(summary, name="summary", longest=LONGEST_SUMMARY, lines=True),
        "pass_mark": pass_mark,
    }


def _assign(row: Certification | Course, values: Mapping[str, Any]) -> list[str]:
    """Set what differs and save it; return the names of what did."""
    changed = sorted(name for name, value in values.items() if getattr(row, name) != value)
    for name in changed:
        setattr(row, name, values[name])
    if changed:
        row.save(update_fields=changed)
    return changed

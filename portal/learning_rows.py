"""What the training pages show: each certification of the program, how far the person signed in is with it, and what is next. A fixed number of
queries, however many lessons there are."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date

from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from partners.certification import awarding, learning, staff
from partners.certification.days import last_day
from partners.checklists import in_language
from partners.choices import CourseState, CredentialSource, CredentialState
from partners.models import Certification, Course, Credential, Lesson, LessonAttempt, Staff
from portal.formats import active_locale, date_text
from portal.rooms import Room
from portal.status import INFO, NEUTRAL, OK, WARN, StatusWord
from prm.lib.periods import local_day


@dataclass(frozen=True)
class LessonRow:
    """One lesson, and whether it is done."""

    title: str
    kind: str
    href: str
    is_done: bool


@dataclass(frozen=True)
class CourseRow:
    """One open course and how many of its lessons are done."""

    public_id: str
    title: str
    summary: str
    href: str
    lessons: tuple[LessonRow, ...]

    @property
    def total(self) -> int:
        return len(self.lessons)

    @property
    def done(self) -> int:
        return sum(each.is_done for each in self.lessons)

    @property
    def is_done(self) -> bool:
        return self.done == self.total

    @property
    def text(self) -> str:
        """Return how far it is in words."""
        said = ngettext("%(done)s of %(total)s lesson", "%(done)s of %(total)s lessons", self.total)
        return said % {"done": self.done, "total": self.total}

    @property
    def next_href(self) -> str:
        """Return the first lesson that is not done, the course itself when all are."""
        return next((each.href for each in self.lessons if not each.is_done), self.href)


@dataclass(frozen=True)
class Card:
    """One certification as the person signed in sees it."""

    public_id: str
    name: str
    description: str
    word: StatusWord
    notes: tuple[str, ...]
    courses: tuple[CourseRow, ...]
    is_for_you: bool
    credential_href: str = ""


def me(room: Room) -> Staff | None:
    """Return the person signed in on the list of the partner's people, None when not on it yet."""
    return staff.find(room.member)


def has_left(room: Room, person: Staff | None) -> bool:
    """Say whether the team marked the person as left; whoever is back in the team comes back onto the list by learning."""
    return person is not None and person.left_at is not None and person.member_id == room.member.pk


def role_of(room: Room, person: Staff | None) -> str:
    """Return what the person does, as the list says or would say."""
    return person.role if person is not None else staff.first_role(room.member.role)


def role_label(room: Room) -> str:
    """Return what the person signed in is taken for when put on the list."""
    return str(staff.first_role(room.member.role).label)


def cards(room: Room, person: Staff | None, *, only: Certification | None = None) -> list[Card]:
    """Return the certifications of the program there is anything to learn for, or that one holds."""
    found = Certification.objects.filter(program=room.program, retired_at=None)
    if only is not None:
        found = found.filter(pk=only.pk)
    rows = list(found.order_by("created_at", "pk"))
    courses = _courses(rows)
    lessons = _lessons([course for each in courses.values() for course in each])
    held = _credentials(person, rows)
    passed = _passed(person, rows)
    made = [
        _card(row, room, person, courses.get(row.pk, []), lessons, held.get(row.pk, []), passed)
        for row in rows
    ]
    return [card for card in made if card.courses or card.credential_href]


def _card(
    row: Certification,
    room: Room,
    person: Staff | None,
    courses: Sequence[Course],
    lessons: dict[int, list[Lesson]],
    held: list[Credential],
    passed: set[tuple[int, int]],
) -> Card:
    today = local_day(room.at, room.zone)
    given = [each for each in held if each.source == CredentialSource.COURSE and _was_given(each)]
    this = awarding.round_after(given, today)
    rows = tuple(_course_row(each, lessons.get(each.pk, []), this.number, passed) for each in courses)
    valid = [each for each in held if _is_valid(each, today)]
    best = max(valid, key=lambda each: each.expires_on or date.max, default=None)
    return Card(
        public_id=row.public_id,
        name=in_language(row.name),
        description=in_language(row.description),
        word=_word(rows, best, held),
        notes=tuple(_notes(row, this, best, today)),
        courses=rows,
        is_for_you=learning.is_for(row.roles, role_of(room, person)),
        credential_href=reverse("public:credential", args=[best.public_id]) if best is not None else "",
    )


def _course_row(
    course: Course, lessons: Iterable[Lesson], number: int, passed: set[tuple[int, int]]
) -> CourseRow:
    return CourseRow(
        public_id=course.public_id,
        title=in_language(course.title),
        summary=in_language(course.summary),
        href=reverse("portal:training_course", args=[course.public_id]),
        lessons=tuple(
            LessonRow(
                in_language(each.title),
                each.get_kind_display(),
                reverse("portal:training_lesson", args=[each.public_id]),
                (each.pk, number) in passed,
            )
            for each in lessons
        ),
    )


def _word(courses: Sequence[CourseRow], best: Credential | None, held: Sequence[Credential]) -> StatusWord:
    if best is not None:
        until = last_day(best)
        if until is None:
            return StatusWord(_("Certified"), "tick", OK)
        text = _("Certified until %(date)s") % {"date": date_text(until, active_locale())}
        return StatusWord(text, "tick", OK)
    if any(each.state == CredentialState.WAITING for each in held):
        return StatusWord(_("Certificate is being checked"), "clock", INFO)
    done = sum(each.done for each in courses)
    total = sum(each.total for each in courses)
    if done:
        text = ngettext("%(done)s of %(total)s lesson", "%(done)s of %(total)s lessons", total)
        return StatusWord(text % {"done": done, "total": total}, "clock", INFO)
    if any(_was_given(each) for each in held):
        return StatusWord(_("No longer certified"), "alert", WARN)
    return StatusWord(_("Not begun"), "info", NEUTRAL)


def _notes(row: Certification, this: awarding.Round, best: Credential | None, today: date) -> Iterable[str]:
    locale = active_locale()
    if row.valid_months is not None:
        text = ngettext("Valid for %(months)s month.", "Valid for %(months)s months.", row.valid_months)
        yield text % {"months": row.valid_months}
    if this.last is None or best is None:
        return
    if this.earns:
        yield _("You can renew it now: what you pass from here on counts for the next credential.")
    elif this.opens_on is not None and this.opens_on > today:
        yield _("You can renew it from %(date)s on.") % {"date": date_text(this.opens_on, locale)}


def _was_given(credential: Credential) -> bool:
    return credential.state in (CredentialState.VALID, CredentialState.REVOKED)


def _is_valid(credential: Credential, today: date) -> bool:
    is_over = credential.expires_on is not None and credential.expires_on <= today
    return credential.state == CredentialState.VALID and not is_over


def _courses(rows: Sequence[Certification]) -> dict[int, list[Course]]:
    found: dict[int, list[Course]] = {}
    open_ones = Course.objects.filter(certification__in=rows, state=CourseState.OPEN)
    for course in open_ones.order_by("position", "pk"):
        found.setdefault(course.certification_id, []).append(course)
    return found


def _lessons(courses: Sequence[Course]) -> dict[int, list[Lesson]]:
    found: dict[int, list[Lesson]] = {}
    rows = Lesson.objects.filter(course__in=courses, removed_at=None).defer("body", "questions")
    for lesson in rows.order_by("position", "pk"):
        found.setdefault(lesson.course_id, []).append(lesson)
    return found


def _credentials(person: Staff | None, rows: Sequence[Certification]) -> dict[int, list[Credential]]:
    found: dict[int, list[Credential]] = {}
    if person is not None:
        for each in Credential.objects.filter(staff=person, certification__in=rows).order_by("pk"):
            found.setdefault(each.certification_id, []).append(each)
    return found


def _passed(person: Staff | None, rows: Sequence[Certification]) -> set[tuple[int, int]]:
    if person is None:
        return set()
    mine = LessonAttempt.objects.filter(staff=person, passed=True, lesson__course__certification__in=rows)
    return set(mine.values_list("lesson", "round"))

"""Write the lessons of a course: text, a video elsewhere, a file, or a quiz. Lessons come and go while the course is a draft; once it was open,
only what they say is corrected."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

from django.core.files import File
from django.db import transaction
from django.http import FileResponse
from django.utils.translation import gettext_lazy as _

from partners.certification import quiz
from partners.certification.courses import locked
from partners.certification.texts import by_language
from partners.choices import CourseState, LessonKind
from partners.models import Course, Lesson
from partners.uploads import Upload, checked
from partners.web_addresses import web_address
from prm import audit
from prm.accounts import policy
from prm.lib import uploads
from prm.lib.errors import Refused

if TYPE_CHECKING:
    from prm.accounts.models import User

_FOLDER = "lessons"
_TYPES = {"pdf": "application/pdf", "png": "image/png", "jpg": "image/jpeg", "webp": "image/webp"}
LONGEST_TITLE, LONGEST_BODY = 120, 20_000
MOST_LESSONS = 60


class UnknownKind(Refused):
    message = _("Choose what kind of lesson it is.")
    field = "kind"


class LessonsFixed(Refused):
    message = _(
        "This course was opened: people have passed it as it is. Close it and write another one to change its lessons."
    )


class LessonRemoved(Refused):
    message = _("This lesson is no longer part of the course.")


class TooManyLessons(Refused):
    message = _("A course has up to 60 lessons.")


class TextMissing(Refused):
    message = _("Write at least the English text of the lesson.")
    field = "body_en"


class AddressMissing(Refused):
    message = _("Write the whole address of the video, such as https://www.example.com/video.")
    field = "url"


class FileMissing(Refused):
    message = _("Choose the file of the lesson.")
    field = "file"


@transaction.atomic
def add(
    course: Course,
    *,
    kind: str,
    title: Mapping[str, str],
    by: User,
    at: datetime,
    body: Mapping[str, str] | None = None,
    url: str = "",
    file: File[bytes] | None = None,
    questions: Sequence[Mapping[str, Any]] = (),
    position: int | None = None,
) -> Lesson:
    """Add a lesson to a draft, at its end unless told where.

    A text needs a body, a video an address, a file a file, a quiz questions; any of them may have a body as well.

    Raises: Forbidden, LessonsFixed, TooManyLessons, UnknownKind, EnglishMissing, TextTooLong, TextMissing, AddressMissing,
        FileMissing, what `quiz.checked` and `uploads.checked` raise.
    """
    policy.require(by, "manage_courses")
    row = _draft(course)
    if kind not in LessonKind.values:
        raise UnknownKind
    here = row.lessons.filter(removed_at=None)
    if here.count() >= MOST_LESSONS:
        raise TooManyLessons
    values = _values(kind, title, body, url, questions)
    upload = checked(file) if file is not None and kind == LessonKind.FILE else None
    if kind == LessonKind.FILE and upload is None:
        raise FileMissing
    last = here.order_by("-position").first()
    lesson = Lesson(course=row, kind=kind, position=position or (last.position + 1 if last else 1), **values)
    _save(lesson, upload)
    audit.record(by, "lesson.added", lesson, at=at, course=row, kind=kind)
    return lesson


@transaction.atomic
def edit(
    lesson: Lesson,
    *,
    title: Mapping[str, str],
    by: User,
    at: datetime,
    body: Mapping[str, str] | None = None,
    url: str = "",
    file: File[bytes] | None = None,
    questions: Sequence[Mapping[str, Any]] = (),
    position: int | None = None,
) -> Lesson:
    """Correct what a lesson says, also in an open course; its kind stays, and a file stays unless another one is given.

    Raises: Forbidden, LessonRemoved, EnglishMissing, TextTooLong, TextMissing, AddressMissing, what `quiz.checked` and
        `uploads.checked` raise.
    """
    policy.require(by, "manage_courses")
    locked(lesson.course)
    row = Lesson.objects.select_related("course").get(pk=lesson.pk)
    if row.removed_at is not None:
        raise LessonRemoved
    values = {**_values(row.kind, title, body, url, questions), "position": position or row.position}
    upload = checked(file) if file is not None and row.kind == LessonKind.FILE else None
    changed = sorted(name for name, value in values.items() if getattr(row, name) != value)
    for name in changed:
        setattr(row, name, values[name])
    if changed or upload:
        _save(row, upload)
        audit.record(by, "lesson.changed", row, at=at, fields=[*changed, *(["file"] if upload else [])])
    return row


@transaction.atomic
def remove(lesson: Lesson, *, by: User, at: datetime) -> Lesson:
    """Take a lesson out of a draft.

    Raises: Forbidden, LessonsFixed, LessonRemoved.
    """
    policy.require(by, "manage_courses")
    _draft(lesson.course)
    if not Lesson.objects.filter(pk=lesson.pk, removed_at=None).update(removed_at=at):
        raise LessonRemoved
    lesson.refresh_from_db()
    audit.record(by, "lesson.removed", lesson, at=at)
    return lesson


def attachment(lesson: Lesson) -> FileResponse:
    """Return the file of a lesson as a download; the caller has asked who is asking."""
    return uploads.attachment(lesson.file, lesson.file_name, types=_TYPES)


def _draft(course: Course) -> Course:
    row = locked(course)
    if row.state != CourseState.DRAFT:
        raise LessonsFixed
    return row


def _values(
    kind: str,
    title: Mapping[str, str],
    body: Mapping[str, str] | None,
    url: str,
    questions: Sequence[Mapping[str, Any]],
) -> dict[str, Any]:
    values: dict[str, Any] = {
        "title": by_language(title, name="title", longest=LONGEST_TITLE, needed=True),
        "body": by_language(body, name="body", longest=LONGEST_BODY, lines=True),
        "url": _video(url) if kind == LessonKind.VIDEO else "",
        "questions": quiz.checked(questions) if kind == LessonKind.QUIZ else [],
    }
    if kind == LessonKind.TEXT and "en" not in values["body"]:
        raise TextMissing
    return values


def _video(url: str) -> str:
    address = web_address(url, AddressMissing)
    if not address:
        raise AddressMissing
    return address


def _save(lesson: Lesson, upload: Upload | None) -> None:
    """Save a lesson, with the file it was given; the file goes again when the row cannot be saved."""
    if upload is None:
        lesson.save()
        return
    place = uploads.keep(_FOLDER, upload.content, upload.kind)
    lesson.file, lesson.file_name = place, upload.name  # type: ignore[assignment]
    try:
        lesson.save()
    except BaseException:
        uploads.discard(place)
        raise

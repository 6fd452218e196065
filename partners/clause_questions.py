"""Questions about a section of the terms: an applicant or somebody of a partner's team asks, staff answer by mail, and nobody accepts
while an own question is open. Answers stay beside the section for the next one who asks."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from django.db import transaction
from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _

from partners import mails_terms
from partners.choices import ApplicationState, TeamRole, TermsSection, TermsState
from partners.models import Application, ClauseQuestion, Member, Membership, TermsVersion
from prm import audit
from prm.accounts import policy
from prm.lib.errors import Refused

if TYPE_CHECKING:
    from prm.accounts.models import User

MOST_OPEN = 5
LONGEST_QUESTION = 2000
LONGEST_ANSWER = 4000
ASKERS = frozenset({TeamRole.OWNER, TeamRole.FINANCE, TeamRole.MARKETING, TeamRole.SALES})


class NothingAsked(Refused):
    message = _("Write your question, in up to 2,000 characters.")
    field = "text"


class NothingAnswered(Refused):
    message = _("Write the answer, in up to 4,000 characters.")
    field = "text"


class NoSection(Refused):
    message = _("Choose the section you ask about.")
    field = "section"


class NotThese(Refused):
    message = _("Questions can be asked about published terms of your own program.")


class TooMany(Refused):
    message = _("Five questions of yours are open. Wait for an answer, or withdraw one.")


class Closed(Refused):
    message = _("This question is answered or withdrawn already.")


class NotYours(Refused):
    message = _("Only somebody of the team that asks can do this.")


class AskedTooLate(Refused):
    message = _("This application is sent: write to us in its messages.")


def open_of(asker: Application | Membership) -> QuerySet[ClauseQuestion]:
    """Return the questions of an applicant or a membership that nobody answered or withdrew."""
    return of(asker).filter(answered_at=None, withdrawn_at=None)


def of(asker: Application | Membership) -> QuerySet[ClauseQuestion]:
    """Return every question an applicant or a membership asked, the oldest first.

    What somebody asked as an applicant stays theirs as a member.
    """
    found = ClauseQuestion.objects.select_related("terms_version__program", "answered_by")
    if isinstance(asker, Application):
        return found.filter(application=asker).order_by("asked_at", "pk")
    own = found.filter(membership=asker)
    if asker.application_id is not None:
        own = own | found.filter(application=asker.application_id)
    return own.order_by("asked_at", "pk")


def waiting() -> QuerySet[ClauseQuestion]:
    """Return the questions staff have to answer, the oldest first."""
    found = ClauseQuestion.objects.filter(answered_at=None, withdrawn_at=None)
    return found.order_by("asked_at", "pk")


def answered_before(question: ClauseQuestion) -> QuerySet[ClauseQuestion]:
    """Return answers given to others about the same section of the program's terms, the newest first."""
    found = ClauseQuestion.objects.filter(
        terms_version__program=question.terms_version.program_id,
        section=question.section,
        answered_at__isnull=False,
    )
    return (
        found.exclude(pk=question.pk).select_related("terms_version", "answered_by").order_by("-answered_at")
    )


@transaction.atomic
def ask_as_applicant(
    application: Application, *, version: TermsVersion, section: str, text: str, at: datetime
) -> ClauseQuestion:
    """Ask about a section before the application is sent. Whoever calls has made sure that the mailbox is the applicant's.

    Raises: AskedTooLate, NotThese, NoSection, NothingAsked, TooMany.
    """
    locked = Application.objects.lock().get(pk=application.pk)
    if locked.state != ApplicationState.DRAFT:
        raise AskedTooLate
    question = _ask(locked, locked.program_id, version=version, section=section, text=text, by=None, at=at)
    audit.record(None, "terms.question_asked", question, at=at, application=locked.public_id)
    return question


@transaction.atomic
def ask(
    membership: Membership, *, version: TermsVersion, section: str, text: str, by: User, at: datetime
) -> ClauseQuestion:
    """Ask about a section for a partner; the days to accept stand still until the answer.

    Raises: NotYours, NotThese, NoSection, NothingAsked, TooMany.
    """
    locked = Membership.objects.lock().get(pk=membership.pk)
    _refuse_stranger(locked, by)
    question = _ask(locked, locked.program_id, version=version, section=section, text=text, by=by, at=at)
    audit.record(by, "terms.question_asked", question, at=at, membership=locked.public_id)
    return question


@transaction.atomic
def answer(question: ClauseQuestion, *, text: str, by: User, at: datetime) -> ClauseQuestion:
    """Answer a question and write to who asked.

    Raises: Forbidden, NothingAnswered, Closed.
    """
    policy.require(by, "answer_clause_questions")
    said = text.strip()
    if not said or len(said) > LONGEST_ANSWER:
        raise NothingAnswered
    still_open = waiting().filter(pk=question.pk)
    if not still_open.update(answer=said, answered_at=at, answered_by=by):
        raise Closed
    found = ClauseQuestion.objects.select_related(
        "terms_version__program", "application__program", "membership__partner", "asked_by"
    ).get(pk=question.pk)
    audit.record(by, "terms.question_answered", found, at=at)
    mails_terms.answered(found)
    return found


@transaction.atomic
def withdraw(
    question: ClauseQuestion, *, at: datetime, by: User | None = None, application: Application | None = None
) -> ClauseQuestion:
    """Take a question back: of the team of `by`, or of the applicant whose `application` it is.

    Raises: NotYours, Closed.
    """
    if by is not None and question.membership is not None:
        _refuse_stranger(question.membership, by)
    elif application is None or question.application_id != application.pk:
        raise NotYours
    if not waiting().filter(pk=question.pk).update(withdrawn_at=at):
        raise Closed
    question.refresh_from_db()
    audit.record(by, "terms.question_withdrawn", question, at=at)
    return question


def _ask(
    asker: Application | Membership,
    program_id: int,
    *,
    version: TermsVersion,
    section: str,
    text: str,
    by: User | None,
    at: datetime,
) -> ClauseQuestion:
    if version.program_id != program_id or version.state == TermsState.DRAFT:
        raise NotThese
    if section not in TermsSection.values:
        raise NoSection
    said = text.strip()
    if not said or len(said) > LONGEST_QUESTION:
        raise NothingAsked
    if open_of(asker).count() >= MOST_OPEN:
        raise TooMany
    return ClauseQuestion.objects.create(
        terms_version=version,
        section=section,
        application=asker if isinstance(asker, Application) else None,
        membership=asker if isinstance(asker, Membership) else None,
        text=said,
        asked_at=at,
        asked_by=by,
    )


def _refuse_stranger(membership: Membership, user: User) -> None:
    team = Member.objects.current().filter(partner=membership.partner_id, role__in=ASKERS)
    if not team.filter(user=user).exists():
        raise NotYours

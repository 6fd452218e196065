"""What time does to applications: drafts nobody comes back to are reminded of and thrown away, unconfirmed ones expire, and a question of
ours that waits is asked once more. Every pass may run twice."""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import F, OuterRef, Q, Subquery

from partners import drafts, mails_applying
from partners.applications import UNCONFIRMED_DAYS
from partners.choices import ApplicationState
from partners.models import Application, ApplicationMessage
from partners.models.application import ApplicationQuerySet
from prm import audit

log = logging.getLogger(__name__)

REMIND_DRAFT_AFTER = timedelta(days=2)
REMIND_QUESTION_AFTER = timedelta(days=5)
MOST = 500


def sweep(*, at: datetime) -> int:
    """Do all of it for what is due at `at`; return how many applications were touched."""
    return (
        drafts.throw_old_away(at=at, most=MOST)
        + expire_unconfirmed(at=at)
        + remind_of_drafts(at=at)
        + remind_of_questions(at=at)
    )


def expire_unconfirmed(*, at: datetime) -> int:
    """Close applications whose mailbox nobody confirmed."""
    due = Application.objects.filter(
        state=ApplicationState.SUBMITTED,
        email_confirmed_at=None,
        entered_at=None,
        submitted_at__lte=at - timedelta(days=UNCONFIRMED_DAYS),
    )

    def expire(application: Application) -> None:
        application.state, application.changed_at = ApplicationState.EXPIRED, at
        application.save(update_fields=["state", "changed_at"])
        audit.record(None, "application.expired", application, at=at)
        mails_applying.expired(application)

    return _each(due, expire)


def remind_of_drafts(*, at: datetime) -> int:
    """Write once about each draft that was left with a mailbox to write to; what became an application meanwhile is none."""
    due = Application.objects.filter(
        state=ApplicationState.DRAFT, reminded_at=None, changed_at__lte=at - REMIND_DRAFT_AFTER
    )

    def remind(draft: Application) -> None:
        draft.reminded_at = at
        draft.save(update_fields=["reminded_at"])
        if draft.changed_at is not None and not _applied_since(draft):
            until = draft.changed_at + timedelta(days=drafts.KEPT_DAYS)
            mails_applying.draft_reminder(draft, until=until, at=at)

    return _each(due.exclude(email=""), remind)


def remind_of_questions(*, at: datetime) -> int:
    """Write once about each question of ours that nobody answered."""
    questions = ApplicationMessage.objects.filter(application=OuterRef("pk"), written_by__isnull=False)
    asked_at = Subquery(questions.order_by("-written_at").values("written_at")[:1])
    waiting = Application.objects.filter(state=ApplicationState.INFO_REQUESTED).annotate(asked_at=asked_at)
    due = waiting.filter(asked_at__lte=at - REMIND_QUESTION_AFTER)

    def remind(application: Application) -> None:
        question = application.messages.filter(written_by__isnull=False).order_by("written_at", "pk").last()
        # A question asked since the list was made is not old enough.
        if question is not None and question.written_at <= at - REMIND_QUESTION_AFTER:
            application.reminded_at = at
            application.save(update_fields=["reminded_at"])
            mails_applying.question_reminder(application, question)

    return _each(due.filter(Q(reminded_at=None) | Q(reminded_at__lt=F("asked_at"))), remind)


def _each(due: ApplicationQuerySet, work: Callable[[Application], None]) -> int:
    """Do `work` to every application that is due, each in a transaction of its own: one that fails stops no other."""
    done = 0
    for pk in list(due.order_by("pk").values_list("pk", flat=True)):
        if done == MOST:
            break
        try:
            with transaction.atomic():
                # What changed since the list was made is looked at again under the lock.
                application = due.lock().select_related("program").filter(pk=pk).first()
                if application is None:
                    continue
                work(application)
        except Exception as error:
            # Only ids: what was refused is often the mailbox itself.
            log.warning("Application %s was left out of the sweep: %s.", pk, type(error).__name__)
        else:
            done += 1
    return done


def _applied_since(draft: Application) -> bool:
    sent = Application.objects.filter(program=draft.program_id, email_folded=draft.email_folded)
    return sent.filter(submitted_at__gte=draft.created_at).exists()

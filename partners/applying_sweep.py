"""What time does to applications: drafts nobody comes back to are reminded of and thrown away, unconfirmed ones expire, and a question of
ours that waits is asked once more. Every pass may run twice."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import F, Max, Q

from partners import drafts, mails_applying
from partners.applications import UNCONFIRMED_DAYS
from partners.choices import ApplicationState
from partners.models import Application
from prm import audit

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


@transaction.atomic
def expire_unconfirmed(*, at: datetime) -> int:
    """Close applications whose mailbox nobody confirmed."""
    due = Application.objects.lock().filter(
        state=ApplicationState.SUBMITTED,
        email_confirmed_at=None,
        entered_at=None,
        submitted_at__lte=at - timedelta(days=UNCONFIRMED_DAYS),
    )
    applications = list(due.select_related("program")[:MOST])
    for application in applications:
        application.state, application.changed_at = ApplicationState.EXPIRED, at
        application.save(update_fields=["state", "changed_at"])
        audit.record(None, "application.expired", application, at=at)
        mails_applying.expired(application)
    return len(applications)


@transaction.atomic
def remind_of_drafts(*, at: datetime) -> int:
    """Write once about each draft that was left with a mailbox to write to; what became an application meanwhile is none."""
    due = Application.objects.lock().filter(
        state=ApplicationState.DRAFT, reminded_at=None, changed_at__lte=at - REMIND_DRAFT_AFTER
    )
    waiting = list(due.exclude(email="").select_related("program")[:MOST])
    for draft in waiting:
        draft.reminded_at = at
        draft.save(update_fields=["reminded_at"])
        if draft.changed_at is not None and not _applied_since(draft):
            until = draft.changed_at + timedelta(days=drafts.KEPT_DAYS)
            mails_applying.draft_reminder(draft, until=until, at=at)
    return len(waiting)


@transaction.atomic
def remind_of_questions(*, at: datetime) -> int:
    """Write once about each question of ours that nobody answered."""
    asked = Max("messages__written_at", filter=Q(messages__written_by__isnull=False))
    waiting = Application.objects.filter(state=ApplicationState.INFO_REQUESTED).annotate(asked_at=asked)
    due = waiting.filter(asked_at__lte=at - REMIND_QUESTION_AFTER)
    due = due.filter(Q(reminded_at=None) | Q(reminded_at__lt=F("asked_at")))
    found = list(due.values_list("pk", flat=True)[:MOST])
    # An aggregate and a lock do not go together: what changed in between is looked at again.
    locked = Application.objects.lock().filter(pk__in=found, state=ApplicationState.INFO_REQUESTED)
    for application in locked.select_related("program"):
        question = application.messages.filter(written_by__isnull=False).order_by("written_at", "pk").last()
        if question is None or (application.reminded_at and application.reminded_at >= question.written_at):
            continue
        application.reminded_at = at
        application.save(update_fields=["reminded_at"])
        mails_applying.question_reminder(application, question)
    return len(found)


def _applied_since(draft: Application) -> bool:
    sent = Application.objects.filter(program=draft.program_id, email_folded=draft.email_folded)
    return sent.filter(submitted_at__gte=draft.created_at).exists()

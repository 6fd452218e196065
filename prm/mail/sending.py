"""Send what the outbox holds. One worker at a time holds a message, and a message that failed waits longer each time."""

from __future__ import annotations

import logging
from datetime import datetime, timedelta

from django.conf import settings
from django.core.mail import EmailMultiAlternatives
from django.db.models import F, QuerySet

from prm.lib.bell import ring, ring_now
from prm.mail.models import MAX_ATTEMPTS as MAX_ATTEMPTS
from prm.mail.models import OutgoingMail
from prm.mail.outbox import SEND_TASK

logger = logging.getLogger(__name__)

FIRST_WAIT = timedelta(minutes=2)
LONGEST_WAIT = timedelta(hours=6)


def wait_after(attempts: int) -> timedelta:
    """Return how long a message rests after its attempt number `attempts`: 2, 4, 8 … minutes, six hours at most."""
    doublings: int = min(max(attempts - 1, 0), 16)
    return min(FIRST_WAIT * (1 << doublings), LONGEST_WAIT)


def claim(mail_id: int, *, at: datetime) -> OutgoingMail | None:
    """Take the message for one attempt, or return None when another worker has it or it has left.

    The attempt is counted and the next one put off before anything is sent: a worker that dies in the middle leaves
    the message to the sweep, and a message that kills workers is given up after the last attempt.
    """
    mail = OutgoingMail.objects.due(at=at).filter(pk=mail_id).first()
    if mail is None:
        return None
    taken = (
        OutgoingMail.objects.due(at=at)
        .filter(pk=mail_id, attempts=mail.attempts)
        .update(
            attempts=F("attempts") + 1,
            next_attempt_at=at + wait_after(mail.attempts + 1),
        )
    )
    if not taken:
        return None
    mail.refresh_from_db()
    return mail


def send(mail_id: int, *, at: datetime) -> bool:
    """Send one message if it is due; say whether it left in this call."""
    mail = claim(mail_id, at=at)
    if mail is None:
        return False
    try:
        _message(mail).send()
    except Exception as error:  # SMTP libraries raise many kinds, and all of them mean "not now"
        OutgoingMail.objects.filter(pk=mail.pk).update(last_error=f"{type(error).__name__}: {error}"[:2000])
        logger.warning("Mail %s did not leave (attempt %s).", mail.public_id, mail.attempts)
        return False
    OutgoingMail.objects.filter(pk=mail.pk, sent_at=None).update(sent_at=at, last_error="")
    return True


def sweep(*, at: datetime, limit: int = 200) -> int:
    """Ring for every message that is due, oldest first; return how many bells were rung."""
    due = OutgoingMail.objects.due(at=at).order_by("next_attempt_at", "pk").values_list("pk", flat=True)
    return sum(ring_now(SEND_TASK, mail_id=pk) for pk in due[:limit])


def try_again(mails: QuerySet[OutgoingMail], *, at: datetime) -> int:
    """Give messages that did not leave, even those given up, a fresh start; return how many."""
    waiting = list(mails.filter(sent_at=None).order_by("pk").values_list("pk", flat=True)[:500])
    OutgoingMail.objects.filter(pk__in=waiting, sent_at=None).update(attempts=0, next_attempt_at=at)
    for pk in waiting:
        ring(SEND_TASK, mail_id=pk)
    return len(waiting)


def _message(mail: OutgoingMail) -> EmailMultiAlternatives:
    message = EmailMultiAlternatives(
        subject=mail.subject,
        body=mail.text,
        from_email=settings.DEFAULT_FROM_EMAIL,
        to=[mail.to],
        # The same message sent twice by a retry carries the same id, so mail readers show it once.
        headers={
            "Message-ID": f"<{mail.public_id}@{_domain()}>",
            "Auto-Submitted": "auto-generated",
            "Content-Language": mail.language,
        },
    )
    message.attach_alternative(mail.html, "text/html")
    return message


def _domain() -> str:
    sender = settings.DEFAULT_FROM_EMAIL.rpartition("@")[2].rstrip("> ")
    return sender or "localhost"

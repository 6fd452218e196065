"""Take a person out of the outbox. That a message was sent, and of which kind, stays; whom it went to and what it said does not."""

from __future__ import annotations

from collections.abc import Iterable

from django.db.models import Q

from prm.lib.scrubbing import Needles
from prm.mail.models import OutgoingMail

TO = "erased@erased.invalid"


def messages_to(mailboxes: Iterable[str]) -> Q:
    """Return the condition that a message is to one of the mailboxes."""
    found = Q(pk__in=[])
    for mailbox in mailboxes:
        found |= Q(to__iexact=mailbox)
    return found


def redact(mailboxes: Iterable[str], needles: Needles) -> int:
    """Empty what was sent to the mailboxes, drop what was not sent yet, and take the person out of what others got."""
    theirs = OutgoingMail.objects.filter(messages_to(mailboxes))
    theirs.filter(sent_at=None).delete()
    count = 0
    for pk in list(theirs.values_list("pk", flat=True)):
        row = OutgoingMail.objects.filter(pk=pk)
        row.update(key=f"erased:{pk}", to=TO, subject="", text="", html="", last_error="")
        count += 1
    held = OutgoingMail.objects.filter(needles.found_in("subject", "text", "html", "last_error", "key"))
    for mail in held.order_by("pk").iterator(chunk_size=200):
        for name in ("subject", "text", "html", "last_error"):
            setattr(mail, name, needles.scrub(getattr(mail, name)))
        key = needles.scrub(mail.key)
        mail.key = mail.key if key == mail.key else f"{key[:180]}:{mail.pk}"
        mail.save(update_fields=["subject", "text", "html", "last_error", "key"])
        count += 1
    return count

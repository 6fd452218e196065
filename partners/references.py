"""Ask people an applicant named whether they know the applicant. Each is asked by a link of their own and answers once; the applicant
learns whether there is an answer, and never what it says."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from partners import mails_applying, tokens
from partners.application_forms.definition import MOST_REFERENCES
from partners.applications import undecided
from partners.choices import ApplicationState, ReferenceAnswer
from partners.models import Application, Reference
from prm import audit
from prm.accounts import policy
from prm.accounts.emails import fold_email
from prm.lib.errors import Refused

if TYPE_CHECKING:
    from prm.accounts.models import User

LINK_DAYS = 30
AGAIN_AFTER = timedelta(days=3)


class AlreadyAnswered(Refused):
    message = _("This reference has answered already.")


class AskedLately(Refused):
    message = _("This reference was asked within the last three days. Wait a little before you write again.")


class OwnReference(Refused):
    message = _("The applicant named their own address. Ask them for another reference.")


class NoAnswer(Refused):
    message = _("Say whether you know this applicant.")
    field = "answer"


def give(application: Application, rows: Iterable[Mapping[str, Any]]) -> list[Reference]:
    """Keep the references a draft names, in the place of those it named before; the caller holds the draft's lock."""
    application.references.all().delete()
    named = [row for row in rows if row][:MOST_REFERENCES]
    return [
        Reference.objects.create(
            application=application,
            full_name=row.get("full_name", ""),
            company=row.get("company", ""),
            email=row.get("email", ""),
            relation=row.get("relation", ""),
        )
        for row in named
    ]


@transaction.atomic
def ask(reference: Reference, *, by: User, at: datetime) -> Reference:
    """Write to a reference; asking again makes a new link, and the old one opens nothing any more.

    Raises: Forbidden, AlreadyDecided, AlreadyAnswered, AskedLately, OwnReference.
    """
    policy.require(by, "decide_applications")
    application = undecided(reference.application)
    locked = Reference.objects.select_for_update(of=("self",)).get(pk=reference.pk)
    if locked.answer:
        raise AlreadyAnswered
    if locked.asked_at is not None and locked.asked_at > at - AGAIN_AFTER:
        raise AskedLately
    if fold_email(locked.email) == application.email_folded:
        raise OwnReference
    token = tokens.new_token()
    locked.token_sha256, locked.asked_at, locked.asked_by = tokens.digest(token), at, by
    locked.save(update_fields=["token_sha256", "asked_at", "asked_by"])
    audit.record(by, "reference.asked", application, at=at, reference=locked.public_id)
    locked.application = application
    mails_applying.reference_asked(locked, token, until=at + timedelta(days=LINK_DAYS), at=at)
    return locked


def find(token: str, *, at: datetime) -> Reference | None:
    """Return the reference whose link carries `token`, None when it is altered, too old, or no longer of use."""
    found = Reference.objects.filter(
        token_sha256=tokens.digest(token),
        asked_at__gt=at - timedelta(days=LINK_DAYS),
        application__state__in=ApplicationState.undecided(),
        application__erased_at=None,
    )
    return found.select_related("application__program").first()


@transaction.atomic
def answer(token: str, *, answer: str, comment: str, at: datetime) -> Reference | None:
    """Note what a reference says, once; None when the link opens nothing.

    Raises: NoAnswer, AlreadyAnswered.
    """
    if answer not in ReferenceAnswer.values:
        raise NoAnswer
    reference = find(token, at=at)
    if reference is None:
        return None
    unanswered = Reference.objects.filter(pk=reference.pk, answer="")
    if not unanswered.update(answer=answer, comment=comment.strip(), answered_at=at):
        raise AlreadyAnswered
    audit.record(None, "reference.answered", reference.application, at=at, reference=reference.public_id)
    reference.refresh_from_db()
    return reference


def state_of(reference: Reference, *, at: datetime) -> str:
    """Return where a reference stands: not_asked, asked, no_answer or answered."""
    if reference.answer:
        return "answered"
    if reference.asked_at is None:
        return "not_asked"
    return "asked" if reference.asked_at > at - timedelta(days=LINK_DAYS) else "no_answer"

"""Enter an application that came by phone, letter or at a fair. It counts at once, as somebody of ours has spoken with the applicant, and the
terms are accepted by the applicant alone, at the first sign-in."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

from django.db import IntegrityError, transaction
from django.utils.translation import gettext_lazy as _

from partners import references, tokens, uploads
from partners.application_forms import asking, publishing
from partners.application_forms.definition import read
from partners.applications import AlreadyApplied, AlreadyMember, NotYet, begin_to_count
from partners.choices import ApplicationState
from partners.events import ApplicationSubmitted
from partners.models import Application
from partners.sending import Known, refuse_known
from partners.uploads import Upload
from prm import audit
from prm.accounts import policy
from prm.accounts.emails import fold_email
from prm.lib import ids
from prm.lib.errors import Refused
from prm.lib.events import announce

if TYPE_CHECKING:
    from prm.accounts.models import User
    from tiers.models import Program


class NoSource(Refused):
    message = _("Say how the application reached you.")
    field = "source"


_WORDS = {
    AlreadyApplied: _("This mailbox has an application to the program that is not decided yet."),
    AlreadyMember: _("Somebody with this mailbox is in the program already."),
    NotYet: _("An application of this mailbox was declined; it may apply again from %(day)s on."),
}


@transaction.atomic
def enter(
    program: Program,
    *,
    partnership_type: str,
    cleaned: Mapping[str, Any],
    files: Mapping[str, Sequence[Upload]],
    source: str,
    language: str,
    by: User,
    at: datetime,
) -> Application:
    """Store an application for somebody else, with the answers its form has found valid, and write to the applicant.

    Raises: Forbidden, NoSource, AlreadyApplied, AlreadyMember, NotYet, uploads.TooManyFiles.
    """
    policy.require(by, "decide_applications")
    if not source.strip():
        raise NoSource
    _refuse_known(program, fold_email(cleaned["email"]), at)
    form = publishing.in_use(program, at=at)
    public_id = ids.public_id("app")
    application = Application(
        public_id=public_id,
        program=program,
        form=form,
        partnership_type=partnership_type,
        language=language,
        source=source.strip()[:80],
        token_sha256=tokens.digest(tokens.first_status_token(public_id)),
        created_at=at,
        changed_at=at,
    )
    asking.store(application, read(form.definition), cleaned)
    application.save()
    references.give(application, cleaned.get("references", ()))
    for key, given in files.items():
        for each in given:
            uploads.attach(application, key, each, at)
    _enter(application, by=by, at=at)
    audit.record(by, "application.entered", application, at=at)
    announce(ApplicationSubmitted(application.pk))
    begin_to_count(application)
    return application


def _enter(application: Application, *, by: User, at: datetime) -> None:
    application.state = ApplicationState.SUBMITTED
    application.submitted_at = application.entered_at = at
    application.entered_by = by
    try:
        with transaction.atomic():
            application.save(update_fields=["state", "submitted_at", "entered_at", "entered_by"])
    except IntegrityError:
        # The applicant sent the form in the same moment.
        same = Application.objects.undecided().filter(
            program=application.program_id, email_folded=application.email_folded
        )
        other = same.exclude(pk=application.pk).first()
        if other is None:
            raise
        raise _in_our_words(AlreadyApplied(other)) from None


def _refuse_known(program: Program, folded: str, at: datetime) -> None:
    try:
        refuse_known(program, folded, at)
    except (AlreadyApplied, AlreadyMember, NotYet) as refusal:
        raise _in_our_words(refusal) from None


def _in_our_words(refusal: Known) -> Known:
    """Say to staff what an applicant would be told about themselves."""
    refusal.message = _WORDS[type(refusal)]
    return refusal

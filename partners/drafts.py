"""Keep an application while it is being filled in. A draft belongs to whoever holds its word, keeps the form it was begun with, and is
thrown away with its files when nobody has come back to it for a month."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from django.db import transaction
from django.db.models import F
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from partners import mails_applying, references, tokens, uploads
from partners.application_forms import asking, publishing
from partners.application_forms.definition import TYPE, Definition, read
from partners.applications import TooManyTries
from partners.choices import ApplicationState
from partners.models import AbandonedDraft, Application
from partners.uploads import Upload
from prm import audit
from prm.lib import ids
from prm.lib.errors import Refused
from prm.lib.periods import local_day

if TYPE_CHECKING:
    from partners.models import RecruitingLink
    from tiers.models import Program

KEPT_DAYS = 30
BEGUN_AN_HOUR = 30
LINKS_A_DAY = 3  # a stranger can make us write to a mailbox as often as this, and no more


class DraftGone(Refused):
    message = _("Your answers are no longer here. Please fill in the form again.")


class NoMailbox(Refused):
    message = _("Give your e-mail address first, so that we know where to send the link.")
    field = "email"


@transaction.atomic
def begin(
    program: Program,
    *,
    at: datetime,
    language: str,
    address: str | None = None,
    link: RecruitingLink | None = None,
) -> tuple[Application, str]:
    """Begin a draft with the form in use and return it with its word.

    Raises: TooManyTries.
    """
    _refuse_too_many(program, address=address, at=at)
    form = publishing.in_use(program, at=at)
    public_id = ids.public_id("app")
    token = tokens.first_draft_token(public_id)
    kinds = read(form.definition).partnership_types
    draft = Application.objects.create(
        public_id=public_id,
        program=program,
        state=ApplicationState.DRAFT,
        form=form,
        partnership_type=kinds[0] if len(kinds) == 1 else "",
        language=language,
        source=link.name if link is not None else "",
        source_link=link,
        introducer=link.membership if link is not None else None,
        address=address,
        token_sha256=tokens.digest(token),
        created_at=at,
        changed_at=at,
    )
    return draft, token


def find(token: str) -> Application | None:
    """Return the draft that a word opens, None when it was sent or thrown away meanwhile."""
    found = Application.objects.filter(state=ApplicationState.DRAFT, token_sha256=tokens.digest(token))
    return found.select_related("program", "form").first()


@transaction.atomic
def save(
    draft: Application,
    *,
    definition: Definition,
    step: str,
    cleaned: Mapping[str, Any],
    files: Mapping[str, Sequence[Upload]],
    language: str,
    at: datetime,
) -> Application:
    """Keep the answers of one step, which its form has found valid; `files` are those that were added, by question.

    Another partnership type may ask other questions, so the steps after it have to be gone through again.

    Raises: DraftGone, uploads.TooManyFiles.
    """
    locked = _locked(draft)
    kind_before, mailbox_before = locked.partnership_type, locked.email_folded
    columns = asking.store(locked, definition, cleaned)
    done = definition.steps().index(step) + 1
    changed_kind = step == TYPE and locked.partnership_type != kind_before
    locked.furthest_step = done if changed_kind else max(done, locked.furthest_step)
    if locked.email_folded != mailbox_before:
        locked.email_confirmed_at = None
    locked.changed_at, locked.language = at, language
    locked.save(
        update_fields={*columns, "furthest_step", "email_confirmed_at", "changed_at", "language"},
    )
    if "references" in cleaned:
        references.give(locked, cleaned["references"])
    for key, given in files.items():
        for each in given:
            uploads.attach(locked, key, each, at)
    return locked


@transaction.atomic
def take_file_back(draft: Application, file_id: str, *, definition: Definition, at: datetime) -> None:
    """Remove a file from a draft; a question that needs one has to be answered again.

    Raises: DraftGone.
    """
    locked = _locked(draft)
    file = locked.files.filter(public_id=file_id).first()
    if file is None:
        return
    uploads.remove(file)
    question = definition.question(file.field_key)
    if (
        question is not None
        and question.required
        and not locked.files.filter(field_key=question.key).exists()
    ):
        locked.furthest_step = min(locked.furthest_step, definition.steps().index(question.step))
    locked.changed_at = at
    locked.save(update_fields=["furthest_step", "changed_at"])


def mail_link(draft: Application, *, at: datetime) -> None:
    """Send the link by which the draft can be gone on with on any device; a mailbox gets a few of them a day.

    Raises: NoMailbox.
    """
    if not draft.email:
        raise NoMailbox
    mails_applying.draft_saved(draft, until=at + timedelta(days=KEPT_DAYS), most=LINKS_A_DAY, at=at)


@transaction.atomic
def open_mailed(token: str, *, at: datetime) -> tuple[Application, str] | None:
    """Open a draft by the link in our mail and return it with its word; that proves the mailbox it was sent to.

    None when the link is none of ours, or the draft is sent or thrown away.
    """
    word, seal = tokens.split_mailed(token)
    found = Application.objects.lock().filter(state=ApplicationState.DRAFT, token_sha256=tokens.digest(word))
    draft = found.first()
    if draft is None:
        return None
    if draft.email_confirmed_at is None and tokens.is_sealed_for(draft, seal):
        draft.email_confirmed_at = at
        draft.save(update_fields=["email_confirmed_at"])
    return draft, word


@transaction.atomic
def discard(draft: Application) -> None:
    """Throw a draft away that is still one."""
    found = Application.objects.lock().filter(pk=draft.pk, state=ApplicationState.DRAFT).first()
    if found is not None:
        throw_away(found)


def throw_away(draft: Application) -> None:
    """Delete a draft with everything that came with it; the caller holds its lock."""
    uploads.drop_all(draft)
    draft.delete()


@transaction.atomic
def throw_old_away(*, at: datetime, most: int = 500) -> int:
    """Delete drafts nobody has come back to; return how many."""
    old = Application.objects.lock().filter(
        state=ApplicationState.DRAFT, changed_at__lt=at - timedelta(days=KEPT_DAYS)
    )
    drafts = list(old.select_related("program", "source_link")[:most])
    for draft in drafts:
        _remember(draft)
        audit.record(None, "application.draft_deleted", draft.program, at=at, draft=draft.public_id)
        throw_away(draft)
    return len(drafts)


def _remember(draft: Application) -> None:
    """Count an application nobody sent, so that the funnel keeps it when the row is gone."""
    if draft.form_id is None:
        return
    facts: dict[str, Any] = {
        "program": draft.program,
        "form_id": draft.form_id,
        "source_key": draft.source_link.key if draft.source_link else "",
        "began_on": local_day(draft.created_at, draft.program.zone),
        "furthest_step": draft.furthest_step,
    }
    AbandonedDraft.objects.get_or_create(**facts)
    AbandonedDraft.objects.filter(**facts).update(count=F("count") + 1)


def _locked(draft: Application) -> Application:
    found = Application.objects.lock().filter(pk=draft.pk, state=ApplicationState.DRAFT)
    locked = found.select_related("program", "form").first()
    if locked is None:
        raise DraftGone
    return locked


def _refuse_too_many(program: Program, *, address: str | None, at: datetime) -> None:
    if address is None:
        return
    begun = Application.objects.filter(address=address, created_at__gt=at - timedelta(hours=1))
    times = list(begun.order_by("created_at").values_list("created_at", flat=True))
    if len(times) >= BEGUN_AN_HOUR:
        free_at = times[-BEGUN_AN_HOUR] + timedelta(hours=1, minutes=1)
        raise TooManyTries(params={"time": timezone.localtime(free_at, program.zone).strftime("%H:%M")})

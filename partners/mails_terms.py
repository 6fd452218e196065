"""Write the mails about terms: that others are to be accepted, that the time to do so ends, what was answered, and what is proposed. Each
mailbox is written to once about one thing, in its own language."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

from django.urls import reverse
from django.utils import translation
from django.utils.text import capfirst
from django.utils.translation import gettext_lazy as _

from partners import mails, tokens
from partners.choices import AmendmentState, ApplicationState, Consequence, TermsSection
from partners.mails import moment_text
from partners.models import Member
from partners.readers import OWNERS, Reader, readers_of
from prm.lib import l10n
from prm.mail import outbox

if TYPE_CHECKING:
    from partners.models import Amendment, Application, ClauseQuestion, Membership, TermsVersion
    from prm.accounts.models import User

PORTAL = "/portal/terms/"


def ask(
    version: TermsVersion,
    membership: Membership,
    *,
    changed: list[str],
    deadline: datetime | None,
    again: bool = False,
    since: str = "",
) -> int:
    """Ask the owners of a team to accept `version`, or remind them; return how many mailboxes that were.

    `changed` names the sections that say something else than before, by key; it is empty for who accepts for the first time.
    `since` tells one time of asking from another: who comes back to a tier is asked once more.
    """
    kind = "terms_reminder" if again else "terms_to_accept"
    once = f"{version.public_id}:{membership.public_id}" + (f":{since}" if since else "")
    readers = readers_of(membership.partner, OWNERS)
    for reader in readers:
        outbox.queue(
            kind,
            to=reader.email,
            key=f"{kind}:{once}:{reader.email.casefold()}",
            about=version.public_id,
            language=reader.language,
            context=asking(version, membership, reader, changed=changed, deadline=deadline),
        )
    return len(readers)


def asking(
    version: TermsVersion,
    membership: Membership,
    reader: Reader,
    *,
    changed: list[str],
    deadline: datetime | None,
) -> dict[str, Any]:
    """Return the values of the mail that asks to accept; the page before publishing shows the same."""
    begins = version.effective_at
    with translation.override(reader.language):
        sections = [capfirst(str(TermsSection(key).label)) for key in changed]
    return {
        "name": reader.name,
        "partner": membership.partner.name,
        "program": membership.program.name,
        "tier": version.tier.name if version.tier is not None else "",
        "number": version.number,
        "from_text": moment_text(begins, membership, reader.locale) if begins else "",
        "until_text": moment_text(deadline, membership, reader.locale) if deadline else "",
        "summary": version.summary,
        "sections": sections,
        "payments_wait": version.consequence == Consequence.PAYMENTS_WAIT,
        "button_text": _("Read and accept the terms"),
        "button_url": mails.absolute(PORTAL),
    }


def answered(question: ClauseQuestion) -> None:
    """Pass the answer on to who asked; an applicant gets the way back to the application with it."""
    program = question.terms_version.program
    for to, language, name, url in _askers(question):
        with translation.override(language):
            section = capfirst(str(TermsSection(question.section).label))
        outbox.queue(
            "terms_question_answered",
            to=to,
            key=f"terms-question-answered:{question.public_id}:{to.casefold()}",
            about=question.public_id,
            language=language,
            context={
                "name": name,
                "program": program.name,
                "section": section,
                "question": question.text,
                "answer": question.answer,
                "is_applicant": question.application_id is not None,
                "button_text": _("Go on with your application")
                if question.application_id
                else _("Open the terms"),
                "button_url": url,
            },
        )


def amendment_proposed(amendment: Amendment, membership: Membership) -> None:
    """Write to the owners of the team that an amendment waits for their answer."""
    for reader in readers_of(membership.partner, OWNERS):
        outbox.queue(
            "amendment_proposed",
            to=reader.email,
            key=f"amendment-proposed:{amendment.public_id}:{reader.email.casefold()}",
            about=amendment.public_id,
            language=reader.language,
            context={
                "name": reader.name,
                "partner": membership.partner.name,
                "program": membership.program.name,
                "title": amendment.title,
                "from_text": _day(amendment, reader.locale),
                "button_text": _("Read the amendment"),
                "button_url": mails.absolute(f"{PORTAL}amendments/{amendment.public_id}/"),
            },
        )


def amendment_answered(amendment: Amendment, membership: Membership, *, by: User) -> None:
    """Write to whoever proposed an amendment what the partner answered."""
    proposer = amendment.proposed_by
    if proposer is None:
        return
    outbox.queue(
        "amendment_answered",
        to=proposer.email,
        key=f"amendment-answered:{amendment.public_id}",
        about=amendment.public_id,
        language=proposer.language,
        context={
            "name": proposer.get_full_name(),
            "person": by.get_full_name(),
            "partner": membership.partner.name,
            "program": membership.program.name,
            "title": amendment.title,
            "accepted": amendment.state == AmendmentState.ACCEPTED,
            "note": amendment.answer_note,
            "button_text": _("Open the amendment"),
            "button_url": mails.absolute(reverse("admin:partners_amendment_change", args=[amendment.pk])),
        },
    )


def _askers(question: ClauseQuestion) -> list[tuple[str, str, str, str]]:
    """Return mailbox, language, name and the way back of who asked."""
    application = question.application
    if application is not None:
        way = _way_back(application)
        return (
            [(application.email, application.language, application.full_name, way)]
            if application.email
            else []
        )
    user, membership = question.asked_by, question.membership
    if user is not None and membership is not None:
        still_there = Member.objects.current().filter(
            partner=membership.partner_id, user=user, user__is_active=True
        )
        if still_there.exists():
            return [(user.email, user.language, user.get_full_name(), mails.absolute(PORTAL))]
    owners = readers_of(membership.partner, OWNERS) if membership is not None else []
    return [(each.email, each.language, each.name, mails.absolute(PORTAL)) for each in owners]


def _way_back(application: Application) -> str:
    if application.state == ApplicationState.DRAFT:
        return mails.absolute(reverse("public:draft", args=[tokens.mailed_draft_token(application)]))
    return mails.status_url(application)


def _day(amendment: Amendment, locale: str) -> str:
    return l10n.date_text(amendment.effective_on, locale, "long") if amendment.effective_on else ""

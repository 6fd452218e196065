"""Everything a membership and the operator ever agreed on, as both sides see it: versions, who accepted them, amendments and answered
questions. The same is drawn as PDF; that of a published version is drawn once and kept."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime

from django.conf import settings
from django.db.models import QuerySet
from django.template.loader import render_to_string
from django.utils import translation
from django.utils.text import capfirst
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from partners import amendments, clause_questions, terms
from partners.choices import AmendmentState, TermsState
from partners.models import Acceptance, Amendment, ClauseQuestion, Membership, TermsVersion
from partners.terms.acceptance import NotPublished
from prm import documents
from prm.lib import l10n

STYLE = "documents/terms.css"


@dataclass(frozen=True)
class Archive:
    """What both sides see of one membership."""

    versions: list[TermsVersion]
    acceptances: list[Acceptance]
    amendments: list[Amendment]
    questions: list[ClauseQuestion]

    @property
    def by_version(self) -> dict[int, Acceptance]:
        """Return the acceptance of each version that was accepted."""
        return {each.terms_version_id: each for each in self.acceptances}


@dataclass(frozen=True)
class Part:
    """A heading with its text, as documents print it."""

    heading: str
    text: str


@dataclass(frozen=True)
class Record:
    """Something that happened, with its facts as label and value, and perhaps a text."""

    title: str
    facts: list[tuple[str, str]]
    text: str = ""
    answer: str = ""


@dataclass(frozen=True)
class Page:
    """A document about terms, in words."""

    language: str
    title: str
    program: str
    number: str
    created: str
    author: str
    facts: list[tuple[str, str]]
    parts: list[Part]
    acceptances: list[Record] = field(default_factory=list)
    amendments: list[Record] = field(default_factory=list)
    questions: list[Record] = field(default_factory=list)
    sha256: str = ""


def archive_of(membership: Membership) -> Archive:
    """Return what both sides see of a membership's agreement; drafts are no part of it."""
    return Archive(
        versions=list(terms.published_to(membership)),
        acceptances=list(acceptances_of(membership)),
        amendments=list(amendments.shown_to_partner(membership)),
        questions=list(clause_questions.of(membership)),
    )


def acceptances_of(membership: Membership) -> QuerySet[Acceptance]:
    """Return who accepted which version for a membership, the newest first."""
    found = Acceptance.objects.filter(membership=membership).select_related("terms_version")
    return found.order_by("-accepted_at", "-pk")


def version_pdf(version: TermsVersion) -> bytes:
    """Return the document of a published version; it is drawn once and is the same for everybody.

    Raises: NotPublished, PdfNotPossible, DocumentDamaged.
    """
    if version.state == TermsState.DRAFT:
        raise NotPublished
    documents.keep(version, name=f"terms/{version.public_id}.pdf", draw=lambda: _draw(_version_page(version)))
    return documents.read(version)


def version_file_name(version: TermsVersion) -> str:
    """Return the name a version's document is downloaded under."""
    return f"{version.program.slug}-terms-{version.number}.pdf"


def agreement_pdf(membership: Membership, *, at: datetime) -> bytes:
    """Return the agreement of one partner in the language in force: the terms it accepted last, who accepted what, amendments, questions.

    Raises: PdfNotPossible.
    """
    return _draw(agreement_page(membership, at=at))


def agreement_file_name(membership: Membership) -> str:
    """Return the name a partner's agreement is downloaded under."""
    return f"{membership.program.slug}-agreement-{membership.public_id}.pdf"


def agreement_page(membership: Membership, *, at: datetime) -> Page:
    """Return a partner's agreement in words, in the language in force."""
    found = archive_of(membership)
    zone = membership.program.zone
    accepted = found.acceptances[0].terms_version if found.acceptances else None
    version = accepted or terms.for_member(membership, at)
    facts = [
        (_("Partner"), membership.partner.legal_name or membership.partner.name),
        (_("Program"), membership.program.name),
        (_("Member since"), _day(membership.joined_at, membership)),
        (_("Printed"), l10n.datetime_text(at, zone, l10n.active_locale())),
    ]
    return Page(
        language=get_language() or "en",
        title=_("Agreement"),
        program=membership.program.name,
        number=membership.public_id,
        created=at.isoformat(timespec="seconds"),
        author=membership.program.legal_entity.name,
        facts=facts,
        parts=_parts(version) if version is not None else [],
        acceptances=[_accepted(each, membership) for each in found.acceptances],
        amendments=[
            _amended(each, membership)
            for each in found.amendments
            if each.state in (AmendmentState.ACCEPTED, AmendmentState.PROPOSED)
        ],
        questions=[_asked(each) for each in found.questions if each.answered_at is not None],
        sha256=version.sha256 if version is not None else "",
    )


def _version_page(version: TermsVersion) -> Page:
    with translation.override(settings.LANGUAGE_CODE):
        zone = version.program.zone
        begins = (
            l10n.datetime_text(version.effective_at, zone, l10n.active_locale())
            if version.effective_at
            else ""
        )
        return Page(
            language=get_language() or "en",
            title=_("Terms"),
            program=version.program.name,
            number=_("Version %(number)s") % {"number": version.number},
            created=version.published_at.isoformat(timespec="seconds") if version.published_at else "",
            author=version.program.legal_entity.name,
            facts=[
                (_("Version"), str(version.number)),
                (_("In force from"), begins),
                (_("Issued by"), version.program.legal_entity.name),
            ],
            parts=_parts(version),
            sha256=version.sha256,
        )


def _draw(page: Page) -> bytes:
    with translation.override(page.language):
        html = render_to_string("documents/terms.html", {"page": page})
    identifier = hashlib.sha256(html.encode()).hexdigest()[:32].encode()
    return documents.draw(html, identifier=identifier, style=STYLE)


def _parts(version: TermsVersion) -> list[Part]:
    said = [(str(terms.heading("summary")), version.summary), *terms.sections(version)]
    return [Part(capfirst(heading), text) for heading, text in said if text.strip()]


def _accepted(acceptance: Acceptance, membership: Membership) -> Record:
    facts = [
        (_("Accepted by"), acceptance.accepted_name or _("erased on request")),
        (_("E-mail"), acceptance.accepted_email),
        (_("When"), _moment(acceptance.accepted_at, membership)),
        (_("Network address"), acceptance.address or ""),
        (_("Hash of the text"), acceptance.text_sha256),
    ]
    title = _("Version %(number)s") % {"number": acceptance.terms_version.number}
    return Record(title, _told(facts))


def _amended(amendment: Amendment, membership: Membership) -> Record:
    begins = amendment.effective_on
    answered = amendment.answered_at
    facts = [
        (_("State"), str(amendment.get_state_display())),
        (
            _("In force from"),
            l10n.date_text(begins, l10n.active_locale(), "long") if begins else _("the acceptance"),
        ),
        (_("Proposed"), _moment(amendment.proposed_at, membership) if amendment.proposed_at else ""),
        (_("Accepted by"), str(amendment.answered_by) if amendment.answered_by else ""),
        (_("When"), _moment(answered, membership) if answered else ""),
        (_("Hash of the text"), amendment.sha256),
    ]
    title = _("Amendment %(number)s: %(title)s") % {"number": amendment.number, "title": amendment.title}
    return Record(title, _told(facts), amendment.text)


def _asked(question: ClauseQuestion) -> Record:
    return Record(str(question.get_section_display()), [], question.text, question.answer)


def _told(facts: Iterable[tuple[str, str]]) -> list[tuple[str, str]]:
    return [(label, value) for label, value in facts if value]


def _moment(instant: datetime, membership: Membership) -> str:
    return l10n.datetime_text(instant, membership.program.zone, l10n.active_locale())


def _day(instant: datetime, membership: Membership) -> str:
    return l10n.date_text(instant.astimezone(membership.program.zone).date(), l10n.active_locale(), "long")

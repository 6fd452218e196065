"""What the partners app removes when a person is erased, what it keeps, and what hinders: applications, references, invitations, prospects and
waiting lists go by mailbox, consent loses the person and stays, and a partner keeps the name that stands in the books."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING, Any

from django.db import models, transaction
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext_lazy

from partners import models as m
from partners.choices import ApplicationState, InvitationState, ProspectStage, TeamRole
from partners.erasure import Case, Kept, learn_eraser, learn_hindrance, learn_kept
from partners.tokens import digest, new_token
from prm.lib.scrubbing import ERASED, scrub_rows
from prm.mail.models import OutgoingMail
from prm.mail.redaction import TO, messages_to

if TYPE_CHECKING:
    from prm.accounts.models import User


def learn() -> None:
    """Name what this app and those below it remove, keep and wait for."""
    learn_hindrance(hindrances)
    learn_eraser("partners", erase, removes=removes)
    learn_kept(
        Kept(
            gettext_lazy(
                "The partner's legal name, country and VAT number, when there are statements or invoices"
            ),
            gettext_lazy("Books and tax records (GDPR, art. 17(3)(b))."),
            ("partners.partner",),
        ),
        Kept(
            gettext_lazy("That terms were accepted: which text, when, by which membership"),
            gettext_lazy(
                "To establish and defend legal claims (GDPR, art. 17(3)(e)); without name and address."
            ),
        ),
        Kept(
            gettext_lazy("What was done, in the audit record: by which id, to which id, when"),
            gettext_lazy(
                "Books have to be traceable; names, addresses and notes about the person are taken out."
            ),
        ),
        Kept(
            gettext_lazy("Agreements beside the terms, with their text"),
            gettext_lazy("To establish and defend legal claims (GDPR, art. 17(3)(e))."),
            ("partners.amendment",),
        ),
    )


def hindrances(case: Case) -> Iterator[str]:
    """Say what has to be done before the person can be erased."""
    user = case.user
    if user is not None and (user.is_staff or user.is_superuser):
        yield _("The account belongs to our staff: take away its roles first.")
    for membership in m.Membership.objects.filter(partner__in=case.partner_ids, ended_at=None).select_related(
        "partner", "program"
    ):
        yield _living(membership)
    if user is None:
        return
    owned = (
        m.Member.objects.current()
        .filter(user=user, role=TeamRole.OWNER)
        .exclude(partner__in=case.partner_ids)
    )
    for place in owned.select_related("partner"):
        team = m.Member.objects.current().filter(partner=place.partner).exclude(user=user)
        if team.filter(role=TeamRole.OWNER).exists():
            continue
        if team.exists():
            text = _("The person is the last owner of %(partner)s: make somebody else an owner first.")
            yield text % {"partner": place.partner.name}
        for membership in place.partner.memberships.filter(ended_at=None).select_related(
            "partner", "program"
        ):
            yield _living(membership)


def _living(membership: m.Membership) -> str:
    named = {"partner": membership.partner.name, "program": membership.program.name}
    return _("The membership of %(partner)s in %(program)s has not ended.") % named


def removes(case: Case) -> Iterator[str]:
    """Say what would go."""
    if case.user is not None:
        yield _(
            "The account: address, name, password, second factors and sessions. Nobody can sign in by it any more."
        )
    for rows, words in _counted(case):
        count = rows.count()
        if count:
            yield words % {"n": count}
    for partner in case.partners:
        yield _("The partner %(partner)s: contact, address, website, languages and specialities.") % {
            "partner": partner.name
        }


def _counted(case: Case) -> list[tuple[models.QuerySet[Any], Any]]:
    """Return what is counted before it goes, with its words."""
    mails = OutgoingMail.objects.filter(messages_to(case.mailboxes))
    return [
        (
            _applications(case),
            ngettext_lazy(
                "%(n)s application with its answers, messages and files",
                "%(n)s applications with their answers, messages and files",
                "n",
            ),
        ),
        (_references(case), ngettext_lazy("%(n)s reference given", "%(n)s references given", "n")),
        (
            _acceptances(case),
            ngettext_lazy(
                "Name and address in %(n)s acceptance of terms",
                "Name and address in %(n)s acceptances of terms",
                "n",
            ),
        ),
        (
            _by_mailbox(m.Invitation, case),
            ngettext_lazy("%(n)s invitation into a team", "%(n)s invitations into teams", "n"),
        ),
        (
            _by_mailbox(m.ProgramInvitation, case),
            ngettext_lazy("%(n)s invitation into a program", "%(n)s invitations into programs", "n"),
        ),
        (
            _by_mailbox(m.Prospect, case),
            ngettext_lazy("%(n)s prospect with all notes", "%(n)s prospects with all notes", "n"),
        ),
        (
            _by_mailbox(m.WaitingMailbox, case),
            ngettext_lazy("%(n)s place on a waiting list", "%(n)s places on waiting lists", "n"),
        ),
        (mails, ngettext_lazy("Address and text of %(n)s mail", "Address and text of %(n)s mails", "n")),
    ]


@transaction.atomic
def erase(case: Case, by: User, at: datetime) -> None:
    """Remove what this app keeps about the person."""
    _erase_applications(case, at)
    _erase_references(case)
    _acceptances(case).filter(erased_at=None).update(
        accepted_name="", accepted_email="", address=None, erased_at=at
    )
    _erase_invitations(case, at)
    _erase_prospects(case)
    _by_mailbox(m.WaitingMailbox, case).delete()
    _leave_teams(case, by, at)
    _erase_partners(case, at)
    _erase_reviews(case)
    _scrub(case)


def _applications(case: Case) -> models.QuerySet[m.Application]:
    mine = models.Q(email_folded__in=case.mailboxes) | models.Q(membership__partner__in=case.partner_ids)
    return m.Application.objects.filter(mine, erased_at=None).distinct()


def _references(case: Case) -> models.QuerySet[m.Reference]:
    named = models.Q(pk__in=[])
    for mailbox in case.mailboxes:
        named |= models.Q(email__iexact=mailbox)
    return m.Reference.objects.filter(named)


def _acceptances(case: Case) -> models.QuerySet[m.Acceptance]:
    mine = models.Q(application__in=_applications(case)) | models.Q(person=case.user_id)
    mine |= models.Q(membership__partner__in=case.partner_ids)
    for mailbox in case.mailboxes:
        mine |= models.Q(accepted_email__iexact=mailbox)
    return m.Acceptance.objects.filter(mine, erased_at=None)


def _by_mailbox(model: type[models.Model], case: Case) -> models.QuerySet[models.Model]:
    return model._default_manager.filter(email_folded__in=case.mailboxes)


def _erase_applications(case: Case, at: datetime) -> None:
    _acceptances(case).update(accepted_name="", accepted_email="", address=None, erased_at=at)
    ids = list(_applications(case).values_list("pk", flat=True))
    files = m.ApplicationFile.objects.filter(application__in=ids)
    for given in files.exclude(file=""):
        # Only when everything else is done: a file cannot be brought back by a rollback.
        transaction.on_commit(partial(given.file.storage.delete, str(given.file.name)))
    files.delete()
    m.Reference.objects.filter(application__in=ids).delete()
    m.ApplicationMessage.objects.filter(application__in=ids).update(text=ERASED)
    m.ClauseQuestion.objects.filter(application__in=ids).update(text=ERASED, answer="")
    m.Application.objects.filter(pk__in=ids, state=ApplicationState.DRAFT, submitted_at=None).delete()
    left = m.Application.objects.filter(pk__in=ids)
    left.filter(state__in=ApplicationState.undecided()).update(state=ApplicationState.WITHDRAWN)
    for pk in ids:
        m.Application.objects.filter(pk=pk).update(
            full_name="",
            email="",
            email_folded="",
            phone="",
            company="",
            website="",
            street="",
            postcode="",
            town="",
            vat_number="",
            channels=[],
            answers={},
            audience="",
            how_promote="",
            address=None,
            decision_note="",
            token_sha256=digest(new_token()),
            erased_at=at,
        )


def _erase_references(case: Case) -> None:
    _references(case).update(
        full_name=ERASED, company="", email=TO, relation="", comment="", token_sha256=None
    )


def _erase_invitations(case: Case, at: datetime) -> None:
    for invitation in m.Invitation.objects.filter(email_folded__in=case.mailboxes):
        m.Invitation.objects.filter(pk=invitation.pk).update(
            email=TO,
            email_folded=f"erased-{invitation.pk}",
            full_name="",
            token_sha256=digest(new_token()),
            withdrawn_at=invitation.withdrawn_at or (None if invitation.accepted_at else at),
        )
    for asked in m.ProgramInvitation.objects.filter(email_folded__in=case.mailboxes):
        is_living = asked.state in InvitationState.living()
        m.ProgramInvitation.objects.filter(pk=asked.pk).update(
            email=TO,
            email_folded=f"erased-{asked.pk}",
            full_name="",
            company="",
            message="",
            token_sha256=digest(new_token()),
            state=InvitationState.WITHDRAWN if is_living else asked.state,
        )


def _erase_prospects(case: Case) -> None:
    found = m.Prospect.objects.filter(email_folded__in=case.mailboxes)
    m.ProspectTouch.objects.filter(prospect__in=found).update(text=ERASED)
    closed = models.Case(
        models.When(stage=ProspectStage.JOINED, then=models.F("stage")),
        default=models.Value(ProspectStage.LOST.value),
    )
    found.update(
        full_name="",
        company="",
        email="",
        email_folded="",
        phone="",
        website="",
        source_note="",
        customer_reference="",
        notes="",
        next_touch_on=None,
        stage=closed,
    )


def _leave_teams(case: Case, by: User, at: datetime) -> None:
    m.Member.objects.current().filter(user=case.user_id).update(ended_at=at, ended_by=by)


def _erase_partners(case: Case, at: datetime) -> None:
    for partner in case.partners:
        # The books name a partner by its legal name: without books nobody needs it.
        kept = (partner.legal_name or partner.name) if _has_books(partner) else ""
        m.Partner.objects.filter(pk=partner.pk).update(
            name=f"Erased partner {partner.public_id[-6:]}",
            legal_name=kept,
            vat_number=partner.vat_number if kept else "",
            website="",
            email="",
            phone="",
            street="",
            building_number="",
            postcode="",
            town="",
            region="",
            languages=[],
            specialities=[],
            erased_at=at,
        )
    # Partners that go on may have used the person as their contact.
    contact = models.Q(pk__in=[])
    for mailbox in case.mailboxes:
        contact |= models.Q(email__iexact=mailbox)
    m.Partner.objects.filter(contact).update(email="")
    m.Partner.objects.filter(phone__in=case.phones).exclude(phone="").update(phone="")


def _erase_reviews(case: Case) -> None:
    """Take away what was written about the tiers of an erased partner, and what the person wrote for one that goes on."""
    gone = m.Membership.objects.filter(partner__in=case.partner_ids).values("pk")
    reviews = m.TierReview.objects.filter(membership__in=gone)
    reviews.exclude(note="").update(note=ERASED)
    m.TierOverride.objects.filter(membership__in=gone).update(reason=ERASED)
    mine = models.Q(review__membership__in=gone) | models.Q(opened_by=case.user_id)
    appeals = m.Appeal.objects.filter(mine)
    appeals.exclude(answer="").update(answer=ERASED)
    appeals.update(text=ERASED)


_books: list[Callable[[m.Partner], bool]] = []


def learn_books(reader: Callable[[m.Partner], bool]) -> None:
    """Let those who keep books say whether a partner stands in them."""
    if reader not in _books:
        _books.append(reader)


def _has_books(partner: m.Partner) -> bool:
    return any(reader(partner) for reader in _books)


def _scrub(case: Case) -> None:
    """Take the person out of what others wrote."""
    needles = case.needles
    for model, fields in (
        (m.ApplicationMessage, ("text",)),
        (m.Application, ("decision_note",)),
        (m.ClauseQuestion, ("text", "answer")),
        (m.Suspension, ("note",)),
        (m.Ending, ("note",)),
        (m.Introduction, ("reason",)),
        (m.CounterProposal, ("text", "answer")),
        (m.Prospect, ("notes", "source_note")),
        (m.ProspectTouch, ("text",)),
        (m.ProgramInvitation, ("message",)),
        (m.Placement, ("because",)),
        (m.TierReview, ("note",)),
        (m.Appeal, ("text", "answer")),
        (m.TierOverride, ("reason",)),
        (m.RecruitingLink, ("name",)),
    ):
        scrub_rows(model._default_manager.all(), needles, *fields)
